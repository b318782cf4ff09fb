"""A part holds as many pieces as its file asks for, whenever the order was changed before it went."""

import csv

import pytest

from integrations.shopify import payloads
from orders import intake
from orders.tests import bodies
from suppliers import outbox, rendering, routing
from suppliers.models import Amendment, Delivery, Supplier
from suppliers.services import amendments, deliveries
from suppliers.tests import test_amendment_chains
from suppliers.tests.changes import LATER, agree, changed, document, part_of


def store(account, body):
    return intake.store(account, payloads.parse_order(bodies.encode(body)))


def edit(body, count, line=0, **values):
    """Leave so many pieces of a line."""
    body["line_items"][line].update(current_quantity=count, fulfillable_quantity=count)
    return changed(body, **values)


def held(part):
    return [line.quantity for line in part.lines.filter(is_live=True)]


@pytest.mark.parametrize(("count", "expected"), [(1, [1, 1]), (0, [1])])
def test_an_order_edited_between_routing_and_its_document(account, sends, north, body, count, expected):
    order = store(account, body)
    routing.route()
    store(account, edit(body, count))
    rendering.render()
    assert len(sends()) == 1
    part = part_of(order, 1)
    assert held(part) == expected
    test_amendment_chains.says(north, part, "shipped")
    part.refresh_from_db()
    assert part.status == "shipped"
    assert sum(order.shipments.get().quantities.values()) == sum(expected)


def test_an_order_edited_while_a_correction_waits(take, sends, north, body):
    order = take(body)
    sends()
    deliveries.send_correction(delivery=Delivery.objects.get(), reason="agreed", by=None)
    rendering.render()
    take(edit(body, 1))
    assert len(sends()) == 2
    part = part_of(order, 2)
    assert held(part) == [1, 1]
    test_amendment_chains.says(north, part, "shipped")
    part.refresh_from_db()
    assert (part.status, order.shipments.get().quantities) == ("shipped", {"45000000001": 1, "45000000002": 1})


@pytest.fixture
def shared(body, north, sued):
    """An order that two suppliers share, so that it goes on when one of them has nothing to make any more."""
    body["line_items"] = [bodies.line(45, 1, "Northwind", "NW-1", 2), bodies.line(45, 2, "Südhaus", "S-1", 1)]
    return body


@pytest.mark.parametrize("form", ["csv", "ubl-2.1", "hemi-1.0"])
def test_a_correction_of_which_nothing_is_left_becomes_a_cancellation(take, sends, server, north, shared, form):
    agree(north, Supplier.Amendments.CHANGE)
    Supplier.objects.update(format=form)
    order = take(shared)
    sends()
    first = Delivery.objects.get(supplier_order__supplier=north)
    deliveries.send_correction(delivery=first, reason="agreed", by=None)
    rendering.render()
    take(edit(shared, 0))
    assert len(sends()) == 2
    mine = order.supplier_orders.filter(supplier=north).order_by("revision")
    assert [(part.kind, part.status) for part in mine] == [
        ("order", "cancelled"),
        ("revision", "cancelled"),
        ("cancellation", "sent"),
    ]


@pytest.mark.parametrize("form", ["csv", "ubl-2.1"])
def test_a_file_without_a_line_is_not_made(account, sends, server, north, shared, form):
    Supplier.objects.update(format=form)
    order = store(account, shared)
    routing.route()
    store(account, edit(shared, 0))
    rendering.render()
    outbox.deliver(north.endpoint_id)
    assert sends() == []
    assert order.supplier_orders.get(supplier=north).status == "cancelled"


@pytest.mark.parametrize("form", ["csv", "hemi-1.0"])
def test_a_part_whose_lines_nobody_knows_can_be_cancelled_at_its_supplier(take, sends, server, north, body, form):
    """So is one that only the journal knew after a restore."""
    Supplier.objects.update(format=form)
    order = take(body)
    sends()
    part_of(order, 1).lines.all().delete()
    take(changed(body, cancelled_at=LATER))
    amendments.send_change(amendment=Amendment.objects.get(), reason="told so", by=None)
    assert len(sends()) == 2
    text = document(server, part_of(order, 2).delivery.final_name).decode()
    if form == "csv":
        (row,) = csv.DictReader(text.splitlines(), delimiter=";")
        said = {name: row[name] for name in ("kind", "replaces", "quantity", "line", "sku", "unit_price")}
        named = {"kind": "cancellation", "replaces": part_of(order, 1).reference, "quantity": "0"}
        assert said == {**named, "line": "", "sku": "", "unit_price": ""}
    else:
        assert 'kind="cancellation"' in text and "<Lines/>" in text
