"""The number of a line is the same in every file about an order, and in what the supplier replies."""

import pytest

from orders.tests import bodies
from suppliers.models import DeliveryContent, Supplier, SupplierOrder
from suppliers.tests.changes import agree, changed, part_of
from suppliers.tests.test_reply_lines import say

pytestmark = pytest.mark.django_db(transaction=True)
Status = SupplierOrder.Status


@pytest.fixture
def change(take, sends, north, body):
    """A change that was sent: of three lines the first is cancelled, and a fourth was added."""
    agree(north, Supplier.Amendments.CHANGE)
    body["line_items"].append(bodies.line(body["id"], 3, "Northwind", "NW-3", 1))
    order = take(body)
    sends()
    body["line_items"][0].update(current_quantity=0, fulfillable_quantity=0)
    body["line_items"].append(bodies.line(body["id"], 4, "Northwind", "NW-4", 1))
    take(changed(body))
    sends()
    return part_of(order, 2)


def _numbers(part):
    content = DeliveryContent.objects.get(delivery__supplier_order=part).content
    return [(line["number"], line["sku"], line["change"]) for line in content["lines"]]


def _came(part):
    return {line.order_line.sku: line.reply_status for line in part.lines.all()}


def test_a_change_of_a_change_keeps_the_numbers(change, take, sends, body):
    wanted = [(1, "NW-1", "cancelled"), (2, "NW-2", ""), (3, "NW-3", ""), (4, "NW-4", "added")]
    assert _numbers(change) == wanted
    body["line_items"][0].update(current_quantity=0, fulfillable_quantity=0)
    body["line_items"][2].update(current_quantity=0, fulfillable_quantity=0)
    take(changed(body, "2026-11-20T13:00:00+01:00"))
    sends()
    later = part_of(change.order, 3)
    assert _numbers(later) == [(2, "NW-2", ""), (3, "NW-3", "cancelled"), (4, "NW-4", "")]


def test_a_reply_to_a_change_means_the_lines_of_its_file(change):
    say(change, "accepted", (1, "accepted"), (2, "accepted", 1), (3, "rejected", 1), (4, "accepted", 1))
    assert _came(change) == {"NW-2": Status.ACCEPTED, "NW-3": Status.REJECTED, "NW-4": Status.ACCEPTED}
    assert "does not have" not in change.attention


def test_what_is_shipped_all_the_same_of_a_cancelled_line_is_told(change):
    say(change, "taken", (1, "shipped", 2), despatch="D-1")
    assert "It says shipped of line 1, which is cancelled." in change.attention
    assert set(_came(change).values()) == {Status.TAKEN}


def test_a_reply_means_the_lines_of_its_file_whatever_their_order_in_the_store_is_now(take, sends, north, body):
    order = take(body)
    sends()
    body["line_items"].reverse()
    take(changed(body))
    part = part_of(order, 1)
    say(part, "taken", (1, "accepted"), (2, "rejected"))
    assert _came(part) == {"NW-1": Status.ACCEPTED, "NW-2": Status.REJECTED}
    say(part, "taken", (1, "shipped", 2), despatch="D-1")
    (told,) = order.shipments.all()
    assert told.quantities == {str(order.lines.get(sku="NW-1").shopify_id): 2}
