"""Hold, release, cancel: what a person asks for holds, or is refused with a sentence and changes nothing."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from orders.models import Order, OrderEvent, OrderLine
from orders.services import Refused
from suppliers import rendering, routing
from suppliers.admin import refusals
from suppliers.models import Delivery, Endpoint, SupplierOrder
from suppliers.services import deliveries, endpoints, ground, orders, parts, suppliers


def work():
    routing.route()
    rendering.render()


def renaming():
    Delivery.objects.update(step=Delivery.Step.RENAMING, claim_token="t", first_claimed_at=timezone.now())


def test_a_held_order_waits_and_goes_on_when_released(take, north):
    order = take()
    person = User.objects.create_user("ada")
    orders.hold(order=order, reason="credit check", by=person)
    work()
    assert Order.objects.get().state == Order.State.HELD
    assert Delivery.objects.get().is_held
    orders.release(order=order, reason="checked", by=person)
    work()
    assert not Delivery.objects.get().is_held
    assert [event.actor for event in order.events.filter(kind__in=["held", "released"])] == [person, person]


def test_release_needs_a_reason(take, north):
    order = take()
    orders.hold(order=order, reason="credit check", by=None)
    with pytest.raises(Refused, match="reason"):
        orders.release(order=order, reason=" ", by=None)
    assert Order.objects.get().held_at
    orders.release(order=order, reason="paid", by=None)
    assert order.events.get(kind="released").text == "Released from hold: paid"


def test_a_part_released_while_its_order_waits_stays_here(take, north):
    part = take().supplier_orders.get()
    parts.hold(supplier_order=part, reason="wait", by=None)
    Order.objects.update(state=Order.State.FILTERED)
    parts.release(supplier_order=part, reason="came", by=None)
    assert Delivery.objects.get().is_held


def test_hold_needs_a_reason_and_an_order_that_is_not_held(take, north):
    order = take()
    with pytest.raises(Refused, match="reason"):
        orders.hold(order=order, reason="  ", by=None)
    assert Order.objects.get().held_at is None
    orders.hold(order=order, reason="x", by=None)
    with pytest.raises(Refused, match="already"):
        orders.hold(order=order, reason="y", by=None)
    assert Order.objects.get().hold_reason == "x"


def test_a_part_is_held_alone(take, north, sued):
    order = take()
    part = order.supplier_orders.get(supplier=north)
    parts.hold(supplier_order=part, reason="wait", by=None)
    assert set(Delivery.objects.filter(is_held=True)) == {part.delivery}
    orders.hold(order=order, reason="all", by=None)
    orders.release(order=order, reason="checked", by=None)
    work()
    assert set(Delivery.objects.filter(is_held=True)) == {part.delivery}
    parts.release(supplier_order=part, reason="came", by=None)
    assert not Delivery.objects.filter(is_held=True).exists()


@pytest.mark.parametrize("ask", [parts.hold, parts.cancel])
def test_past_the_point_of_no_return_a_part_is_not_stopped(take, north, ask):
    part = take().supplier_orders.get()
    renaming()
    with pytest.raises(Refused, match="being handed over; whether it can still be stopped shows in a moment"):
        ask(supplier_order=part, reason="too late", by=None)
    assert refusals.hold(part) == refusals.cancel(part) == ground.too_late(part)
    part.refresh_from_db()
    delivery = Delivery.objects.get()
    assert (part.status, part.held_at, delivery.is_held, delivery.status) == ("ready", None, False, "due")


@pytest.mark.parametrize(
    ("delivery", "status", "told"),
    [
        ({"step": "renaming"}, "ready", "whether it can still be stopped shows in a moment"),
        ({"step": "signalling"}, "ready", "with the supplier already"),
        ({"step": "sent", "status": "sent"}, "sent", "with the supplier already"),
        ({"step": "renaming", "status": "uncertain"}, "ready", "settle the delivery first"),
    ],
)
def test_what_cannot_be_stopped_is_told_as_it_is(take, north, sued, delivery, status, told):
    order = take()
    part = order.supplier_orders.get(supplier=north)
    Delivery.objects.filter(supplier_order=part).update(**delivery)
    SupplierOrder.objects.filter(pk=part.pk).update(status=status)
    part.refresh_from_db()
    assert told in refusals.hold(part)
    with pytest.raises(Refused, match=told):
        parts.hold(supplier_order=part, reason="wait", by=None)
    orders.hold(order=order, reason="wait", by=None)
    texts = list(order.events.filter(kind="too_late").values_list("text", flat=True))
    assert [told in text for text in texts] == ([] if status == "sent" else [True])


def test_a_cancelled_part_frees_its_lines_for_another_supplier(take, north, sued):
    order = take()
    part = order.supplier_orders.get(supplier=north)
    parts.cancel(supplier_order=part, reason="out of stock", by=None)
    work()
    line = order.lines.get(sku="NW-1001")
    assert line.routing == OrderLine.Routing.WITHDRAWN
    assert order.supplier_orders.exclude(status="cancelled").count() == 1
    orders.send_to_supplier(order=order, lines=[line], supplier=sued, by=None)
    work()
    assert b"NW-1001" in bytes(order.supplier_orders.get(supplier=sued).delivery.document)


def test_a_cancelled_order_takes_its_files_back(take, north, sued):
    order = take()
    orders.cancel(order=order, reason="fraud", by=None)
    work()
    assert set(order.supplier_orders.values_list("status", flat=True)) == {"cancelled"}
    assert Order.objects.get().state_reason == "Cancelled by staff: fraud"


def test_a_dead_letter_is_tried_again_from_its_step(take, north):
    take()
    Delivery.objects.update(status="dead", attempts=12, step="renaming")
    deliveries.retry_now(delivery=Delivery.objects.get(), reason="Mended", by=None)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.step) == ("due", 0, "renaming")
    assert OrderEvent.objects.get(kind="retry").text.endswith("to be tried again now: Mended")


def test_a_sent_file_is_not_tried_again(take, north):
    take()
    Delivery.objects.update(status="sent")
    with pytest.raises(Refused):
        deliveries.retry_now(delivery=Delivery.objects.get(), reason="Mended", by=None)
    assert Delivery.objects.get().status == "sent"


@pytest.mark.parametrize(("was_sent", "status", "part"), [(True, "sent", "sent"), (False, "due", "ready")])
def test_an_uncertain_file_is_settled_by_a_person(take, north, was_sent, status, part):
    take()
    Delivery.objects.update(status="uncertain")
    deliveries.settle_uncertain(delivery=Delivery.objects.get(), was_sent=was_sent, reason="phoned", by=None)
    assert Delivery.objects.get().status == status
    assert SupplierOrder.objects.get().status == part
    with pytest.raises(Refused):
        deliveries.settle_uncertain(delivery=Delivery.objects.get(), was_sent=True, reason="again", by=None)


def test_pause_and_resume_a_supplier(north):
    suppliers.pause(supplier=north, reason="holidays", by=None)
    with pytest.raises(Refused):
        suppliers.pause(supplier=north, reason="again", by=None)
    suppliers.resume(supplier=north, by=None)
    with pytest.raises(Refused):
        suppliers.resume(supplier=north, by=None)


def test_a_rejected_part_is_cancelled_and_its_lines_sent_elsewhere(take, north, sued):
    order = take()
    part = order.supplier_orders.get(supplier=north)
    Delivery.objects.filter(supplier_order=part).update(status="sent", step="sent")
    SupplierOrder.objects.filter(pk=part.pk).update(status="rejected", attention="Northwind rejected it.")
    parts.cancel(supplier_order=part, reason="rejected by the supplier", by=None)
    orders.send_to_supplier(order=order, lines=[order.lines.get(sku="NW-1001")], supplier=sued, by=None)
    work()
    assert Delivery.objects.get(supplier_order=part).status == "sent"
    assert any(
        b"NW-1001" in bytes(delivery.document) for delivery in Delivery.objects.filter(supplier_order__supplier=sued)
    )


def test_attention_is_dealt_with_by_a_word_that_the_timeline_keeps(take, north):
    part = take().supplier_orders.get()
    with pytest.raises(Refused):
        parts.deal_with(supplier_order=part, reason="nothing there", by=None)
    SupplierOrder.objects.update(attention="The order changed after its file went.")
    parts.deal_with(supplier_order=part, reason="phoned them", by=None)
    assert SupplierOrder.objects.get().attention == ""
    assert "phoned them" in part.order.events.get(kind="dealt_with").text


def _stop_endpoint(supplier):
    Endpoint.objects.filter(pk=supplier.endpoint_id).update(stopped_at=timezone.now())


def _pause(supplier):
    suppliers.pause(supplier=supplier, reason="holidays", by=None)


def _to_test(supplier):
    suppliers.back_to_test(supplier=supplier, by=None)


@pytest.mark.parametrize(
    ("keep", "why"), [(_stop_endpoint, "endpoint is stopped"), (_pause, "is paused"), (_to_test, "is in test mode")]
)
def test_retry_now_is_refused_where_nothing_would_happen(take, north, keep, why):
    take()
    Delivery.objects.update(status="dead", attempts=12)
    keep(north)
    with pytest.raises(Refused, match=why):
        deliveries.retry_now(delivery=Delivery.objects.get(), reason="Mended", by=None)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("dead", 12)
    assert why in refusals.retry(delivery)


def test_each_change_of_a_supplier_or_endpoint_is_one_log_line_with_ids_only(north, caplog):
    person = User.objects.create_user("ada@example.com")
    _stop_endpoint(north)
    with caplog.at_level("INFO", "suppliers"):
        suppliers.pause(supplier=north, reason="holidays", by=person)
        suppliers.resume(supplier=north, by=person)
        suppliers.back_to_test(supplier=north, by=person)
        suppliers.go_live(supplier=north, by=person)
        endpoints.restart(endpoint=north.endpoint, by=person)
    said = [record.getMessage() for record in caplog.records]
    supplier = ["supplier.paused", "supplier.resumed", "supplier.back_to_test", "supplier.went_live"]
    assert said == [*supplier, "endpoint.restarted"]
    assert {(record.endpoint_id, record.by) for record in caplog.records} == {(north.endpoint_id, person.pk)}
    assert {record.supplier_id for record in caplog.records[:4]} == {north.pk}
    assert "ada" not in str([vars(record) for record in caplog.records])
