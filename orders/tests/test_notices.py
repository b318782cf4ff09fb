"""Webhooks that name an order without saying what it is now have it read again."""

import json

import pytest

from integrations import inbox
from integrations.models import IntegrationCredentials, WebhookEvent
from integrations.tests.webhooks import post
from orders import intake, reread
from orders.models import Order
from orders.tests.connected import SCOPES, connect
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
    return connect(account, store, settings, [*SCOPES, "read_merchant_managed_fulfillment_orders"])


def send(client, account, topic, body):
    number = f"w-{WebhookEvent.objects.count()}"
    assert post(client, account, json.dumps(body).encode(), Topic=topic, Webhook_Id=number).status_code == 200
    inbox.process_events()
    return WebhookEvent.objects.get(webhook_id=number)


def sold(connected, store):
    body = store.place_order("test", announce=False)
    intake.store(connected, intake.payloads.from_resource(body))
    Order.objects.update(needs_routing=False)
    return body


def change(store, body):
    later = {**body, "note": "two more", "updated_at": "2027-01-01T00:00:00Z"}
    store.state.shops["test"].orders[body["id"]] = later


def test_an_edited_order_is_read_again(client, connected, store):
    body = sold(connected, store)
    change(store, body)
    event = send(client, connected, "orders/edited", {"order_edit": {"id": 1, "order_id": body["id"]}})
    assert (event.status, event.note) == ("done", "The order is read again.")
    reread.reread()
    order = Order.objects.get()
    assert (order.note, order.needs_reread, order.needs_routing) == ("two more", False, True)


TOPICS = {
    "fulfillment_orders/order_routing_complete": ["fulfillment_order"],
    "fulfillment_orders/moved": ["original_fulfillment_order", "moved_fulfillment_order"],
    "fulfillment_orders/placed_on_hold": ["fulfillment_order"],
    "fulfillment_orders/hold_released": ["fulfillment_order"],
    "fulfillment_orders/cancelled": ["fulfillment_order", "replacement_fulfillment_order"],
}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_order_of_a_fulfilment_order_is_read_again(client, connected, store, topic):
    body = sold(connected, store)
    change(store, body)
    row = {"id": f"gid://shopify/FulfillmentOrder/{first_id(body)}", "status": "open"}
    event = send(client, connected, topic, dict.fromkeys(TOPICS[topic], row))
    assert event.note == "The order is read again."
    reread.reread()
    assert Order.objects.get().note == "two more"


def test_a_fulfilment_order_that_the_store_does_not_know_is_noted(client, connected, store):
    sold(connected, store)
    row = {"id": "gid://shopify/FulfillmentOrder/1"}
    event = send(client, connected, "fulfillment_orders/moved", {"original_fulfillment_order": row})
    assert event.status == "done" and "does not know it" in event.note
    assert not Order.objects.get().needs_reread


def test_an_order_that_hemi_does_not_have_is_noted(client, connected):
    event = send(client, connected, "orders/edited", {"order_edit": {"order_id": 4711}})
    assert event.status == "done" and "does not have the order" in event.note
    assert not Order.objects.exists()


def test_without_a_token_nothing_is_asked(client, account, store, settings):
    event = send(client, account, "orders/edited", {"order_edit": {"order_id": 4711}})
    assert event.status == "done" and "not connected" in event.note


@pytest.mark.parametrize("body", [{}, {"order_edit": 1}, {"order_edit": {}}, {"order_edit": {"order_id": "x"}}, []])
def test_what_is_no_edit_is_refused(client, connected, store, body):
    sold(connected, store)
    event = send(client, connected, "orders/edited", body)
    assert event.status == "failed" and event.note
    assert not Order.objects.get().needs_reread
