"""Webhooks are subscribed after each authorisation, and read back."""

import pytest

from integrations import subscriptions, tokens, topics
from integrations.models import AccountShopify, IntegrationCredentials, StaffAlert
from integrations.shopify.oauth import TokenGrant
from integrations.tests.clock import make_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(store):
    AccountShopify.objects.update(**tokens.due_webhooks())
    return store


def subscribed(shopify):
    return sorted((row.topic, row.uri) for row in shopify.state.subscriptions.values())


def uris(account):
    uri = f"https://hemi.test/shopify/webhooks/{account.uuid}/"
    return sorted((topic, uri) for topic in topics.TOPICS)


def test_four_topics_at_the_accounts_own_address(shopify, due):
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert (due.webhooks, due.webhooks_error) == ("on", "")
    assert due.shopify_shop_id == shopify.state.shops["test"].id
    assert len(subscribed(shopify)) == 4
    assert [uri for _, uri in subscribed(shopify)] == [uri for _, uri in uris(due)]


def test_only_the_missing_are_made(shopify, due):
    subscriptions.subscribe_webhooks()
    before = set(shopify.state.subscriptions)
    shopify.state.subscriptions.pop(min(before))
    AccountShopify.objects.update(**tokens.due_webhooks())
    subscriptions.subscribe_webhooks()
    assert len(subscribed(shopify)) == 4
    assert len(set(shopify.state.subscriptions) & before) == 3


def test_on_is_left_alone(shopify, store):
    subscriptions.subscribe_webhooks()
    assert not shopify.state.subscriptions


def no_secret(settings):
    IntegrationCredentials.objects.update(client_secret="")


def no_base_url(settings):
    settings.HEMI_BASE_URL = ""


def plain_http(settings):
    settings.HEMI_BASE_URL, settings.SANDBOX = "http://hemi.test", False


@pytest.mark.parametrize(
    ("spoil", "word"), [(no_secret, "client secret"), (no_base_url, "HEMI_BASE_URL"), (plain_http, "https://")]
)
def test_off_with_a_sentence(shopify, due, settings, spoil, word):
    spoil(settings)
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert due.webhooks == "failed"
    assert due.webhooks_error.startswith("Webhooks are off: ")
    assert word in due.webhooks_error
    assert word in StaffAlert.objects.get(kind="subscriptions").text
    assert not shopify.state.subscriptions


@pytest.mark.parametrize(("kind", "count"), [("401", 1), ("access_denied", 2)])  # the list needs no scope
def test_refusal_is_told_at_once(shopify, due, kind, count):
    AccountShopify.objects.update(shopify_shop_id=1)
    shopify.add_fault(kind, count=count)
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert due.webhooks == "failed"
    assert due.webhooks_error
    assert StaffAlert.objects.filter(kind="subscriptions").exists()
    tokens.store(due, TokenGrant(due.access_token, ""), seen_version=1)  # as an install does
    subscriptions.subscribe_webhooks()
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_shopify_that_is_away_is_waited_for(shopify, due):
    shopify.stop()
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert (due.webhooks, due.webhooks_attempts) == ("due", 1)
    shopify.start()
    subscriptions.subscribe_webhooks()  # not due yet
    assert not shopify.state.subscriptions
    make_due(AccountShopify.objects, "webhooks_next_attempt_at")
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert due.webhooks == "on"


def test_account_without_a_token(shopify, account):
    AccountShopify.objects.update(**tokens.due_webhooks())
    subscriptions.subscribe_webhooks()
    account.refresh_from_db()
    assert account.webhooks == "failed"
    assert "not authorised" in account.webhooks_error
