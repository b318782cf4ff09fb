"""The system checks: what is missing or wrong in the settings."""

import pytest

from hemi import checks


def ids(check):
    return [message.id for message in check(None)]


@pytest.mark.parametrize(
    ("url", "is_debug", "is_sandbox", "found"),
    [
        ("https://{shop}.myshopify.com", False, False, []),
        ("http://127.0.0.1:9/{shop}", False, False, ["hemi.E002"]),
        ("http://127.0.0.1:9/{shop}", True, False, []),
        ("http://127.0.0.1:9/{shop}", False, True, []),
        ("http://127.0.0.1:9/", False, True, ["hemi.E002"]),
    ],
)
def test_shop_url(settings, url, is_debug, is_sandbox, found):
    settings.SHOPIFY_SHOP_URL, settings.DEBUG, settings.SANDBOX = url, is_debug, is_sandbox
    assert ids(checks.check_shop_url) == found


@pytest.mark.parametrize(
    ("url", "is_sandbox", "found"),
    [
        ("https://hemi.test", False, []),
        ("", False, ["hemi.W001"]),
        ("http://hemi.test", False, ["hemi.W002"]),
        ("http://hemi.test", True, []),
    ],
)
def test_base_url(settings, url, is_sandbox, found):
    settings.HEMI_BASE_URL, settings.SANDBOX, settings.DEBUG = url, is_sandbox, False
    assert ids(checks.check_base_url) == found


def test_mail(settings):
    settings.IS_MAIL_SET, settings.STAFF_ALERT_EMAILS = False, []
    assert ids(checks.check_mail) == ["hemi.W003", "hemi.W004"]
    assert all(message.hint for message in checks.check_mail(None))
    settings.IS_MAIL_SET, settings.STAFF_ALERT_EMAILS = True, ["staff@hemi.test"]
    assert not ids(checks.check_mail)


def test_keys(settings):
    assert not ids(checks.check_keys)
    settings.FIELD_ENCRYPTION_KEY = [*settings.FIELD_ENCRYPTION_KEY, "not-a-key"]
    assert ids(checks.check_keys) == ["hemi.E001"]


@pytest.mark.parametrize(
    ("name", "wrong", "right", "found"),
    [
        ("SHOPIFY_API_VERSION", "foo", "2026-10", "hemi.E003"),
        ("SHOPIFY_API_VERSION", "2026-11", "unstable", "hemi.E003"),
        ("HEMI_LANDING_URL", "javascript:x", "https://hemi.test/in", "hemi.E004"),
        ("HEMI_LANDING_URL", "https://", "http://hemi.test", "hemi.E004"),
        ("STAFF_ALERT_EMAILS", ["a@hemi.test", "notmail"], [], "hemi.E005"),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", 10, None, "hemi.E006"),
    ],
)
def test_values(settings, name, wrong, right, found):
    assert not ids(checks.check_values)
    setattr(settings, name, wrong)
    (message,) = checks.check_values(None)
    assert message.id == found
    assert name in message.msg and message.hint
    setattr(settings, name, right)
    assert not ids(checks.check_values)
