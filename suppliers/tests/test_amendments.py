"""What changes after a supplier has its file is noticed, sent on where that is agreed, or left to a person."""

import time
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from orders import services as order_services
from orders.models import Order, OrderLine
from orders.tests import bodies
from suppliers import amendments, due, outbox, rendering, revisions
from suppliers.models import Amendment, Delivery, Supplier, SupplierOrder
from suppliers.tests import factories
from suppliers.tests.changes import LATER, LATER_STILL, agree, changed, document, part_of


def test_a_changed_quantity_is_shown_and_nothing_is_sent_where_a_person_decides(take, sends, body):
    order = take(body)
    assert len(sends()) == 1
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body))
    assert len(sends()) == 1
    amendment = Amendment.objects.get()
    assert amendment.status == Amendment.Status.OPEN
    assert amendment.changes == [
        {"line": body["line_items"][0]["id"], "what": "NW-1 Article 1, quantity", "before": "2", "after": "1"}
    ]
    assert part_of(order, 1).attention.startswith("Changed after its file was sent: NW-1 Article 1, quantity: 2 → 1.")


def test_a_raised_quantity_is_a_change_and_what_the_supplier_ships_is_none(take, sends, body):
    take(body)
    sends()
    body["line_items"][1].update(fulfillable_quantity=0)
    take(changed(body))
    assert not Amendment.objects.exists()
    body["line_items"][0].update(quantity=5, current_quantity=5, fulfillable_quantity=5)
    take(changed(body, LATER_STILL))
    assert [(row["before"], row["after"]) for row in Amendment.objects.get().changes] == [("2", "5")]


def test_a_value_that_turns_empty_is_no_change(take, sends, body):
    body["note"] = "Ring twice"
    take(body)
    sends()
    take(changed(body, note=None, shipping_address=None, email=""))
    assert not Amendment.objects.exists()


def test_an_agreed_revision_goes_out_whole_and_takes_the_place_of_the_first(take, sends, server, north, body):
    agree(north, Supplier.Amendments.REVISION)
    order = take(body)
    sends()
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    body["line_items"].append(bodies.line(body["id"], 3, "Northwind", "NW-3", 4))
    take(changed(body))
    assert len(sends()) == 2
    first, second = part_of(order, 1), part_of(order, 2)
    assert (first.status, second.status, second.kind) == ("replaced", "sent", "revision")
    text = document(server, f"ORDER_{second.reference}.xml")
    assert all(word in text for word in (b"NW-1", b"NW-2", b"NW-3", first.reference.encode()))
    assert sorted(row.quantity for row in second.lines.filter(is_live=True)) == [1, 1, 4]
    assert not first.lines.filter(is_live=True).exists()
    assert set(order.lines.values_list("routing", flat=True)) == {OrderLine.Routing.ROUTED}
    amendment = Amendment.objects.get()
    assert (amendment.status, amendment.sent_as) == (Amendment.Status.SENT, second)
    order.refresh_from_db()
    assert order.attention == ""


@pytest.mark.parametrize("how", [Supplier.Amendments.REVISION, Supplier.Amendments.CHANGE])
def test_an_article_in_place_of_all_that_was_sent_is_asked_for(take, sends, server, north, body, how):
    agree(north, how)
    order = take(body)
    sends()
    for line in body["line_items"]:
        line.update(current_quantity=0, fulfillable_quantity=0)
    body["line_items"].append(bodies.line(body["id"], 3, "Northwind", "NW-3", 4))
    take(changed(body))
    assert len(sends()) == 2
    second = part_of(order, 2)
    assert (second.status, second.kind) == ("sent", how)
    assert b"<Sku>NW-3</Sku>" in document(server, f"ORDER_{second.reference}.xml")
    assert [row.order_line.sku for row in second.lines.filter(is_live=True)] == ["NW-3"]
    take(changed(body, LATER_STILL, note="Thanks"))
    assert order.supplier_orders.filter(kind="cancellation").count() == 0
    body["line_items"][-1].update(current_quantity=0, fulfillable_quantity=0)
    take(changed(body, "2026-11-20T14:00:00+01:00"))
    sends()
    assert order.supplier_orders.latest("revision").kind == "cancellation"


def test_an_order_cancelled_after_sending_is_cancelled_at_the_supplier(take, sends, server, north, body):
    agree(north, Supplier.Amendments.CHANGE)
    order = take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 2
    first, second = part_of(order, 1), part_of(order, 2)
    assert (first.status, second.status, second.kind) == ("cancelled", "sent", "cancellation")
    assert first.reference.encode() in document(server, f"ORDER_{second.reference}.xml")
    assert SupplierOrder.objects.exclude(attention="").count() == 0


def test_a_change_of_a_change_that_was_not_sent_makes_one_file_of_both(take, sends, server, north, body):
    agree(north, Supplier.Amendments.CHANGE)
    order = take(body)
    sends()
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body))
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body, LATER_STILL))
    names = sends()
    assert len(names) == 2
    current = SupplierOrder.objects.get(status="sent")
    text = document(server, f"ORDER_{current.reference}.xml")
    assert b"Elsewhere 2" in text
    assert Amendment.objects.get(sent_as=current).status == Amendment.Status.SENT
    assert not Amendment.objects.filter(status=Amendment.Status.OPEN).exists()
    assert part_of(order, 1).status == "replaced"


def test_an_order_that_is_again_as_it_was_sent_needs_nothing(take, sends, north, body):
    agree(north, Supplier.Amendments.CHANGE)
    order = take(body)
    sends()
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body))
    body["line_items"][0].update(current_quantity=2, fulfillable_quantity=2)
    take(changed(body, LATER_STILL))
    assert len(sends()) == 1
    first = part_of(order, 1)
    assert (first.status, first.attention) == ("sent", "")
    assert first.lines.filter(is_live=True).count() == 2
    assert Amendment.objects.get().status == Amendment.Status.UNDONE


def test_what_was_shipped_is_never_changed_by_itself(take, sends, north, body):
    agree(north, Supplier.Amendments.REVISION)
    order = take(body)
    sends()
    part = part_of(order, 1)
    part.lines.filter(order_line__sku="NW-1").update(shipped=1)
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body))
    assert len(sends()) == 1
    assert Amendment.objects.get().status == Amendment.Status.OPEN


def test_a_person_sends_or_settles_it_and_the_same_change_does_not_come_back(take, sends, north, body):
    order = take(body)
    sends()
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body))
    amendments.settle(Amendment.objects.get(), reason="Phoned them.", by=None)
    order_services.route_again(order=order, by=None)
    assert len(sends()) == 1
    assert part_of(order, 1).attention == ""
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body, LATER_STILL))
    newest = Amendment.objects.get(status=Amendment.Status.OPEN)
    assert amendments.why_not_sent(newest) == ""
    amendments.send(newest, kind=SupplierOrder.Kind.REVISION, reason="Agreed by phone.")
    assert len(sends()) == 2
    assert part_of(order, 1).status == "replaced"


def test_a_revision_waits_for_the_earlier_one(take, north, body):
    order = take(body)
    part = part_of(order, 1)
    Delivery.objects.filter(supplier_order=part).update(first_claimed_at=timezone.now(), step="renaming")
    part.order = order
    newer = revisions.revise(part, kind=SupplierOrder.Kind.REVISION, reason="Mended the mapping.")
    rendering.render()
    assert not due.free_to_go().filter(supplier_order=newer).exists()
    Delivery.objects.filter(supplier_order=part).update(status="sent", step="sent")
    assert due.free_to_go().filter(supplier_order=newer).exists()


def test_a_payment_undone_after_sending_is_told_to_a_person(take, sends, north, body):
    agree(north, Supplier.Amendments.REVISION)
    order = take(body)
    sends()
    take(changed(body, financial_status="refunded"))
    assert len(sends()) == 1
    assert Order.objects.get().state == Order.State.UNPAID
    assert "The payment was refunded" in part_of(order, 1).attention


@pytest.mark.django_db(transaction=True)
def test_an_order_changed_while_its_file_is_being_brought_goes_out_as_it_is_now(take, sends, server, north, body):
    take(body)
    type(north.endpoint).objects.update(connect_timeout=2, data_timeout=2)
    server.faults.add("SIZE", hang=True)
    bringing = Thread(target=_deliver, args=(north.endpoint_id,))
    bringing.start()
    _wait_for(lambda: any(entry.command == "SIZE" for entry in server.log))
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body))
    bringing.join()
    factories.let_time_pass()
    assert len(sends()) == 1
    assert b"Elsewhere 2" in document(server, sends()[0])
    assert not Amendment.objects.exists()


def _deliver(endpoint_id):
    try:
        outbox.deliver(endpoint_id)
    finally:
        connection.close()


def _wait_for(is_so):
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
