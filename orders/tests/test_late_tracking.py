"""Tracking that comes after its shipment: the store gets it, at the same fulfilment."""

import pytest
from django.db import transaction

from integrations.models import AccountShopify
from orders import services, settlement, shipments
from orders.models import Fulfilment
from orders.tests import shipping
from orders.tests.connected import connect
from orders.tests.shipping import in_store, quantities, said, ship, sold, state, tell
from sandbox.shopify import ShopifySandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "hush", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings, shipping.SCOPES)


def track(shipment, *numbers, urls=()):
    """Have the supplier tell the numbers of a known shipment."""
    with transaction.atomic():
        settlement.locked(shipment.order_id)
        shipment.refresh_from_db()
        return shipments.add_tracking(shipment, "DHL Express", numbers, urls)


def test_the_store_gets_it_at_the_same_fulfilment(connected, store):
    AccountShopify.objects.update(send_shipping_confirmation=True)
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body), numbers=[], carrier="")
    tell()
    assert in_store(store, order) == [(quantities(body), [])]
    assert track(shipment, "JJ1", urls=["https://t.example/JJ1"])
    assert state(shipment)[0] == "waiting"
    tell()
    assert state(shipment) == ("told", "")
    assert in_store(store, order) == [(quantities(body), ["JJ1"])]
    made = store.state.shops["test"].orders[order.shopify_id]["fulfillments"][0]
    assert (made["tracking_company"], made["tracking_urls"]) == ("DHL Express", ["https://t.example/JJ1"])
    assert len(store.state.shops["test"].confirmations) == 2  # without a link, then with it
    assert not track(shipment, "JJ1") and not track(shipment, "JJ2") and not track(shipment)
    assert state(shipment)[0] == "told" and len(said(order, "tracked")) == 1


def test_before_the_store_is_told_it_goes_along(connected, store):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body), numbers=[])
    assert track(shipment, "JJ1")
    tell()
    assert in_store(store, order) == [(quantities(body), ["JJ1"])]
    assert not Fulfilment.objects.filter(is_tracking_due=True).exists()


def test_an_answer_that_is_lost_is_looked_for_and_mails_nobody_twice(connected, store):
    AccountShopify.objects.update(send_shipping_confirmation=True)
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body), numbers=[])
    tell()
    track(shipment, "JJ1")
    store.add_fault("lost", 1, operation="fulfillmentTrackingInfoUpdate")
    tell()
    assert state(shipment)[0] == "waiting"
    tell()
    assert state(shipment) == ("told", "")
    assert in_store(store, order) == [(quantities(body), ["JJ1"])]
    assert len(store.state.shops["test"].confirmations) == 2


def test_where_the_fulfilment_is_not_known_a_person_adds_it(connected, store):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body), numbers=[])
    tell()
    Fulfilment.objects.update(shopify_id=None)
    track(shipment, "JJ1")
    tell()
    status, note = state(shipment)
    assert status == "blocked" and "Add it in the store (JJ1), then choose Settle." in note
    services.settle_shipment(shipment=shipment, was_told=True, reason="Added by hand", by=None)
    tell()
    assert state(shipment)[0] == "told" and in_store(store, order) == [(quantities(body), [])]
