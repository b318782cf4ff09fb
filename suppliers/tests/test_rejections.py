"""Lines that a supplier rejects: seen on the order, freed by a person, kept as history."""

import pytest

from orders.services import Refused
from suppliers import replies, routing, statements
from suppliers.models import Amendment, Delivery, RoutingRule, SupplierOrder, SupplierOrderLine
from suppliers.services import amendments, orders, parts
from suppliers.tests.changes import changed
from suppliers.tests.test_replies import document, receive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def part(take, north, sued):
    """Northwind's part of a routed order, with its file at the supplier."""
    order = take()
    part = order.supplier_orders.get(supplier=north)
    sent = {"status": Delivery.Status.SENT, "first_claimed_at": order.placed_at}
    Delivery.objects.filter(supplier_order=part).update(**sent)
    SupplierOrder.objects.filter(pk=part.pk).update(status=SupplierOrder.Status.SENT)
    part.refresh_from_db()
    return part


def reject(part, reason="Sold out"):
    content = document(part.reference, "rejected", f"<Reason>{reason}</Reason>")
    receive(part.supplier.endpoint, content)
    replies.apply_replies()
    routing.route()
    part.refresh_from_db()
    part.order.refresh_from_db()


def live(part):
    return list(SupplierOrderLine.objects.filter(supplier_order=part, is_live=True))


def test_a_rejection_is_seen_on_the_order(part):
    reject(part)
    assert part.status == "rejected"
    assert part.order.attention == f"Northwind rejects {len(live(part))} line: route again or send elsewhere."
    assert all(line.reply_status == "rejected" and line.confirmed == 0 for line in live(part))


def test_dealt_with_takes_it_off_the_order_too(part):
    reject(part)
    parts.deal_with(supplier_order=part, reason="Refunded", by=None)
    routing.route()
    part.order.refresh_from_db()
    assert part.order.attention == ""
    assert live(part)


def test_route_again_gives_them_to_whom_the_rules_name_now(part, sued):
    reject(part)
    lines = {line.order_line_id for line in live(part)}
    RoutingRule.objects.filter(supplier=part.supplier).update(supplier=sued)
    SupplierOrder.objects.filter(supplier=sued).exclude(pk=part.pk).update(status="ready")
    orders.route_again(order=part.order, by=None)
    routing.route()
    part.refresh_from_db()
    part.order.refresh_from_db()
    taken = SupplierOrderLine.objects.filter(is_live=True, supplier_order__supplier=sued)
    assert lines <= set(taken.values_list("order_line_id", flat=True))
    assert (part.status, part.attention, part.order.attention) == ("rejected", "", "")
    assert {line.order_line_id for line in part.lines.all()} == lines
    assert not live(part)


def test_route_again_never_gives_them_to_the_same_supplier_by_itself(part):
    reject(part)
    orders.route_again(order=part.order, by=None)
    routing.route()
    part.order.refresh_from_db()
    assert not live(part)
    assert part.order.supplier_orders.filter(supplier=part.supplier).count() == 1
    assert "no supplier yet" in part.order.attention


def test_send_to_supplier_takes_a_rejected_line(part, sued):
    reject(part)
    line = live(part)[0].order_line
    orders.send_to_supplier(order=part.order, lines=[line], supplier=sued, by=None)
    assert [row.supplier_order.supplier for row in line.allocations.filter(is_live=True)] == [sued]
    assert part.order.events.filter(kind="lines_taken_back").count() == 1


def test_a_line_that_is_not_rejected_stays_with_its_supplier(part, sued):
    line = live(part)[0].order_line
    with pytest.raises(Refused, match="None of these lines is free"):
        orders.send_to_supplier(order=part.order, lines=[line], supplier=sued, by=None)
    orders.route_again(order=part.order, by=None)
    routing.route()
    assert [row.supplier_order for row in line.allocations.filter(is_live=True)] == [part]


def test_what_is_shipped_after_it_was_taken_back_is_shown_and_not_told_to_the_store(part, sued):
    reject(part)
    line = live(part)[0]
    orders.send_to_supplier(order=part.order, lines=[line.order_line], supplier=sued, by=None)
    row = receive(part.supplier.endpoint, document(part.reference, "shipped"), file_name="LATE.xml")
    replies.apply_replies()
    part.refresh_from_db()
    row.refresh_from_db()
    assert row.status == "applied"
    assert "taken back" in part.attention
    assert not part.order.shipments.exists()
    assert statements.spoken(row.statements.get()).status == "shipped"


def test_missing_pieces_of_a_line_are_seen_on_the_order_until_dealt_with(part):
    assert live(part)[0].quantity == 2
    inner = '<Lines><Line number="1"><Status>accepted</Status><Quantity>1</Quantity></Line></Lines>'
    content = document(part.reference, "accepted").replace(b"</Reply>", f"{inner}</Reply>".encode())
    receive(part.supplier.endpoint, content)
    replies.apply_replies()
    routing.route()
    part.order.refresh_from_db()
    assert part.order.attention == "Northwind accepts only some pieces of 1 line: order the others elsewhere."
    orders.route_again(order=part.order, by=None)
    routing.route()
    part.refresh_from_db()
    assert live(part) and "Order the missing ones elsewhere" in part.attention
    parts.deal_with(supplier_order=part, reason="Refunded", by=None)
    routing.route()
    part.order.refresh_from_db()
    assert part.order.attention == ""


def test_a_change_of_the_order_that_is_settled_leaves_the_rejection_to_be_seen(take, sends, body):
    order = take(body)
    sends()
    part = order.supplier_orders.get()
    inner = '<Lines><Line number="1"><Status>rejected</Status></Line></Lines>'
    content = document(part.reference, "accepted").replace(b"</Reply>", f"{inner}</Reply>".encode())
    receive(part.supplier.endpoint, content)
    replies.apply_replies()
    part.refresh_from_db()
    rejection = part.attention
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body))
    part.refresh_from_db()
    assert part.attention.startswith("Changed after its file was sent") and rejection in part.attention
    amendments.settle(amendment=Amendment.objects.get(), reason="Told by phone", by=None)
    routing.route()
    part.refresh_from_db()
    order.refresh_from_db()
    assert part.attention == rejection
    assert "rejects 1 line" in order.attention
