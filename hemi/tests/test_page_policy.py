"""What pages tell the browser: what may be loaded, by whom they may be framed, where the address may go."""

import json
import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from hemi.tests import one_of_each

_PRINT = """
import json, django, django.conf
django.setup()
from django.conf import settings as s
names = [n for n in dir(s) if n.startswith(("SESSION_", "CSRF_", "SECURE_", "X_FRAME", "REQUIRE_"))]
print(json.dumps({n: getattr(s, n) for n in names}, default=str))
"""


@pytest.mark.django_db
def test_every_page_of_the_admin_says_so(admin_client):
    rows = one_of_each.make()
    download = f"/admin/suppliers/delivery/{rows['suppliers.Delivery'].pk}/download/"
    for path in ("/admin/", "/admin/orders/order/", download, "/admin/nowhere/", "/admin/second-factor/setup/"):
        answer = admin_client.get(path)
        policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'" and policy["script-src"] == "'self' 'unsafe-eval'"
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert answer["X-Frame-Options"] == "DENY" and answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin" and answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.django_db
def test_a_page_for_clients_keeps_its_own_stricter_policy(client):
    answer = client.get("/shopify/callback/")
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/shopify/webhooks/nowhere/", "/storefront/nowhere", "/healthz/nowhere", "/healthz"])
def test_what_machines_are_told_is_not_guessed_at(client, path):
    answer = client.get(path)
    assert answer.status_code == (200 if path == "/healthz" else 404)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"].startswith("text/plain")


@pytest.mark.django_db
def test_the_session_of_a_person_ends_with_the_password(client, admin_user):
    client.force_login(admin_user)
    assert client.get("/admin/").status_code == 200
    admin_user.set_password("another-password-1")
    admin_user.save()
    assert client.get("/admin/").status_code == 302


def _settings(tmp_path, **changes):
    environ = {
        "PATH": os.environ["PATH"],
        "HEMI_ENV_FILE": os.devnull,
        "HEMI_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "hemi.settings",
        "SECRET_KEY": "s" * 50,
        "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        **changes,
    }
    done = [sys.executable, "-c", _PRINT]
    answer = subprocess.run(
        done, env=environ, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(answer.stdout)


def test_behind_https_cookies_and_browsers_stay_on_https(tmp_path):
    found = _settings(tmp_path, HEMI_BASE_URL="https://hemi.example.com")
    assert found["SESSION_COOKIE_SECURE"] and found["CSRF_COOKIE_SECURE"]
    assert found["SESSION_COOKIE_HTTPONLY"] and found["CSRF_COOKIE_HTTPONLY"]
    assert found["SESSION_COOKIE_SAMESITE"] == found["CSRF_COOKIE_SAMESITE"] == "Lax"
    assert found["SESSION_COOKIE_NAME"].startswith("__Host-") and found["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert found["SESSION_COOKIE_PATH"] == "/" and found["SESSION_COOKIE_DOMAIN"] is None
    assert found["SESSION_COOKIE_AGE"] == 12 * 3600 and found["SECURE_HSTS_SECONDS"] == 31_536_000
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_on_a_desk_without_https_one_can_log_in(tmp_path):
    found = _settings(tmp_path, HEMI_BASE_URL="")
    assert not found["SESSION_COOKIE_SECURE"] and found["SESSION_COOKIE_NAME"] == "sessionid"
    assert found["REQUIRE_SECOND_FACTOR"] is False
    assert _settings(tmp_path, REQUIRE_SECOND_FACTOR="on")["REQUIRE_SECOND_FACTOR"] is True
