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


def allowed():
    """The topics for which the store's token has a scope."""
    return sorted(topic for topic in topics.TOPICS if not topic.startswith("FULFILLMENT_ORDERS_"))


def check_again():
    AccountShopify.objects.update(**tokens.due_webhooks())
    subscriptions.subscribe_webhooks()


def test_every_topic_at_the_accounts_own_address(shopify, due):
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert (due.webhooks, due.webhooks_error) == ("on", "")
    assert due.shopify_shop_id == shopify.state.shops["test"].id
    uri = f"https://hemi.test/shopify/webhooks/{due.uuid}/"
    assert subscribed(shopify) == [(topic, uri) for topic in allowed()]
    rows = {row.topic: row for row in due.subscriptions.all()}
    assert set(rows) == set(topics.TOPICS)
    kept = rows["ORDERS_EDITED"]
    assert (kept.uri, kept.api_version, kept.is_listed, kept.note) == (uri, "2026-10", True, "")
    assert kept.shopify_id in {f"gid://shopify/WebhookSubscription/{number}" for number in shopify.state.subscriptions}


def test_a_topic_whose_scope_is_not_granted_is_skipped_and_said(shopify, due):
    subscriptions.subscribe_webhooks()
    row = due.subscriptions.get(topic="FULFILLMENT_ORDERS_MOVED")
    assert not row.is_listed
    assert "read_merchant_managed_fulfillment_orders" in row.note
    assert not StaffAlert.objects.exists()


def test_without_the_scope_for_orders_staff_are_told(shopify, account):
    token = shopify.issue_token("client-1", "test", ["read_products"])
    AccountShopify.objects.update(access_token=token, **tokens.due_webhooks())
    subscriptions.subscribe_webhooks()
    account.refresh_from_db()
    assert account.webhooks == "failed"
    assert "read_orders" in account.webhooks_error
    assert {topic for topic, _ in subscribed(shopify)} == {
        "APP_UNINSTALLED", "APP_SCOPES_UPDATE", "BULK_OPERATIONS_FINISH"
    }  # fmt: skip


def test_what_shopify_deleted_is_made_again_and_staff_are_told_once(shopify, due):
    subscriptions.subscribe_webhooks()
    before = set(shopify.state.subscriptions)
    shopify.drop_subscriptions("test", "ORDERS_CREATE", "ORDERS_PAID")
    check_again()
    assert [topic for topic, _ in subscribed(shopify)] == allowed()
    assert len(set(shopify.state.subscriptions) & before) == len(allowed()) - 2
    alert = StaffAlert.objects.get()
    assert alert.kind == "subscriptions_gone"
    assert "orders_create, orders_paid" in alert.text and "subscribed them again" in alert.text
    assert "orders_create" in due.events.get(kind="webhooks_gone").text
    check_again()
    assert StaffAlert.objects.get().cleared_at


@pytest.mark.parametrize("kind", ["lost", "500"])
def test_what_had_gone_is_told_whole_though_the_first_try_breaks_off(shopify, due, kind):
    subscriptions.subscribe_webhooks()
    shopify.drop_subscriptions("test", "ORDERS_CREATE", "ORDERS_PAID")
    shopify.add_fault(kind, place="mutation")
    check_again()
    make_due(AccountShopify.objects, "webhooks_next_attempt_at")
    subscriptions.subscribe_webhooks()
    assert [topic for topic, _ in subscribed(shopify)] == allowed()
    due.refresh_from_db()
    assert due.webhooks == "on"
    alert = StaffAlert.objects.get(cleared_at=None)
    assert (alert.kind, alert.cleared_at) == ("subscriptions_gone", None) and "orders_create, orders_paid" in alert.text
    assert "orders_create, orders_paid" in due.events.get(kind="webhooks_gone").text


def test_a_second_subscription_of_a_topic_is_deleted(shopify, due):
    subscriptions.subscribe_webhooks()
    ours = f"https://hemi.test/shopify/webhooks/{due.uuid}/"
    whole = {row.id for row in shopify.state.subscriptions.values()}
    for _ in range(2):
        shopify.subscribe("test", "orders/create", ours, client_id="client-1").filter = "test:true"
    check_again()
    assert set(shopify.state.subscriptions) == whole


def test_what_differs_is_updated_in_place(shopify, due):
    subscriptions.subscribe_webhooks()
    rows = {row.topic: row for row in shopify.state.subscriptions.values()}
    rows["ORDERS_CREATE"].uri = "https://elsewhere.test/hook"
    rows["ORDERS_PAID"].filter = "test:true"
    rows["ORDERS_UPDATED"].include_fields = ["id"]
    check_again()
    assert [topic for topic, _ in subscribed(shopify)] == allowed()
    assert {row.id for row in shopify.state.subscriptions.values()} == {row.id for row in rows.values()}
    assert not any(row.filter or row.include_fields for row in rows.values())
    assert rows["ORDERS_CREATE"].uri.startswith("https://hemi.test/")
    assert not StaffAlert.objects.exists()


def test_a_new_base_url_takes_the_subscriptions_along(shopify, due, settings):
    subscriptions.subscribe_webhooks()
    before = set(shopify.state.subscriptions)
    settings.HEMI_BASE_URL = "https://moved.test"
    check_again()
    assert set(shopify.state.subscriptions) == before
    assert {uri.split("/shopify")[0] for _, uri in subscribed(shopify)} == {"https://moved.test"}


def test_what_is_ours_and_not_on_the_list_is_deleted_and_no_others(shopify, due):
    ours = f"https://hemi.test/shopify/webhooks/{due.uuid}/"
    foreign = shopify.subscribe("test", "products/update", ours, client_id="client-1")
    twice = shopify.subscribe("test", "orders/create", f"https://old.test/shopify/webhooks/{due.uuid}/", "", "client-1")
    others = shopify.subscribe("test", "products/update", "https://else.test/hook", client_id="client-1")
    subscriptions.subscribe_webhooks()
    left = shopify.state.subscriptions
    assert foreign.id not in left and others.id in left
    assert left[twice.id].uri == ours  # moved, not made a second time
    assert len(left) == len(allowed()) + 1


def test_another_api_version_is_shown(shopify, due):
    subscriptions.subscribe_webhooks()
    for row in shopify.state.subscriptions.values():
        row.api_version = "2026-07"
    check_again()
    row = due.subscriptions.get(topic="ORDERS_CREATE")
    assert row.api_version == "2026-07" and "asks for 2026-10" in row.note


def test_eight_failed_deliveries_are_mended_by_the_next_check(shopify, due, settings, live_server, monkeypatch):
    monkeypatch.setattr(shopify.webhooks, "_retry_delays", (0.01,) * 4)
    settings.HEMI_BASE_URL = live_server.url
    subscriptions.subscribe_webhooks()
    IntegrationCredentials.objects.update(client_secret="another")  # every webhook is refused
    for _ in range(2):
        shopify.place_order("test", financial_status="pending")
        assert shopify.wait_idle(15)
    assert "ORDERS_CREATE" not in {topic for topic, _ in subscribed(shopify)}
    check_again()
    assert [topic for topic, _ in subscribed(shopify)] == allowed()


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


@pytest.mark.parametrize(("kind", "count"), [("401", 1), ("access_denied", 30)])
def test_refusal_is_told_at_once(shopify, due, kind, count):
    AccountShopify.objects.update(shopify_shop_id=shopify.state.shops["test"].id)
    shopify.add_fault(kind, count=count)
    subscriptions.subscribe_webhooks()
    due.refresh_from_db()
    assert due.webhooks == "failed"
    assert due.webhooks_error
    assert StaffAlert.objects.filter(kind="subscriptions").exists()
    shopify.faults.clear()
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
