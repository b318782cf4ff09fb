"""From the supplier's reply to the store and back by webhook: what Hemi fulfilled is no change of the order."""

import pytest
from django.utils import timezone

from integrations.shopify import payloads
from orders import intake
from orders.models import Order, Shipment
from orders.tests import shipping
from orders.tests.connected import connect, later
from sandbox.shopify import ShopifySandbox
from sandbox.supplier_documents import Despatch, Verdict, reply_document
from suppliers import rendering, replies, routing
from suppliers.models import Delivery, RoutingRule, SupplierOrder, SupplierReply
from suppliers.tests import factories

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


def with_the_supplier(connected, store):
    """Bring an order of three pieces a line to a supplier, as if its file had been delivered."""
    supplier = factories.supplier(code="NORTH")
    RoutingRule.objects.create(priority=50, supplier=supplier)
    order, body = shipping.sold(connected, store, pieces=3)
    routing.route()
    rendering.render()
    part = SupplierOrder.objects.get()
    assert part.status == SupplierOrder.Status.READY, part.attention
    now = timezone.now()
    Delivery.objects.update(status=Delivery.Status.SENT, step=Delivery.Step.SENT, first_claimed_at=now, sent_at=now)
    SupplierOrder.objects.update(status=SupplierOrder.Status.SENT, sent_at=now)
    return order, body, part


def reply(part, name, lines):
    """Let the supplier say that pieces by the file's line number are on their way."""
    despatch = Despatch(name, "gls", (f"T-{name}",), (), lines)
    content = reply_document(part.reference, "", Verdict("shipped", despatch=despatch))
    number = SupplierReply.objects.count()
    SupplierReply.objects.create(
        endpoint=part.supplier.endpoint, file_name=f"{name}.xml", sha256=f"{number:064}", size=1, content=content
    )
    replies.apply_replies()
    shipping.tell()


def come_back(connected, store, order, minutes):
    """Take the order as the store's webhook brings it after a fulfilment."""
    body = store.state.shops["test"].orders[order.shopify_id] | {"updated_at": later(minutes=minutes)}
    intake.store(connected, payloads.from_resource(body))
    routing.route()
    rendering.render()


def test_shipments_of_a_part_end_in_the_store_and_change_nothing_at_the_supplier(connected, store):
    order, body, part = with_the_supplier(connected, store)
    first, second = body["line_items"]
    document = bytes(Delivery.objects.get().document)
    reply(part, "1", ((1, 2),))
    assert shipping.in_store(store, order) == [({first["id"]: 2}, ["T-1"])]
    come_back(connected, store, order, 1)
    part.refresh_from_db()
    assert part.attention == ""
    reply(part, "1", ((1, 2),))  # the same shipment told again
    reply(part, "2", ((1, 1), (2, 3)))
    assert shipping.in_store(store, order)[1:] == [({first["id"]: 1, second["id"]: 3}, ["T-2"])]
    come_back(connected, store, order, 2)
    part.refresh_from_db()
    assert (part.status, part.attention) == (SupplierOrder.Status.SHIPPED, "")
    assert SupplierOrder.objects.count() == Delivery.objects.count() == 1
    assert bytes(Delivery.objects.get().document) == document
    assert set(Shipment.objects.values_list("status", flat=True)) == {"told"}
    order = Order.objects.get()
    assert (order.state, order.attention, order.fulfillment_status) == (Order.State.NOTHING, "", "fulfilled")
