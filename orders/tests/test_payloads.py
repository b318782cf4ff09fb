"""Orders as stores really send them, read into snapshots."""

import dataclasses
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.shopify import payloads
from orders.tests import bodies
from sandbox.shopify import orders as sandbox_orders

SAMPLES = (
    Path(os.environ.get("HEMI_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "orders"
)


def parse(**changes):
    return payloads.parse_order(bodies.encode(bodies.order(**changes)))


@pytest.mark.skipif(not SAMPLES.exists(), reason="reference data is not here")
@pytest.mark.parametrize(("year", "lines", "total"), [("2025", 3, "359.97"), ("2017", 2, "57.98")])
def test_official_samples_are_read(year, lines, total):
    snapshot = payloads.parse_order((SAMPLES / f"official_sample_{year}.json").read_bytes())
    assert snapshot.shopify_id == 820982911946154508
    assert (snapshot.is_test, snapshot.number, len(snapshot.lines)) == (True, "#9999", lines)
    assert snapshot.cancelled_at is not None
    assert snapshot.total == Decimal(total)
    assert {line.vendor for line in snapshot.lines} == {""}


@pytest.mark.parametrize(
    ("given", "number"), [("5198", "5198"), ("#BURWEB2537", "#BURWEB2537"), ("->1003", "->1003"), (None, "1234")]
)
def test_numbers_are_kept_as_the_store_writes_them(given, number):
    assert parse(name=given, order_number=1234).number == number


def test_nulls_become_empty_texts():
    line = bodies.line(5, 1, None, None, 1, product_id=None, title=None, name="Named only")
    snapshot = parse(
        customer=None, email="", phone=None, shipping_address=None, billing_address=None, note=None, line_items=[line]
    )
    assert (snapshot.email, snapshot.customer_name, snapshot.shipping_address) == ("", "", None)
    assert (snapshot.lines[0].sku, snapshot.lines[0].vendor, snapshot.lines[0].product_id) == ("", "", None)
    assert snapshot.lines[0].title == "Named only"


def test_order_mail_is_found_where_the_store_put_it():
    assert parse(email="", contact_email=None, customer={"email": "c@example.com"}).email == "c@example.com"
    assert parse(email="o@example.com", customer={"email": None}).email == "o@example.com"


def test_discount_is_read_from_allocations():
    allocated = [{"amount": "3.00", "discount_application_index": 0}, {"amount": "0.25"}]
    line = bodies.line(5, 1, "V", "S", 1, total_discount="0.00", discount_allocations=allocated)
    old = bodies.line(5, 2, "V", "S", 1, total_discount="5.00")
    assert [line.discount for line in parse(line_items=[line, old]).lines] == [Decimal("3.25"), Decimal("5.00")]


def test_removed_and_fulfilled_pieces_are_not_sendable():
    edited = bodies.line(5, 1, "V", "S", 5, current_quantity=3, fulfillable_quantity=3)
    partly = bodies.line(5, 2, "V", "S", 5, fulfillable_quantity=2)
    old = bodies.line(5, 3, "V", "S", 4)
    del old["current_quantity"], old["fulfillable_quantity"]
    lines = parse(line_items=[edited, partly, old]).lines
    assert [(line.quantity, line.current, line.sendable) for line in lines] == [(5, 3, 3), (5, 5, 2), (4, 4, 4)]


def test_what_databases_cannot_hold_is_replaced():
    body = bodies.encode(bodies.order(note="a\x00b")).replace(b'"Standard"', b'"S\\ud800x"')
    snapshot = payloads.parse_order(body)
    assert snapshot.note == "a\ufffeb"
    assert snapshot.shipping_methods[0]["title"] == "S\ufffex"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "abc"},
        {"id": 2**63},
        {"id": -5},
        {"id": True},
        {"currency": None},
        {"currency": "euro"},
        {"created_at": None, "updated_at": None},
        {"created_at": "yesterday"},
        {"updated_at": "2026-11-20T10:00:00"},
        {"total_price": "NaN"},
        {"total_price": "1e99"},
        {"line_items": [{"id": 1, "quantity": 1, "tax_lines": [{"price": "9" * 16}] * 2}]},
        {"line_items": "none"},
        {"line_items": [{"id": 1, "quantity": -1}]},
        {"line_items": [{"id": 1, "quantity": 1, "title": {"a": 1}}]},
        {"customer": "Ola"},
        {"shipping_address": ["x"]},
        {"shipping_lines": [None]},
    ],
)
def test_unreadable_orders_are_refused_with_a_reason(changes):
    with pytest.raises(payloads.PayloadError, match=r".{10,}"):
        parse(**changes)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": "Anna Kern"}, "id"),
        ({"created_at": "Anna Kern"}, "created_at"),
        ({"total_price": "Anna Kern"}, "total_price"),
        ({"line_items": [{"id": 1, "quantity": "Anna Kern"}]}, "quantity"),
        ({"line_items": [{"id": 1, "quantity": 1, "price": "Anna Kern"}]}, "price"),
        ({"note": {"Anna": "Kern"}}, "text"),
        ({"customer": "Anna Kern"}, "kind"),
    ],
)
def test_the_reason_names_the_field_and_never_what_stood_in_it(changes, named):
    with pytest.raises(payloads.PayloadError, match=named) as caught:
        parse(**changes)
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"nul", b"\xff\xfe", b"[" * 100_000, b'{"id": 1e999}'])
def test_hostile_bodies_are_refused(body):
    with pytest.raises(payloads.PayloadError):
        payloads.parse_order(body)


def test_equal_orders_hash_alike_whatever_their_keys_order():
    body = bodies.order()
    again = dict(reversed(body.items()))
    one, two = (payloads.parse_order(json.dumps(each).encode()) for each in (body, again))
    assert one.content_hash == two.content_hash
    assert dataclasses.replace(one, note="x").content_hash != one.content_hash


@pytest.mark.parametrize("variant", sandbox_orders.VARIANTS)
def test_every_shape_of_the_sandbox_is_read(variant):
    order = sandbox_orders.make_order(1001, variant=variant)
    snapshot = payloads.parse_order(json.dumps(order).encode())
    assert snapshot.shopify_id == order["id"]
    assert len(snapshot.lines) == len(order["line_items"])


@pytest.mark.parametrize(
    ("of_order", "of_line", "sendable"),
    [(None, "fulfilled", 0), ("fulfilled", None, 0), ("partial", None, 2), (None, "partial", 2), (None, None, 2)],
)
def test_a_fulfilled_line_that_counts_nothing_has_nothing_to_send(of_order, of_line, sendable):
    line = bodies.line(1, 1, "V", "S", 2, fulfillment_status=of_line, fulfillable_quantity=None)
    order = payloads.from_resource(bodies.order(fulfillment_status=of_order, line_items=[line]))
    assert order.lines[0].sendable == sendable


def test_two_lines_of_one_id_are_refused():
    with pytest.raises(payloads.PayloadError, match="two lines have the id 101"):
        parse(line_items=[bodies.line(1, 1, "V", "S", 2), bodies.line(1, 1, "V", "T", 1)])
