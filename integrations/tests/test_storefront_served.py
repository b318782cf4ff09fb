"""The storefront side behind gunicorn with one worker and one thread: raw paths, streams, and Hemi asking itself."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.db import connection

from integrations.models import AccountShopline
from integrations.tests.backend import Backend, Reply
from integrations.tests.storefront import store

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only: the server is told the test's file"),
]
ROOT = Path(__file__).resolve().parents[2]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.fixture
def backend():
    with Backend() as backend:
        yield backend


@pytest.fixture(scope="module")
def hemi(django_db_setup, tmp_path_factory):
    """Hemi with one worker of one thread, on the database of the tests."""
    tmp_path = tmp_path_factory.mktemp("hemi")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "HEMI_ENV_FILE": os.devnull,
        "HEMI_VAR": str(tmp_path),
        "HEMI_SANDBOX": "1",
        "HEMI_BASE_URL": url,
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_ENCRYPTION_KEY": settings.FIELD_ENCRYPTION_KEY[0],
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "STOREFRONT_SECONDS": "3",
    }
    command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "1", "hemi.wsgi"]
    with open(tmp_path / "web.log", "wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait(url, tmp_path / "web.log")
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _wait(url, log):
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(f"{url}/healthz", timeout=2).raise_for_status()
        except requests.RequestException:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def raw(url, target):
    """Ask for a target as it is; clients like to tidy it up. Returns everything that comes back."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connected:
        connected.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode("latin-1")
        )
        found = b""
        while block := connected.recv(65536):
            found += block
        return found


def test_one_worker_shows_hemis_own_pages(hemi, session):
    store()
    found = session.get(f"{hemi}/storefront/m1/apps/orders/", timeout=10)
    assert found.status_code == 200 and "Find your order" in found.text
    form = found.text.partition('<form method="post" action="')[2].partition('"')[0]
    said = {"number": "#1", "email": "a@b.example"}
    found = session.post(f"{hemi}/storefront/m1/apps/orders/{form}", data=said, timeout=10)
    assert found.status_code == 200 and "We could not find this order" in found.text
    found = session.get(
        f"{hemi}/storefront/m1/apps/orders/status.json", headers={"X-Storefront-Customer": "7"}, timeout=10
    )
    assert (found.status_code, found.headers["Content-Type"]) == (200, "application/json")
    assert "Set-Cookie" not in found.headers and found.headers["Content-Security-Policy"].startswith("sandbox ")


def test_the_path_goes_on_as_it_was_sent(hemi, backend):
    store(backend.url)
    assert raw(hemi, "/storefront/m1/apps/orders/caf%C3%A9/a%20b//c?x=%2F&y=a/b;c").startswith(b"HTTP/1.1 200")
    assert raw(hemi, "/storefront/m1/apps/orders/caf%E9").startswith(b"HTTP/1.1 200")
    first, second = backend.arrivals
    assert first.path == "/caf%C3%A9/a%20b//c" and first.query.startswith("x=%2F&y=a/b;c&merchant_id=m1&")
    assert second.path == "/caf%E9"
    for child in ("../x", "a/../../x", "..%2fx", "%2e%2e/x", "a%2fb", "a%5cb", "a%00b", ".."):
        assert raw(hemi, f"/storefront/m1/apps/orders/{child}").startswith(b"HTTP/1.1 400"), child
    for other in ("m1%2Fapps/x/orders/", "m1/apps%2Fx/orders/", "m1%2Fapps%2Forders/x/orders/"):
        assert raw(hemi, f"/storefront/{other}").startswith(b"HTTP/1.1 404"), other
    assert len(backend.arrivals) == 2


def test_a_cut_answer_does_not_look_whole(hemi, backend, session):
    def write(connected):
        connected.sendall(HEAD + b"\r\n<p>first")
        backend.over.wait(10)

    store(backend.url)
    backend.reply = Reply(write=write)
    started_at = time.monotonic()
    found = raw(hemi, "/storefront/m1/apps/orders/")
    assert b"<p>first" in found and not found.endswith(b"0\r\n\r\n")
    assert time.monotonic() - started_at < 6
    backend.reply = Reply()
    assert session.get(f"{hemi}/storefront/m1/apps/orders/", timeout=10).text.endswith("<p>Hello</p>")


def test_hemi_by_its_own_address_is_refused_at_once(hemi, session):
    for path in ("", "/admin", "/storefront/m1/apps/orders"):
        store(f"{hemi}{path}")
        found = session.get(f"{hemi}/storefront/m1/apps/orders/", timeout=10)
        assert found.status_code == 502 and "leads back to Hemi" in found.text
        AccountShopline.objects.all().delete()
