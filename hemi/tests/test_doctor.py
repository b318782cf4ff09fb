"""`manage.py doctor` names each thing that is wrong with its mend, and no secret."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from hemi import pulse
from hemi.doctor import machine as doctors_machine
from hemi.doctor.findings import without_secrets
from hemi.metrics import machine
from hemi.models import Heartbeat
from integrations import subscriptions
from integrations.models import AccountShopify, IntegrationCredentials, KeyCanary
from integrations.tests.conftest import mailbox, shopify, short_pauses, store  # noqa: F401 - fixtures
from sandbox.ftp import FtpSandbox
from suppliers.models import EndpointCheck
from suppliers.tests import factories
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def healthy(settings, monkeypatch):
    """An installation where nothing is wrong, but that no mail server is set."""
    settings.REQUIRE_SECOND_FACTOR, settings.BACKUP_KEY = True, []
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: SimpleNamespace(total=10**12, free=5 * 10**11))
    monkeypatch.setattr(doctors_machine, "_is_kept", lambda: True)
    User.objects.create_superuser("ann", password="a long password")
    for part in pulse.PARTS:
        pulse.beat(part)


def ask(*options: str) -> tuple[int, str]:
    """Return the exit code and what was said."""
    out = StringIO()
    try:
        call_command("doctor", *options, stdout=out, no_color=True)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def told(about: str) -> str:
    """Return the line of a problem with its mend, of a doctor who ends with 1."""
    code, said = ask()
    lines = said.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith(f"PROBLEM  {about}")]
    assert found, said
    assert code == 1
    assert "->" in lines[found[0] + 1], "a problem has a mend"
    return "\n".join(lines[found[0] : found[0] + 2])


def _of_another_key() -> str:
    return Fernet(Fernet.generate_key()).encrypt(b"hush").decode()


@contextmanager
def public_address(folder: Path, days: int) -> Iterator[str]:
    """Answer 200 over TLS with a certificate that is good for so many days; yield the address."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    span = {"not_valid_before": now - timedelta(1), "not_valid_after": now + timedelta(days)}
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), **span)
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "certificate.pem").write_bytes(made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()


def test_warnings_alone_end_with_0():
    code, said = ask()
    assert (code, "no problems" in said) == (0, True), said
    assert "warning  setting BACKUP_KEY" in said


def test_migrations_that_wait(monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'hemi' AND name = '0002_pulse'")
    try:
        assert "manage.py migrate" in told("database")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('hemi', '0002_pulse', CURRENT_TIMESTAMP)"
            )


def test_settings_and_disks_are_looked_at_without_a_database(settings, monkeypatch):
    monkeypatch.setattr("hemi.health.database", lambda: "OperationalError")
    settings.SHOPIFY_API_VERSION = "foo"
    assert "DATABASE_URL" in told("database")
    assert "such as 2026-10" in told("setting hemi.E003")
    assert "disk of data" in ask()[1]


@pytest.mark.parametrize("part", pulse.PARTS)
def test_a_part_that_is_silent(part):
    Heartbeat.objects.filter(name=part).update(at=timezone.now() - timedelta(minutes=5))
    assert "last heard of 30" in told(f"{part}: ")
    Heartbeat.objects.filter(name=part).delete()
    assert "never heard of" in told(f"{part}: ")


def test_keys_that_do_not_fit(settings):
    KeyCanary.objects.create(text="Kept with the key of another installation")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_keycanary SET text = 'gAAAAABnotours'")
    assert "FIELD_ENCRYPTION_KEY" in told("keys")


def test_nobody_who_administers():
    User.objects.update(is_active=False)
    assert "createsuperuser" in told("people")


def test_settings_that_are_wrong(settings):
    settings.SHOPIFY_API_VERSION = "foo"
    assert "such as 2026-10" in told("setting hemi.E003")


def test_every_warning_and_problem_says_what_mends_it(settings):
    settings.SANDBOX, settings.REQUIRE_SECOND_FACTOR, settings.METRICS_TOKEN = False, False, "short"
    settings.ALLOWED_HOSTS, settings.IS_MAIL_SET = ["other.test"], True
    settings.DEFAULT_FROM_EMAIL = "Hemi <h@localhost>"
    code, said = ask()
    lines = said.splitlines()
    bad = [number for number, line in enumerate(lines) if line.startswith(("PROBLEM", "warning"))]
    assert code == 1
    assert [lines[number] for number in bad if len(lines[number + 1].partition("->")[2]) < 10] == []
    about = {lines[number][9:].split(":")[0] for number in bad}
    assert about >= {
        "setting hemi.E008",  # ALLOWED_HOSTS
        "setting hemi.W005",  # DEFAULT_FROM_EMAIL
        "setting security.W012",  # SESSION_COOKIE_SECURE, of which Django says no mend
        "setting REQUIRE_SECOND_FACTOR",
        "setting METRICS_TOKEN",
    }


def test_a_stored_secret_that_no_key_reads(store):  # noqa: F811
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_accountshopify SET access_token = %s", [_of_another_key()])
    assert "FIELD_ENCRYPTION_KEY" in told("stores")
    assert "warning  setting hemi.W010: No key of FIELD_ENCRYPTION_KEY reads integrations.AccountShopify" in ask()[1]


def test_settings_that_keep_hemi_from_starting_are_named_in_one_line(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HEMI_VAR": str(tmp_path), "HEMI_ENV_FILE": os.devnull}
    said = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=Path(__file__).resolve().parents[2],
        env={**environment, "LOG_FORMAT": "xml"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 1
    # The first line tells of keys that were made.
    assert said.stderr.splitlines()[1:] == ["Hemi cannot start: LOG_FORMAT must be one of: console, json."]


def test_units_that_systemd_gave_up(tmp_path, monkeypatch):
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\necho 'hemi-rehearsal.service loaded failed failed Hemi: the newest backup'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert "journalctl -u hemi-rehearsal.service" in told("unit hemi-rehearsal.service")
    program.write_text("#!/bin/sh\necho 'System has not been booted with systemd' >&2\nexit 1\n")
    assert ask()[0] == 0


@pytest.mark.parametrize(("days", "found"), [(60, "ok       certificate: good"), (5, "warning  certificate: it ends")])
def test_a_certificate_that_was_not_renewed(settings, tmp_path, monkeypatch, days, found):
    with public_address(tmp_path, days) as settings.HEMI_BASE_URL:
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(tmp_path / "certificate.pem"))
        _, said = ask("--connect")
        assert found in said, said
        assert "/healthz answers" in said


def test_secrets_in_a_file_that_others_can_read(settings, tmp_path):
    settings.ENV_FILE = tmp_path / "env"
    settings.ENV_FILE.write_text("SECRET_KEY=x\n")
    settings.ENV_FILE.chmod(0o640)
    assert ask()[0] == 0
    settings.ENV_FILE.chmod(0o644)
    assert "chmod" in told(f"file {settings.ENV_FILE}")


def test_a_full_disk(monkeypatch):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: SimpleNamespace(total=10**12, free=10**9))
    assert "Make room" in told("disk of data")


def test_no_backup(settings, tmp_path):
    settings.BACKUP_KEY, settings.BACKUP_DIR = [Fernet.generate_key().decode()], tmp_path
    assert "manage.py backup" in told("backup")
    (tmp_path / "hemi-1.backup").touch()
    assert ask()[0] == 0


def test_a_mail_server_that_is_away_and_one_that_is_there(settings, mailbox):  # noqa: F811
    assert "lets Hemi in" in ask()[1]
    settings.EMAIL_PORT = 1
    assert "EMAIL_URL" in told("mail")


def test_a_broker_that_is_away(monkeypatch):
    monkeypatch.setattr("hemi.health.broker", lambda: "OperationalError")
    assert "Start Redis" in told("broker")


class TestStores:
    def test_one_that_is_well_and_asked(self, store):  # noqa: F811
        AccountShopify.objects.update(webhooks="due", access_scopes=store.access_scopes)
        subscriptions.subscribe_webhooks()
        _, said = ask("--connect")
        assert "1 connected, with nothing to mend" in said, said

    def test_a_subscription_that_is_gone(self, store, shopify):  # noqa: F811
        AccountShopify.objects.update(webhooks="due")
        subscriptions.subscribe_webhooks()
        store.subscriptions.filter(topic="ORDERS_PAID").delete()
        assert "ORDERS_PAID" in told("store test")

    def test_one_that_shopify_does_not_list(self, store):  # noqa: F811
        AccountShopify.objects.update(webhooks="due")
        subscriptions.subscribe_webhooks()
        store.subscriptions.filter(topic="ORDERS_PAID").update(is_listed=False, note="Shopify does not list it.")
        assert "ORDERS_PAID" in told("store test")

    def test_another_address_than_ours(self, store, settings):  # noqa: F811
        AccountShopify.objects.update(webhooks="due")
        subscriptions.subscribe_webhooks()
        settings.HEMI_BASE_URL = "https://moved.test"
        assert "HEMI_BASE_URL" in told("store test")

    def test_one_that_refuses(self, store):  # noqa: F811
        AccountShopify.objects.update(problem="reauthorise")
        assert "install link" in told("store test").lower()

    def test_an_app_without_a_secret(self, store):  # noqa: F811
        IntegrationCredentials.objects.update(client_secret="")
        assert "Integration Credentials" in told("store test")
        IntegrationCredentials.objects.all().delete()
        assert "Integration Credentials" in told("store test")

    def test_a_token_that_has_ended(self, store):  # noqa: F811
        AccountShopify.objects.update(token_expires_at=timezone.now() - timedelta(minutes=1))
        assert "its token ended" in told("store test")


class TestEndpoints:
    def test_by_the_last_test(self):
        endpoint = factories.endpoint(name="North")
        assert "warning  endpoint North: it was never tested" in ask()[1]
        step = {"name": "Log in", "outcome": "failed", "text": "530 No.", "seconds": 0}
        EndpointCheck.objects.create(endpoint=endpoint, status="failed", steps=[step], ended_at=timezone.now())
        assert "Log in: 530 No." in told("endpoint North")
        EndpointCheck.objects.create(endpoint=endpoint, status="passed", ended_at=timezone.now() - timedelta(days=3))
        assert "its last test was on" in ask()[1]

    @pytest.mark.parametrize("column", ["stopped_at", "closed_at", "opened_at"])
    def test_one_that_waits(self, column):
        factories.endpoint(name="North", **{column: timezone.now()})
        told("endpoint North")

    @pytest.mark.django_db(transaction=True)
    def test_with_connect_really(self, tmp_path, settings):
        settings.HEMI_BASE_URL = ""
        with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
            endpoint = factories.endpoint(server, name="North")
            try:
                code, said = ask("--connect")
                assert (code, "1 active, with nothing to mend" in said) == (0, True), said
                endpoint.password = "wrong-password"
                endpoint.save()
                sessions.kept.close_idle()
                code, said = ask("--connect")
                assert code == 1 and "PROBLEM  endpoint North: its test failed. Log in" in said, said
                assert "wrong-password" not in said
            finally:
                sessions.kept.close_idle()


def test_no_secret_is_said(settings):
    settings.METRICS_TOKEN, settings.BACKUP_KEY = "metrics-token-1", ["backup-key-1"]
    settings.EMAIL_CONFIG = {"EMAIL_HOST_PASSWORD": "mail-password-1"}
    settings.CELERY_BROKER_URL = "redis://:red%2Fis-1@localhost/0"
    secrets = ["metrics-token-1", "backup-key-1", "mail-password-1", "red/is-1", "red%2Fis-1", settings.SECRET_KEY]
    secrets += settings.FIELD_ENCRYPTION_KEY
    said = without_secrets(f"Cannot log in with {' '.join(secrets)}, sorry")
    assert said == f"Cannot log in with {' '.join(['***'] * len(secrets))}, sorry"
