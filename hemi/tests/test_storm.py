"""Webhooks that are lost, doubled and shuffled: every order ends complete, and in its newest state."""

import json
from datetime import UTC, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations import inbox
from integrations.models import AccountShopify, WebhookEvent
from integrations.shopify import payloads
from orders import completeness, reconciliation, reread
from orders.models import CompletenessDay, Order, OrderEvent
from sandbox.shopify import Behaviour, ShopifySandbox

ORDERS = 1000
TOPICS = ("orders/create", "orders/updated", "orders/cancelled")
SCOPES = ["read_orders", "read_products", "read_customers"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(account, live_server, settings):
    """A store whose webhooks come through a storm, to the real address of the account."""
    with ShopifySandbox(behaviour=Behaviour(retry_delays=(0.2, 0.5, 1.0, 2.0, 4.0, 8.0))) as sandbox:
        settings.SHOPIFY_SHOP_URL = sandbox.shop_url_template
        sandbox.add_app("client-1", "hush", [])
        sandbox.add_shop("test")
        sandbox.buckets.resize("client-1", "test", 20_000, 20_000)
        token = sandbox.issue_token("client-1", "test", SCOPES)
        before = timezone.now() - timedelta(minutes=5)
        AccountShopify.objects.update(access_token=token, orders_from=before, reconciled_until=before)
        for topic in TOPICS:
            sandbox.subscribe(
                "test", topic, f"{live_server.url}/shopify/webhooks/{account.uuid}/", client_id="client-1"
            )
        sandbox.set_weather(dropped=0.3, doubled=0.2, late_seconds=1.0, seed=3)
        yield sandbox


def trade(store):
    """Place the orders, each with a few changes; in every tenth all of them fall into one second."""
    for number in range(ORDERS):
        start = timezone.now() - timedelta(minutes=2)
        moments = [start + timedelta(seconds=step if number % 10 else 0) for step in range(4)]
        stamps = [moment.isoformat(timespec="seconds") for moment in moments]
        is_late = number % 3 == 0
        order = store.place_order(
            "test", created_at=stamps[0], updated_at=stamps[0], financial_status="pending" if is_late else "paid"
        )["id"]
        store.update_order("test", order, note=f"first {number}", updated_at=stamps[1])
        if number % 7 == 0:
            cancelled = {"cancelled_at": stamps[2], "cancel_reason": "customer"}
            store.update_order("test", order, ("orders/cancelled",), updated_at=stamps[2], **cancelled)
        paid = {"financial_status": "paid"} if is_late else {}
        store.update_order("test", order, note=f"last {number}", updated_at=stamps[3], **paid)


def settle():
    """Do what the workers do until nothing is left to do."""
    AccountShopify.objects.update(reconcile_next_at=timezone.now())
    while WebhookEvent.objects.filter(status="new").exists():
        inbox.process_events()
    reconciliation.reconcile()
    while Order.objects.filter(needs_reread=True).exists():
        Order.objects.filter(needs_reread=True).update(next_attempt_at=timezone.now())
        reread.reread()


def test_a_storm_of_webhooks_leaves_nothing_out(store, client):
    trade(store)
    assert store.wait_idle(120)
    came = len({row.webhook_id for row in store.deliveries if row.status == "delivered"})
    sent = len({row.webhook_id for row in store.deliveries})
    assert 0.65 < came / sent < 0.75
    assert {row.status for row in store.deliveries} == {"delivered", "dropped"}
    assert WebhookEvent.objects.count() == came
    settle()
    truth = store.state.shops["test"].orders
    assert Order.objects.count() == len(truth) == ORDERS
    for order in Order.objects.prefetch_related("lines"):
        newest = payloads.parse_order(json.dumps(truth[order.shopify_id]).encode())
        assert (order.content_hash, order.note) == (newest.content_hash, newest.note)
        assert bool(order.cancelled_at) == bool(newest.cancelled_at)
        assert order.lines.count() == len(newest.lines)
    assert OrderEvent.objects.filter(kind="received").count() == ORDERS
    completeness.compare_days()
    day = CompletenessDay.objects.get(day=timezone.now().astimezone(UTC).date())
    assert (day.in_store, day.stored, day.missing) == (ORDERS, ORDERS, [])
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get(f"/admin/integrations/accountshopify/{day.account_id}/change/").content.decode()
    assert "100 %" in page and "missing orders" not in page
