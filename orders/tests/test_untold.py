"""Shipments that a store was not told of: one mail for an account, one when it is over, tried again each hour."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import StaffAlert
from orders import untold
from orders.models import Shipment
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
def held(account, store, settings):
    """A shipment whose order is on hold in the store; the store's word that it was released never comes."""
    order, body = sold(connect(account, store, settings, shipping.SCOPES), store)
    store.fulfilment_orders.hold("test", order.shopify_id)
    shipment = ship(order, quantities(body))
    tell()
    assert state(shipment)[0] == "blocked"
    return shipment


def alerts():
    return list(StaffAlert.objects.filter(kind=untold.ALERT, cleared_at=None))


def test_staff_are_told_once_and_when_it_is_over(held):
    for _ in range(2):
        untold.tell()
    (alert,) = alerts()
    assert "was not told of 1 shipment" in alert.subject
    assert held.reference in alert.text and "is on hold in the store" in alert.text and alert.over
    Shipment.objects.update(status=Shipment.Status.TOLD, note="")
    untold.tell()
    assert alerts() == []


def test_it_is_tried_again_each_hour_without_an_all_clear_in_between(held, store):
    untold.tell()
    assert state(held)[0] == "blocked"  # not within the hour
    Shipment.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    untold.tell()
    assert state(held)[0] == "waiting"
    untold.tell()
    tell()
    untold.tell()
    assert state(held)[0] == "blocked" and len(alerts()) == 1
    assert StaffAlert.objects.filter(kind=untold.ALERT).count() == 1
    assert len(said(held.order, "not_told")) == 1
    store.fulfilment_orders.release("test", held.order.shopify_id)
    Shipment.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    untold.tell()
    tell()
    untold.tell()
    assert state(held) == ("told", "") and len(in_store(store, held.order)) == 1 and alerts() == []
