"""What a supplier's file asks for and costs, worked out once more from the store's order with exact fractions."""

import csv
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from lxml import etree

from orders.tests import bodies
from sandbox.shopify.orders import make_order
from sandbox.shopify.variants import AMOUNTS, STATES
from suppliers.documents import hemi_1_0
from suppliers.models import RoutingRule, Supplier
from suppliers.tests import shapes, test_ubl

HEMI = {"o": hemi_1_0.NAMESPACE}
FORMS = ("hemi-1.0", "ubl-2.1", "csv")
ROUNDED = Fraction(1, 20_000)  # half of the fourth decimal


def line(number, quantity, price, **values):
    return bodies.line(77, number, "Northwind", f"NW-{number}", quantity, price=price, **values)


def off(*amounts):
    return [{"amount": amount, "discount_application_index": 0} for amount in amounts]


def taxed(*amounts):
    return [{"price": amount, "rate": 0.2, "title": "VAT"} for amount in amounts]


def left(current, fulfillable=None):
    return {"current_quantity": current, "fulfillable_quantity": current if fulfillable is None else fulfillable}


THIRDS = line(1, 3, "9.99", discount_allocations=off("10.00"), tax_lines=taxed("3.33"), **left(1))
ORDERS = {
    "tax within": {"line_items": [line(1, 2, "121.00", tax_lines=taxed("42.00"))]},
    "tax on top": {"taxes_included": False, "line_items": [line(1, 2, "100.00", tax_lines=taxed("10.00", "32.00"))]},
    "discount of line and order": {"line_items": [line(1, 3, "9.99", discount_allocations=off("1.00", "2.37"))]},
    "allocations say more than total_discount": {
        "line_items": [line(1, 1, "50.00", total_discount="0.00", discount_allocations=off("7.77"))]
    },
    "an old payload's discount": {"line_items": [line(1, 1, "50.00", total_discount="7.77")]},
    "all of it off": {"line_items": [line(1, 2, "10.00", discount_allocations=off("20.00"), tax_lines=taxed("0.00"))]},
    "a third left, tax within": {"line_items": [THIRDS, line(2, 7, "0.01", tax_lines=taxed("0.01"), **left(5, 3))]},
    "a third left, tax on top": {"taxes_included": False, "line_items": [THIRDS]},
    "a removed line": {"line_items": [line(1, 2, "5.00"), line(2, 1, "7.00", **left(0))]},
    "shipped in part": {"line_items": [line(1, 4, "5.00", discount_allocations=off("1.00"), **left(4, 1))]},
    "refunded in part": {
        "financial_status": "partially_refunded",
        "line_items": [line(1, 5, "19.90", tax_lines=taxed("16.58"), **left(3))],
        "refunds": [{"refund_line_items": [{"line_item_id": 7701, "quantity": 2, "subtotal": 39.8}]}],
    },
    "yen": {"currency": "JPY", "line_items": [line(1, 3, "1200", discount_allocations=off("100"))]},
    "dinar": {"currency": "KWD", "line_items": [line(1, 3, "1.255", tax_lines=taxed("0.188"))]},
    "another currency shown": {
        "currency": "EUR",
        "presentment_currency": "USD",
        "line_items": [
            line(
                1,
                1,
                "100.00",
                price_set={
                    "shop_money": {"amount": "100.00", "currency_code": "EUR"},
                    "presentment_money": {"amount": "118.00", "currency_code": "USD"},
                },
            )
        ],
    },
    "duties, gift card and tip": {
        "line_items": [
            line(1, 1, "30.00", duties=[{"price_set": {"shop_money": {"amount": "4.00", "currency_code": "EUR"}}}]),
            line(2, 1, "25.00", gift_card=True, requires_shipping=False),
            line(3, 1, "3.00", product_id=None, requires_shipping=False, title="Tip"),
        ]
    },
    "free": {"line_items": [line(1, 1, "0.00")]},
    "a bundle's parts": {
        "line_items": [
            line(1, 2, "20.00", sales_line_item_group_id=1, discount_allocations=off("4.44")),
            line(2, 4, "2.50", sales_line_item_group_id=1, discount_allocations=off("0.56")),
        ]
    },
    "a great deal": {"line_items": [line(1, 10_000_000, "999999.99"), line(2, 1, "99999999999.99")]},
}
PAID = {"financial_status": "paid", "cancelled_at": None, "test": False, "created_at": "2026-11-20T10:00:00+01:00"}
SAMPLES = {
    file.stem: {**json.loads(file.read_text()), **PAID}
    for file in sorted((shapes.DATA / "orders").glob("official_sample_*.json"))
}
VARIANTS = (*AMOUNTS, *STATES, "gift_card", "shape_2017", "lines_500")
SANDBOX = {name: make_order(number, variant=name) for number, name in enumerate(VARIANTS, start=1)}
BODIES = {name: bodies.order(**values) for name, values in ORDERS.items()} | SAMPLES | SANDBOX


def expected(body):
    """What the file is to ask for, by line id: (pieces, price of one, discount, tax)."""
    said = {}
    for item in body["line_items"]:
        current = item.get("current_quantity")
        pieces = min(item["fulfillable_quantity"], item["quantity"] if current is None else current)
        if pieces and item.get("requires_shipping") is not False:
            share = Fraction(pieces, item["quantity"])
            allocated = [Fraction(row["amount"]) for row in item.get("discount_allocations") or []]
            discount = sum(allocated) if allocated else Fraction(item.get("total_discount") or 0)
            tax = sum(Fraction(row["price"]) for row in item.get("tax_lines") or [])
            said[str(item["id"])] = (pieces, Fraction(item["price"]), discount * share, tax * share)
    return said


def hemi(document, body):
    root = etree.fromstring(document)
    assert {str(code) for code in root.xpath("//@currency")} == {body["currency"]}
    rows = root.findall("o:Lines/o:Line", HEMI)
    said = {
        row.findtext("o:LineId", namespaces=HEMI): [
            row.findtext(f"o:{name}", namespaces=HEMI) for name in ("Quantity", "UnitPrice", "Discount", "Tax")
        ]
        for row in rows
    }
    paid = sum(Decimal(price) * Decimal(pieces) - Decimal(less) for pieces, price, less, _ in said.values())
    assert Decimal(root.findtext("o:LinesTotal", namespaces=HEMI)) == paid
    assert {row.find("o:Tax", HEMI).get("included") == "true" for row in rows} == {bool(body["taxes_included"])}
    return said


def table(document, body):
    rows = list(csv.DictReader(document.decode().splitlines(), delimiter=";"))
    assert {row["currency"] for row in rows} == {body["currency"]}
    return {row["line_id"]: [row[name] for name in ("quantity", "unit_price", "discount", "tax")] for row in rows}


def check_ubl(document, body, lines):
    root = etree.fromstring(document)
    test_ubl._check_sums(root)
    found = {}
    for item in root.findall("cac:OrderLine/cac:LineItem", test_ubl.NS):
        (key,) = item.xpath(
            "cac:Item/cac:AdditionalItemProperty[cbc:Name='Line id']/cbc:Value/text()", namespaces=test_ubl.NS
        )
        found[str(key)] = item
    assert set(found) == set(lines)
    for key, (pieces, price, discount, tax) in lines.items():
        item = found[key]
        assert int(item.findtext("cbc:Quantity", namespaces=test_ubl.NS)) == pieces
        assert abs(Fraction(test_ubl._amount(item, "cbc:TotalTaxAmount")) - tax) <= ROUNDED
        net = pieces * price - discount - (tax if body["taxes_included"] else 0)
        assert abs(Fraction(test_ubl._amount(item, "cbc:LineExtensionAmount")) - net) <= 2 * ROUNDED
    gross = sum(p * price - less + (0 if body["taxes_included"] else tax) for p, price, less, tax in lines.values())
    payable = test_ubl._amount(root, "cac:AnticipatedMonetaryTotal/cbc:PayableAmount")
    assert abs(Fraction(payable) - gross) <= 2 * ROUNDED * len(lines)


@pytest.mark.parametrize("name", BODIES)
def test_the_amounts_are_those_of_the_store(take, north, name):
    body = BODIES[name]
    RoutingRule.objects.create(priority=900, is_everything_else=True, supplier=north)
    lines = expected(body)
    for number, form in enumerate(FORMS):
        Supplier.objects.update(format=form)
        order = take({**body, "id": body["id"] + number})
        parts = list(order.supplier_orders.all())
        if order.is_test or order.state != "ready" or not lines:
            assert parts == []
            continue
        (part,) = parts
        document = bytes(part.delivery.document)
        if form == "ubl-2.1":
            check_ubl(document, body, lines)
            continue
        said = hemi(document, body) if form == "hemi-1.0" else table(document, body)
        assert set(said) == set(lines)
        for key, (pieces, price, discount, tax) in lines.items():
            quantity, *amounts = map(Fraction, said[key])
            assert (quantity, amounts[0]) == (pieces, price)
            assert abs(amounts[1] - discount) <= ROUNDED and abs(amounts[2] - tax) <= ROUNDED
