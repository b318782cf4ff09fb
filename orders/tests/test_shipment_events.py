"""What the store says by webhook about fulfilments, and what a shipment makes of it."""

import json

import pytest

from integrations import inbox
from integrations.models import IntegrationCredentials, WebhookEvent
from integrations.tests.webhooks import post
from orders import settlement
from orders.models import Order
from orders.tests import shipping
from orders.tests.connected import connect, later
from orders.tests.shipping import in_store, quantities, ship, sold, state, tell
from sandbox.shopify import ShopifySandbox
from sandbox.shopify.fulfilment_orders import first_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(account, integration):
    account.integration = integration
    account.save()
    IntegrationCredentials.objects.update(client_secret="hush")
    return account


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "hush", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings, shipping.SCOPES)


def come(client, account, topic, body):
    number = f"w-{WebhookEvent.objects.count()}"
    assert post(client, account, json.dumps(body).encode(), Topic=topic, Webhook_Id=number).status_code == 200
    inbox.process_events()
    event = WebhookEvent.objects.get(webhook_id=number)
    assert event.status == "done", event.note or event.last_error


def newest(store, order, minutes=1):
    """Return the order as the store has it; changed there some minutes later, for seconds are all that it tells."""
    return store.state.shops["test"].orders[order.shopify_id] | {"updated_at": later(minutes=minutes)}


@pytest.mark.parametrize("topic", ["hold_released", "moved", "order_routing_complete"])
def test_what_changes_at_a_fulfilment_order_lets_a_shipment_go_on(client, connected, store, topic):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body))
    store.fulfilment_orders.hold("test", order.shopify_id)
    tell()
    assert state(shipment)[0] == "blocked"
    store.fulfilment_orders.release("test", order.shopify_id)
    row = {"id": f"gid://shopify/FulfillmentOrder/{first_id(body)}", "status": "open"}
    come(client, connected, f"fulfillment_orders/{topic}", {"fulfillment_order": row, "moved_fulfillment_order": row})
    assert state(shipment)[0] == "waiting"
    tell()
    assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1


def test_staff_who_fulfil_what_was_blocked_close_the_shipment(client, connected, store):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body))
    store.fulfilment_orders.hold("test", order.shopify_id)
    tell()
    store.fulfilment_orders.release("test", order.shopify_id)
    store.fulfilment.by_hand("test", order.shopify_id)
    come(client, connected, "orders/updated", newest(store, order))
    tell()
    assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1


def test_a_granted_scope_lets_a_shipment_go_on(client, connected, store, settings):
    connect(connected, store, settings, ["read_orders"])
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body))
    tell()
    assert state(shipment)[0] == "blocked"
    connect(connected, store, settings, shipping.SCOPES)
    come(client, connected, "app/scopes_update", {"id": 1, "previous": [], "current": shipping.SCOPES})
    tell()
    assert state(shipment)[0] == "told"


def test_what_hemi_told_comes_back_as_fulfilled_and_changes_nothing_else(client, connected, store):
    order, body = sold(connected, store, pieces=3)
    first = body["line_items"][0]
    ship(order, {first["id"]: 1})
    tell()
    come(client, connected, "orders/updated", newest(store, order))
    order = Order.objects.get()
    assert order.fulfillment_status == "partial"
    assert sorted(order.lines.values_list("sendable", flat=True)) == [2, 3]
    assert order.state == Order.State.READY and not order.attention
    with_everything = quantities(body, 2, 3)
    ship(order, with_everything, "D-2")
    tell()
    come(client, connected, "orders/updated", newest(store, order, minutes=2))
    order = Order.objects.get()
    assert (order.fulfillment_status, order.state) == ("fulfilled", Order.State.NOTHING)
    assert settlement.locked(order.pk).lines.filter(sendable__gt=0).count() == 0
