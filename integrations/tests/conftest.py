"""The world that the tests connect to: a Shopify and a mailbox on loopback."""

import pytest

from integrations.models import AccountShopify
from sandbox.mailbox import Mailbox
from sandbox.shopify import ShopifySandbox

SCOPES = "read_orders,write_orders,read_products,read_locations"
CALLBACK = "https://hemi.test/shopify/callback/"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """Repeat failed queries at once: what counts here is that they are repeated."""
    monkeypatch.setattr("integrations.shopify.client.PAUSE_SECONDS", 0.01)


@pytest.fixture
def shopify(settings):
    """A Shopify with the store `test` and Hemi's app."""
    with ShopifySandbox() as sandbox:
        settings.SHOPIFY_SHOP_URL = sandbox.shop_url_template
        sandbox.add_app("client-1", "hush", [CALLBACK])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def store(shopify, account):
    """The account of a store that is authorised already."""
    token = shopify.issue_token("client-1", "test", SCOPES.split(","))
    AccountShopify.objects.filter(pk=account.pk).update(access_token=token, token_version=1)
    account.refresh_from_db()
    return account


@pytest.fixture
def mailbox(settings):
    """A mail server that Hemi is set up with."""
    with Mailbox() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.smtp.port
        settings.IS_MAIL_SET = True
        yield mailbox
