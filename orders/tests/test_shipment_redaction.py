"""A customer who is forgotten is forgotten in shipments, too."""

import pytest
from django.utils import timezone

from integrations.subjects import Subject
from orders import intake, redaction, services
from orders.models import Order, Shipment
from orders.tests import bodies, shipping

pytestmark = pytest.mark.django_db
NAME, EMAIL = "Wilhelmine Quästenberg", "quasten@example.net"


@pytest.fixture
def order(account):
    place = bodies.address(name=NAME)
    body = bodies.order(id=1, email=EMAIL, shipping_address=place, billing_address=place)
    return intake.store(account, intake.payloads.from_resource(body))


def forget(order):
    subject = Subject(order.account, timezone.now(), 7, (order.shopify_id,))
    redaction.redact(subject, redaction.know(subject))


def test_addresses_and_words_go_and_the_pieces_stay(order):
    shipment = shipping.ship(order, {11: 2}, numbers=["JJD1"], urls=[f"https://t.example/JJD1?mail={EMAIL}"])
    Shipment.objects.update(status=Shipment.Status.BLOCKED)
    services.settle_shipment(shipment=shipment, was_told=True, reason=f"{NAME} has it.", by=None)
    subject = Subject(order.account, timezone.now(), 7, (order.shopify_id,))
    assert redaction.holdings(subject, redaction.know(subject))["orders"][0]["shipments"][0]["numbers"] == ["JJD1"]
    forget(order)
    shipment.refresh_from_db()
    assert (shipment.urls, shipment.numbers, shipment.quantities) == ([], ["JJD1"], {"11": 2})
    texts = [shipment.note, *shipment.fulfilments.values_list("note", flat=True)]
    texts += Order.objects.get().events.values_list("text", flat=True)
    assert not [text for text in texts if "Quästenberg" in text or EMAIL in text]
    later = shipping.ship(Order.objects.get(), {11: 1}, "D-2", urls=[f"https://t.example/?mail={EMAIL}"])
    assert later.urls == []


@pytest.mark.parametrize("token", ["a-token", ""])
def test_a_shipment_that_the_store_can_be_told_of_holds_a_removal_up(order, token):
    shipping.ship(order, {11: 2})
    order.account.access_token = token
    subject = Subject(order.account, timezone.now(), 7, (order.shopify_id,))
    waits = [text for text in redaction.unsettled(subject) if "a shipment that the store does not know of yet" in text]
    assert bool(waits) == bool(token)
