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
