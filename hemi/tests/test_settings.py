"""Settings that cannot be meant stop Hemi at the start and are named."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from hemi.lib import reading


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (lambda text: reading.number("NAME", text, least=1), ["abc", "", "0", "-3", "1.5"]),
        (lambda text: reading.switch("NAME", text), ["maybe", "2"]),
        (lambda text: reading.choice("NAME", text, ("console", "json")), ["xml", "", "JSON"]),
        (lambda text: reading.networks("NAME", text.split(",")), ["garbage", "10.0.0.0/8,10.0.0.0/99"]),
    ],
)
def test_wrong_value_is_refused_by_name(read, wrong):
    for text in wrong:
        with pytest.raises(ImproperlyConfigured, match="NAME"):
            read(text)


def test_right_values_are_read():
    assert reading.number("NAME", "7", least=7) == 7
    assert [reading.switch("NAME", text) for text in ("on", "TRUE", "1", "", "no")] == [True, True, True, False, False]
    assert reading.networks("NAME", [" 10.1.2.3/8", "", "::1"]) == ["10.0.0.0/8", "::1/128"]


def _start(tmp_path, **changes):
    keys = {"SECRET_KEY": "s" * 50, "FIELD_ENCRYPTION_KEY": settings.FIELD_ENCRYPTION_KEY[0]}
    environ = {"PATH": os.environ["PATH"], "HEMI_ENV_FILE": os.devnull, "HEMI_VAR": str(tmp_path), **keys, **changes}
    code = "import hemi.settings as s; print(s.DATA_UPLOAD_MAX_MEMORY_SIZE)"
    done = [sys.executable, "-c", code]
    return subprocess.run(done, env=environ, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSTALL_LINK_DAYS", "abc"),
        ("DELIVERY_MAX_ATTEMPTS", "0"),
        ("WEBHOOK_MAX_BYTES", "-1"),
        ("ALLOWED_PRIVATE_NETWORKS", "garbage"),
        ("LOG_FORMAT", "xml"),
        ("HEMI_VAR", "/dev/null/hemi"),
        ("LOG_LEVEL", "FOO"),
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgress://hemi:hush@localhost/hemi"),
        ("DATABASE_URL", "mysql://hemi:hush@localhost/hemi"),
        ("DATABASE_URL", "postgres://hemi:hush#1@localhost/hemi"),
        ("DATABASE_URL", "postgres://hemi:hush@localhost"),
        ("DATABASE_URL", "sqlite://"),
        ("CELERY_BROKER_URL", "nonsense"),
        ("CELERY_BROKER_URL", "reddis://localhost"),
        ("CELERY_BROKER_URL", "redis://localhost:hush/0"),
        ("CACHE_URL", "nonsense"),
        ("CACHE_URL", "redis://localhost:hush/0"),
        ("EMAIL_URL", "nonsense"),
        ("EMAIL_URL", "smtp://localhost:hush"),
    ],
)
def test_start_names_the_setting(tmp_path, name, value):
    said = _start(tmp_path, **{name: value}).stderr
    assert said.splitlines()[-1].startswith(f"django.core.exceptions.ImproperlyConfigured: {name} ")
    assert "hush" not in said  # of which a part may be a password


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://hemi:wo%23rd@localhost:5432/hemi"),
        ("DATABASE_URL", "postgresql:///hemi"),
        ("DATABASE_URL", "postgres://%2Frun%2Fpostgresql/hemi"),
        ("DATABASE_URL", "sqlite:////var/lib/hemi/hemi.sqlite3"),
        ("CELERY_BROKER_URL", "rediss://:hush@redis.example.com:6380/0"),
        ("CACHE_URL", "redis://localhost:6379/1"),
        ("EMAIL_URL", "smtp+tls://user:hush@smtp.example.com:587"),
        ("EMAIL_URL", "consolemail://"),
    ],
)
def test_addresses_that_work_are_read(tmp_path, name, value):
    assert _start(tmp_path, **{name: value}).returncode == 0


def test_reminders_can_be_left_out(tmp_path):
    assert _start(tmp_path, INSTALL_REMINDER_DAYS="0").returncode == 0


def test_large_webhooks_fit(tmp_path):
    assert _start(tmp_path, WEBHOOK_MAX_BYTES="20000000").stdout.strip() == "20000000"
