"""The order document: valid, complete, and nothing lost without being said."""

from decimal import Decimal

import pytest
from lxml import etree

from orders.tests import bodies
from sandbox.shopify.orders import VARIANTS, make_order
from suppliers import rendering, routing
from suppliers.documents import hemi_1_0
from suppliers.models import Delivery, RoutingRule, SupplierOrder
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
