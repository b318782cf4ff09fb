"""The answers to probes."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from hemi.celery import app
from hemi.lib import filebroker
from integrations.models import AccountShopify, WebhookEvent


@pytest.fixture
def use_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Make a Celery app with a broker of its own the current one."""
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery prefers it to any configuration
    other = Celery("probed")

    def use(url: str, **options: object) -> None:
        other.conf.update(broker_url=url, broker_transport_options=options)
        other.set_current()

    yield use
    app.set_current()
    other.close()


def test_alive_asks_nobody(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_when_database_and_broker_answer(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok", "oldest_webhook_seconds": 0})


@pytest.mark.django_db
def test_says_how_long_the_oldest_webhook_waits(client: Client, account: AccountShopify) -> None:
    came_at = timezone.now() - timedelta(minutes=5)
    WebhookEvent.objects.create(account=account, webhook_id="1", topic="t", body=b"", received_at=came_at)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["oldest_webhook_seconds"] // 10) == (200, 30)


@pytest.mark.django_db
def test_not_ready_without_the_folder_of_the_broker(client: Client, tmp_path: Path, use_broker: Callable) -> None:
    use_broker(filebroker.URL, **filebroker.options(tmp_path))
    assert client.get("/readyz").json()["broker"] == "ok"
    shutil.rmtree(tmp_path)
    answer = client.get("/readyz")
    found = {"database": "ok", "broker": "FileNotFoundError", "oldest_webhook_seconds": 0}
    assert (answer.status_code, answer.json()) == (503, found)


@pytest.mark.django_db
def test_not_ready_when_redis_refuses(client: Client, use_broker: Callable) -> None:
    use_broker("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {"database": "ok", "broker": "OperationalError", "oldest_webhook_seconds": 0},
    )


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "/nowhere/hemi.sqlite3")
        answer = client.get("/readyz")
        connection.close()
    assert (answer.status_code, answer.json()) == (
        503,
        {"database": "OperationalError", "broker": "ok", "oldest_webhook_seconds": None},
    )


def test_a_database_that_is_cut_off_is_given_up_in_seconds(tmp_path: Path) -> None:
    keys = {"SECRET_KEY": "s" * 50, "FIELD_ENCRYPTION_KEY": settings.FIELD_ENCRYPTION_KEY[0]}
    environment = {"PATH": os.environ["PATH"], "HEMI_ENV_FILE": os.devnull, "HEMI_VAR": str(tmp_path), **keys}
    asks = "import django; django.setup(); from hemi import health; print(health.database())"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgres://hemi@127.0.0.1:{silent.getsockname()[1]}/hemi"
        said = subprocess.run(
            [sys.executable, "-c", asks],
            cwd=settings.BASE_DIR,
            env={**environment, "DJANGO_SETTINGS_MODULE": "hemi.settings", "DATABASE_URL": address},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert said.stdout == "OperationalError\n", said.stderr


def test_probes_take_the_short_way() -> None:
    assert {"/healthz", "/readyz", "/metrics"} <= set(settings.MACHINE_PATHS)
