"""The order document: valid, complete, and nothing lost without being said."""

from decimal import Decimal

import pytest
from lxml import etree

from orders.models import Order
from orders.tests import bodies
from sandbox.shopify.orders import VARIANTS, make_order
from suppliers import rendering, routing
from suppliers.documents import hemi_1_0
from suppliers.models import Delivery, RoutingRule, SupplierOrder, SupplierOrderLine
from suppliers.services import parts

NS = {"o": hemi_1_0.NAMESPACE}


def document(part):
    return etree.fromstring(bytes(part.delivery.document))


def test_the_document_says_what_was_ordered(take, north):
    order = take()
    root = document(order.supplier_orders.get())
    assert root.findtext("o:Reference", namespaces=NS) == f"HM{order.pk:06d}-NORTH-1"
    assert root.findtext("o:PlacedAt", namespaces=NS) == "2026-11-20T09:00:00+00:00"
    assert root.findtext("o:ShipTo/o:City", namespaces=NS) == "Łódź"
    assert [q.text for q in root.findall("o:Lines/o:Line/o:Quantity", NS)] == ["2"]
    assert root.findtext("o:LinesTotal", namespaces=NS) == "31.00"


def test_discount_and_tax_are_shared_by_pieces(take, north):
    line = bodies.line(9, 1, "Northwind", "NW", 4, current_quantity=4, fulfillable_quantity=1)
    line.update(discount_allocations=[{"amount": "2.00"}], tax_lines=[{"price": "1.00"}])
    root = document(take(line_items=[line]).supplier_orders.get())
    assert root.findtext("o:Lines/o:Line/o:Discount", namespaces=NS) == "0.50"
    assert root.findtext("o:Lines/o:Line/o:Tax", namespaces=NS) == "0.25"
    assert Decimal(root.findtext("o:LinesTotal", namespaces=NS)) == Decimal("15.00")


def test_characters_that_xml_forbids_are_removed_and_reported(take, north):
    order = take(line_items=[bodies.line(9, 1, "Northwind", "NW", 1, title="bell\x07 and \uffff\x00\ud800 tape")])
    part = order.supplier_orders.get()
    assert document(part).findtext("o:Lines/o:Line/o:Title", namespaces=NS) == "bell and  tape"
    assert part.delivery.remarks == "4 characters that XML forbids removed from Title."


def test_the_suppliers_encoding_loses_nothing(take, north):
    north.encoding = "iso-8859-1"
    north.save()
    part = take().supplier_orders.get()
    raw = bytes(part.delivery.document)
    assert raw.startswith(b"<?xml version='1.0' encoding='iso-8859-1'?>")
    assert "Ł".encode() not in raw
    assert document(part).findtext("o:ShipTo/o:City", namespaces=NS) == "Łódź"


def test_a_bad_country_code_is_left_out_and_reported(take, north):
    part = take(shipping_address=bodies.address(country_code="pl")).supplier_orders.get()
    assert document(part).find("o:ShipTo/o:Country", NS).get("code") is None
    assert "not a country code" in part.delivery.remarks


def test_a_document_that_cannot_be_made_is_shown_and_tried_again(take, north):
    RoutingRule.objects.filter(supplier=north).update(supplier=north)
    north.name = "\x07"
    north.save()
    part = take().supplier_orders.get()
    assert part.status == SupplierOrder.Status.BLOCKED
    assert "cannot be made" in part.attention
    assert not Delivery.objects.exists()
    north.name = "Northwind"
    north.save()
    parts.make_document_again(supplier_order=part, by=None)
    rendering.render()
    part.refresh_from_db()
    assert (part.status, part.attention) == (SupplierOrder.Status.READY, "")


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_every_shape_of_order_makes_a_valid_document(take, north, encoding):
    RoutingRule.objects.create(priority=900, is_everything_else=True, supplier=north)
    north.encoding = encoding
    north.save()
    made = 0
    for number, variant in enumerate(VARIANTS, start=1):
        order = take(make_order(number, variant=variant))
        made += order.supplier_orders.filter(status="ready").count()
    schema = etree.XMLSchema(etree.parse(hemi_1_0.SCHEMAS / "hemi-order-1.0.xsd"))
    for part in SupplierOrder.objects.all():
        schema.assertValid(document(part))
    assert made == Delivery.objects.count() > len(VARIANTS) / 2
    assert routing.route() == 0


def _later(part, kind, **quantities):
    """Return a file that replaces `part`, with so many pieces of the lines by their SKU."""
    newer = SupplierOrder.objects.create(
        order=part.order,
        supplier=part.supplier,
        revision=2,
        kind=kind,
        replaces=part,
        reference=f"{part.reference[:-1]}2",
    )
    part.lines.update(is_live=False)
    for line in part.order.lines.filter(sku__in=quantities):
        SupplierOrderLine.objects.create(supplier_order=newer, order_line=line, quantity=quantities[line.sku])
    rendering.render()
    return document(SupplierOrder.objects.select_related("delivery").get(pk=newer.pk))


def test_a_change_says_of_each_line_what_became_of_it(take, north):
    lines = [bodies.line(9, number, "Northwind", sku, 3) for number, sku in enumerate(("A", "B", "C"), start=1)]
    part = take(line_items=lines).supplier_orders.get()
    part.lines.filter(order_line__sku="C").delete()
    root = _later(part, "change", B=2, C=3)
    assert (root.get("kind"), root.findtext("o:Replaces", namespaces=NS)) == ("change", part.reference)
    said = [
        (row.findtext("o:Sku", namespaces=NS), row.get("change"), row.findtext("o:Quantity", namespaces=NS))
        for row in root.iterfind("o:Lines/o:Line", NS)
    ]
    assert said == [("A", "cancelled", "0"), ("B", "changed", "2"), ("C", "added", "3")]


def test_a_cancellation_names_what_is_cancelled(take, north):
    part = take().supplier_orders.get()
    root = _later(part, "cancellation")
    assert (root.get("kind"), root.findtext("o:Replaces", namespaces=NS)) == ("cancellation", part.reference)
    assert [row.text for row in root.iterfind("o:Lines/o:Line/o:Quantity", NS)] == ["0"]


def test_a_document_is_not_stored_if_the_order_changed_while_it_was_made(take, north, monkeypatch):
    part = take().supplier_orders.get()
    Delivery.objects.all().delete()
    SupplierOrder.objects.update(status="waiting")
    made = []
    real = rendering.drafting.draft

    def meanwhile(content, supplier):
        if not made:
            Order.objects.update(note="Changed meanwhile")
        made.append(content.note)
        return real(content, supplier)

    monkeypatch.setattr(rendering.drafting, "draft", meanwhile)  # the only way to be between the two reads
    rendering.render()
    part.refresh_from_db()
    assert made == ["", "Changed meanwhile"]
    assert document(part).findtext("o:Note", namespaces=NS) == "Changed meanwhile"
