"""What leaves for Sentry: nothing without the setting, and with it no secret and nobody's data."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("ola@example.com", "SECRETTOKEN", "SECRETCODE", "SECRETCOOKIE", "Ola Nowak")
GOES_WRONG = """
import logging, django
django.setup()
from django.test import Client
from django.urls import path
from hemi import urls
from hemi.lib import logs

def broken(request):
    email, token = "ola@example.com", "SECRETTOKEN"
    raise ValueError(f"{email} has {token}")

urls.urlpatterns.append(path("broken", broken))
asked = Client(raise_request_exception=False, headers={"Authorization": "Bearer SECRETTOKEN"})
asked.cookies["session"] = "SECRETCOOKIE"
assert asked.post("/broken?code=SECRETCODE", {"name": "Ola Nowak"}).status_code == 500
with logs.following(webhook_event=815):
    try:
        broken(None)
    except ValueError:
        said = {"order_id": 4711, "error": "ola@example.com"}
        logging.getLogger("suppliers.rounds").exception("delivery.broken", extra=said)
logging.getLogger("kombu").error("Cannot connect with %s", "SECRETTOKEN")
"""


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """Something that takes what Sentry takes: its address and what came."""
    came: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://publickey@127.0.0.1:{server.server_port}/1", came
        server.shutdown()


def run(code: str, tmp_path: Path, dsn: str = "") -> subprocess.CompletedProcess:
    environment = {
        "PATH": os.environ["PATH"],
        "HEMI_VAR": str(tmp_path),
        "HEMI_ENV_FILE": os.devnull,
        "ALLOWED_HOSTS": "*",
        "SENTRY_DSN": dsn,
        "DJANGO_SETTINGS_MODULE": "hemi.settings",
    }
    argv = [sys.executable, "-c", code]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_errors_are_told_without_secrets_and_personal_data(sentry, tmp_path):
    dsn, came = sentry
    said = run(GOES_WRONG + "import sentry_sdk\nsentry_sdk.flush(10)\n", tmp_path, dsn)
    assert said.returncode == 0, said.stderr
    text = b"\n".join(came).decode()
    assert [secret for secret in (*SECRETS, str(ROOT), os.uname().nodename) if secret in text] == []
    events = [json.loads(body.splitlines()[-1]) for body in came]
    (told,) = [event for event in events if event.get("message") == "delivery.broken"]
    assert told["tags"] == {"webhook_event": 815, "order_id": 4711}
    (error,) = told["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["stacktrace"]["frames"][-1]["function"] == "broken"
    assert {event["logger"] for event in events} == {"django.request", "suppliers.rounds", "kombu"}
    assert all(set(event) <= {"event_id", "timestamp", "level", "logger", "platform", "sdk", "environment", "message",
                              "exception", "tags"} for event in events)  # fmt: skip


def test_the_error_that_ends_a_process_is_told(sentry, tmp_path):
    dsn, came = sentry
    said = run("import django; django.setup(); raise ValueError('ola@example.com')", tmp_path, dsn)
    assert said.returncode == 1
    assert "entry" not in said.stderr, "nothing of Sentry's own stands in the log"
    (body,) = came
    assert json.loads(body.splitlines()[-1])["exception"]["values"][0]["type"] == "ValueError"
    assert b"ola@example.com" not in body


def test_nothing_is_loaded_without_the_setting(tmp_path):
    said = run("import sys, django; django.setup(); sys.exit('sentry_sdk' in sys.modules)", tmp_path)
    assert said.returncode == 0, said.stderr


def test_a_wrong_address_is_named_at_the_start_and_not_quoted(tmp_path):
    for wrong in ("https://secretkey@sentry.example/", "nonsense-secretkey"):
        said = run("import django; django.setup()", tmp_path, wrong)
        assert said.returncode == 1
        assert "SENTRY_DSN cannot be read" in said.stderr
        assert "secretkey" not in said.stderr
