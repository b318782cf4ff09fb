"""Changes after sending that meet something else: another change, a person, a reply, a resend, a run at work."""

import csv
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from integrations.shopify import payloads
from orders import intake
from orders.models import Order
from orders.services import Refused
from orders.tests import bodies
from suppliers import rendering, routing
from suppliers.models import Amendment, Delivery, DeliveryContent, Mapping, Supplier, SupplierOrder
from suppliers.services import amendments, deliveries
from suppliers.services import orders as order_services
from suppliers.services import parts as part_services
from suppliers.services import replies as reply_services
from suppliers.tests import factories, test_replies
from suppliers.tests.changes import LATER, LATER_STILL, agree, changed, document, part_of

Change = Supplier.Amendments.CHANGE
AS_AN_ORDER = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
 xmlns:h="urn:hemi:order:1.0" exclude-result-prefixes="h"><xsl:template match="/h:Order">
 <Job id="{h:Reference}"><xsl:for-each select="h:Lines/h:Line"><Item n="{h:Quantity}"/></xsl:for-each></Job>
 </xsl:template></xsl:stylesheet>"""
BY_KIND = AS_AN_ORDER.replace('<Job id="{h:Reference}">', '<Job id="{h:Reference}" for="{h:Replaces}" as="{@kind}">')


def own_format(supplier, xslt):
    supplier.format = Supplier.Format.OWN
    supplier.save(update_fields=["format"])
    return Mapping.objects.create(supplier=supplier, version=1, xslt=xslt, is_live=True)


@pytest.mark.parametrize("cancelled", [True, False])
def test_an_own_mapping_that_writes_it_like_a_new_order_sends_nothing(take, sends, north, body, cancelled):
    agree(north, Change)
    own_format(north, AS_AN_ORDER)
    order = take(body)
    assert len(sends()) == 1
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body, cancelled_at=LATER if cancelled else None))
    assert len(sends()) == 1
    later = part_of(order, 2)
    assert later.status == "blocked"
    assert "@kind" in later.attention
    assert part_of(order, 1).status == "sent"


def test_an_own_mapping_that_heeds_the_kind_goes_out(take, sends, server, north, body):
    agree(north, Change)
    own_format(north, BY_KIND)
    order = take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 2
    text = document(server, f"ORDER_{part_of(order, 2).reference}.xml")
    assert b'as="cancellation"' in text and part_of(order, 1).reference.encode() in text


@pytest.mark.parametrize("form", ["hemi-1.0", "csv"])
def test_a_cancellation_asks_for_no_piece(take, sends, server, north, body, form):
    agree(north, Change)
    Supplier.objects.filter(pk=north.pk).update(format=form)
    order = take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 2
    second = part_of(order, 2)
    text = document(server, second.delivery.final_name).decode()
    if form == "csv":
        rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
        said = {(row["kind"], row["change"], row["quantity"]) for row in rows}
        assert said == {("cancellation", "cancelled", "0")}
    else:
        assert 'kind="cancellation"' in text
        assert text.count('change="cancelled"') == text.count("<Quantity>0<") == 2


def hand_over(part, **values):
    Delivery.objects.filter(supplier_order=part).update(step="renaming", temporary_name="x.part", **values)


def test_what_was_told_while_the_file_was_handed_over_is_still_told_after(take, sends, server, north, body):
    order = take(body)
    part = part_of(order, 1)
    (server.orders_folder / part.delivery.final_name).write_bytes(part.delivery.document)
    hand_over(part)
    take(changed(body, cancelled_at=LATER))
    assert part_of(order, 1).attention.startswith("Changed after its file was sent: cancelled.")
    assert len(sends()) == 1
    assert part_of(order, 1).status == "sent"
    assert part_of(order, 1).attention.startswith("Changed after its file was sent: cancelled.")


def test_a_cancelled_order_whose_rename_did_not_happen_is_not_sent(take, sends, server, north, body):
    order = take(body)
    part = part_of(order, 1)
    server.orders_folder.mkdir(exist_ok=True)
    hand_over(part)
    (server.orders_folder / "x.part").write_bytes(part.delivery.document)
    take(changed(body, cancelled_at=LATER))
    assert sends() == []
    assert part_of(order, 1).status == "cancelled"
    assert not Amendment.objects.filter(status=Amendment.Status.OPEN).exists()


def test_an_uncertain_file_of_a_cancelled_order_that_did_not_arrive_is_cancelled(take, sends, north, body):
    order = take(body)
    part = part_of(order, 1)
    hand_over(part, status="uncertain")
    take(changed(body, cancelled_at=LATER))
    deliveries.settle_uncertain(delivery=part.delivery, was_sent=False, reason="Asked them.", by=None)
    assert sends() == []
    assert part_of(order, 1).status == "cancelled"
    assert not Amendment.objects.filter(status=Amendment.Status.OPEN).exists()


def test_a_late_line_goes_into_one_revision_only(take, sends, north, body):
    order = take(body)
    sends()
    body["line_items"].append(bodies.line(body["id"], 3, "Northwind", "NW-3", 4))
    take(changed(body))
    amendments.settle(amendment=Amendment.objects.get(), reason="A further file.", by=None)
    order_services.send_to_supplier(order=order, lines=order.lines.filter(sku="NW-3"), supplier=north, by=None)
    assert len(sends()) == 2
    agree(north, Change)
    body["line_items"].append(bodies.line(body["id"], 4, "Northwind", "NW-4", 1))
    take(changed(body, LATER_STILL))
    assert len(sends()) == 3
    assert SupplierOrder.objects.filter(lines__order_line__sku="NW-4", lines__is_live=True).count() == 1


def test_a_line_that_its_supplier_rejected_is_no_business_of_it(take, sends, north, sued, body):
    agree(north, Change)
    order = take(body)
    sends()
    part = part_of(order, 1)
    SupplierOrder.objects.filter(pk=part.pk).update(status="accepted")
    part.lines.filter(order_line__sku="NW-1").update(reply_status="rejected", confirmed=0)
    order_services.send_to_supplier(order=order, lines=order.lines.filter(sku="NW-1"), supplier=sued, by=None)
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body))
    sends()
    assert not part.amendments.exists()
    body["line_items"][1].update(current_quantity=0, fulfillable_quantity=0)
    take(changed(body, LATER_STILL))
    assert part.amendments.get().is_cancellation


def test_a_newer_file_that_a_person_takes_back_is_not_made_again(take, sends, north, body):
    agree(north, Change)
    order = take(body)
    sends()
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body))
    part_services.cancel(supplier_order=part_of(order, 2), reason="They were called.", by=None)
    assert len(sends()) == 1
    assert part_of(order, 1).status == "sent"
    assert part_of(order, 1).attention.startswith("Changed after its file was sent: ")
    assert Amendment.objects.get().status == Amendment.Status.OPEN
    take(changed(body, LATER_STILL, cancelled_at=LATER_STILL))
    assert len(sends()) == 1 or part_of(order, 3).kind == "cancellation"


def test_the_file_of_a_cancelled_order_is_not_sent_again(take, sends, north, body):
    order = take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    part = part_of(order, 1)
    with pytest.raises(Refused, match="ancel"):
        deliveries.send_again(delivery=part.delivery, reason="They lost it.", by=None)
    with pytest.raises(Refused, match="ancel"):
        deliveries.send_correction(delivery=part.delivery, reason="They lost it.", by=None)
    assert part_of(order, 1).delivery.resends == 0


def test_a_file_to_be_sent_again_stays_when_the_order_is_cancelled_before(take, sends, server, north, body):
    agree(north, Change)
    order = take(body)
    (name,) = sends()
    (server.orders_folder / name).unlink()
    deliveries.send_again(delivery=part_of(order, 1).delivery, reason="They lost it.", by=None)
    take(changed(body, cancelled_at=LATER))
    assert sends() == [f"ORDER_{part_of(order, 2).reference}.xml"]
    assert part_of(order, 1).status == "cancelled"


def test_all_lines_refunded_is_a_cancellation_and_money_only_is_for_a_person(take, sends, north, body):
    agree(north, Change)
    order = take(body)
    sends()
    for line in body["line_items"]:
        line.update(current_quantity=0, fulfillable_quantity=0)
    take(changed(body, financial_status="refunded"))
    assert len(sends()) == 2
    assert part_of(order, 2).kind == "cancellation"
    assert part_of(order, 1).status == "cancelled"


def test_an_order_cancelled_after_its_person_was_removed_is_cancelled_at_the_supplier(take, sends, north, body):
    agree(north, Change)
    order = take(body)
    sends()
    Order.objects.update(redacted_at=LATER)
    DeliveryContent.objects.all().delete()
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 2
    assert part_of(order, 2).kind == "cancellation"


def test_a_file_from_before_contents_were_kept_is_a_persons_to_compare(take, sends, north, body):
    agree(north, Change)
    order = take(body)
    sends()
    DeliveryContent.objects.all().delete()
    Supplier.objects.filter(pk=north.pk).update(format=Supplier.Format.UBL)
    take(changed(body, tags="late"))
    assert len(sends()) == 1
    take(changed(body, LATER_STILL, cancelled_at=LATER_STILL))
    assert len(sends()) == 2
    assert part_of(order, 2).kind == "cancellation"


def test_a_revision_of_an_order_that_does_not_go_out_is_refused(take, sends, north, body):
    order = take(body)
    sends()
    take(changed(body, financial_status="refunded"))
    with pytest.raises(Refused, match="refunded"):
        amendments.send_revision(amendment=Amendment.objects.get(), reason="x", by=None)
    assert order.supplier_orders.count() == 1


def test_goods_that_are_shipped_before_the_newer_file_went_leave_it_to_a_person(take, sends, server, north, body):
    agree(north, Change)
    order = take(body)
    sends()
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body))
    Delivery.objects.filter(supplier_order=part_of(order, 2)).update(next_attempt_at="2030-01-01T00:00:00Z")
    says(north, part_of(order, 1), "shipped")
    factories.let_time_pass()
    assert len(sends()) == 1
    assert part_of(order, 1).status == "shipped"
    assert part_of(order, 2).status == "cancelled"
    assert "Changed after its file was sent" in part_of(order, 1).attention
    assert sum(order.shipments.get().quantities.values()) == 3


def says(supplier, part, state):
    reply = test_replies.receive(supplier.endpoint, test_replies.document(part.reference, state))
    test_replies.apply(reply)
    return reply


def test_goods_shipped_under_a_replaced_reference_wait_to_be_matched(take, sends, north, body):
    agree(north, Change)
    order = take(body)
    sends()
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take(changed(body))
    assert len(sends()) == 2
    reply = says(north, part_of(order, 1), "shipped")
    assert reply.status == "unmatched"
    reply_services.match_reply(reply=reply, name=part_of(order, 2).reference, by=None)
    assert part_of(order, 2).status == "shipped"
    assert order.shipments.count() == 1


def test_lists_say_loudly_what_is_cancelled_and_alive(take, sends, north, body, admin_client):
    take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    for name in ("orders_order", "suppliers_supplierorder"):
        assert "Alive at Northwind" in admin_client.get(reverse(f"admin:{name}_changelist")).content.decode()
    part_services.deal_with(supplier_order=SupplierOrder.objects.get(), reason="Called them.", by=None)
    assert Amendment.objects.get().status == Amendment.Status.SETTLED
    for name in ("orders_order", "suppliers_supplierorder"):
        assert "Alive at Northwind" not in admin_client.get(reverse(f"admin:{name}_changelist")).content.decode()


def test_a_cancellation_that_waits_is_as_loud(take, sends, north, body, admin_client):
    agree(north, Change)
    order = take(body)
    sends()
    Supplier.objects.update(paused_at=timezone.now())
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 1
    lists = [reverse(f"admin:{name}_changelist") for name in ("orders_order", "suppliers_supplierorder")]
    assert ["Alive at Northwind" in admin_client.get(url).content.decode() for url in lists] == [True, True]
    Supplier.objects.update(paused_at=None)
    factories.let_time_pass()
    assert len(sends()) == 2
    assert part_of(order, 1).status == "cancelled"
    assert ["Alive at Northwind" in admin_client.get(url).content.decode() for url in lists] == [False, False]


@pytest.mark.django_db(transaction=True)
def test_two_routers_and_two_renderers_make_one_newer_file(take, sends, north, body):
    agree(north, Change)
    order = take(body)
    assert len(sends()) == 1
    intake.store(order.account, payloads.parse_order(bodies.encode(changed(body, cancelled_at=LATER))))
    at_once = Barrier(4)
    runs = [Thread(target=_run, args=(at_once, job)) for job in (routing.route, rendering.render) * 2]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(sends()) == 2
    assert [part.kind for part in order.supplier_orders.order_by("pk")] == ["order", "cancellation"]
    assert Amendment.objects.count() == 1


def _run(at_once, job):
    try:
        at_once.wait()
        job()
    finally:
        connection.close()
