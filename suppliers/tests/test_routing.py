"""Each line goes to one supplier by rule, and follows the order until its file was tried."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import AccountShopify
from integrations.shopify import payloads
from orders import intake
from orders import services as order_services
from orders.models import OrderLine
from orders.services import Refused
from orders.tests import bodies
from sandbox.shopify import ShopifySandbox
from sandbox.sockets import listen
from suppliers import rendering, routing
from suppliers.models import Delivery, RoutingRule, Supplier, SupplierOrder
from suppliers.services import orders, suppliers

LATER = "2026-11-20T12:00:00+01:00"


def statuses(order):
    return {part.supplier.code: part.status for part in order.supplier_orders.all()}


def notes(order):
    return [(line.routing, line.routing_note) for line in order.lines.all()]


def test_each_supplier_gets_its_part(take, north, sued):
    order = take()
    assert statuses(order) == {"NORTH": "ready", "SUED": "ready"}
    assert [line.order_line.sku for line in order.supplier_orders.get(supplier=north).lines.all()] == ["NW-1001"]
    assert not order.needs_routing
    assert order.attention == ""


def test_many_lines_cost_no_more_queries_than_few(take, north, sued):
    take()  # what is asked once a process
    counts = []
    for number in (1, 20):
        body = bodies.order()
        vendors = ["Northwind", "Südhaus"] * number
        body["line_items"] = [bodies.line(body["id"], at, vendor, f"S-{at}", 1) for at, vendor in enumerate(vendors, 1)]
        with CaptureQueriesContext(connection) as captured:
            order = take(body)
        assert statuses(order) == {"NORTH": "ready", "SUED": "ready"}
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_routing_twice_makes_nothing_twice(take, north, sued):
    body = bodies.order()
    take(body)
    order = take({**body, "updated_at": LATER, "financial_status": "paid", "note": "changed"})
    order_services.route_again(order=order, by=None)
    routing.route()
    rendering.render()
    assert Delivery.objects.count() == 2
    assert SupplierOrder.objects.filter(revision=1).count() == 2


def test_a_line_that_no_rule_takes_stops_nothing_else(take, north):
    order = take()
    assert statuses(order) == {"NORTH": "ready"}
    assert order.attention == "1 line goes to no supplier yet."
    assert notes(order)[1][0] == OrderLine.Routing.UNROUTED


def test_a_new_rule_and_route_again_mend_it(take, north):
    order = take()
    RoutingRule.objects.create(priority=900, is_everything_else=True, supplier=north)
    orders.route_again(order=order, by=None)
    routing.route()
    rendering.render()
    order.refresh_from_db()
    assert order.attention == ""
    assert b"SH-2001" in bytes(order.supplier_orders.get().delivery.document)


def test_send_by_hand_mends_it(take, north, sued):
    RoutingRule.objects.filter(supplier=sued).delete()
    order = take()
    orders.send_to_supplier(order=order, lines=order.lines.all(), supplier=sued, by=None)
    routing.route()
    rendering.render()
    order.refresh_from_db()
    assert statuses(order) == {"NORTH": "ready", "SUED": "ready"}
    assert order.attention == ""


@pytest.mark.parametrize(
    ("rule", "takes"),
    [
        ({"vendor": "NORTHWIND"}, True),
        ({"vendor": "North"}, False),
        ({"sku_pattern": "nw-*"}, True),
        ({"sku_pattern": "NW-10?1"}, True),
        ({"sku_pattern": "W-*"}, False),
        ({"shipping": "no"}, False),
        ({"shipping": "yes"}, True),
        ({"vendor": "northwind", "sku_pattern": "SH-*"}, False),
        ({"is_everything_else": True}, True),
        ({"is_everything_else": True, "is_active": False}, False),
    ],
)
def test_rules_compare_as_they_say(take, north, rule, takes):
    RoutingRule.objects.all().delete()
    RoutingRule.objects.create(supplier=north, **rule)
    order = take(line_items=[bodies.line(9, 1, "Northwind", "NW-1001", 1)])
    assert statuses(order) == ({"NORTH": "ready"} if takes else {})


def test_the_smallest_priority_wins_and_no_supplier_sets_aside(take, north):
    RoutingRule.objects.create(priority=1, shipping="no")
    order = take(line_items=[bodies.line(9, 1, "Northwind", "GIFT", 1, requires_shipping=False)])
    assert notes(order) == [(OrderLine.Routing.SET_ASIDE, "By rule: needs no shipping.")]
    assert (statuses(order), order.attention) == ({}, "")


def test_real_orders_pass_over_suppliers_in_test_mode(take, north):
    suppliers.back_to_test(supplier=north, by=None)
    order = take(line_items=[bodies.line(9, 1, "Northwind", "NW-1", 1)])
    assert "still in test mode" in notes(order)[0][1]
    assert order.attention
    with pytest.raises(Refused, match="real order"):
        orders.send_to_supplier(order=order, lines=order.lines.all(), supplier=north, by=None)


def test_test_orders_never_reach_a_live_supplier(take, north):
    order = take(test=True, line_items=[bodies.line(9, 1, "Northwind", "NW-1", 1)])
    assert (statuses(order), order.attention) == ({}, "")
    suppliers.back_to_test(supplier=north, by=None)
    orders.route_again(order=order, by=None)
    routing.route()
    rendering.render()
    assert statuses(order) == {"NORTH": "ready"}
    assert b'test="true"' in bytes(order.supplier_orders.get().delivery.document)


def test_a_sample_order_goes_to_a_supplier_in_test_mode_only(account, north):
    with pytest.raises(Refused, match="is live"):
        suppliers.send_test_order(supplier=north, account=account, by=None)
    suppliers.back_to_test(supplier=north, by=None)
    part = suppliers.send_test_order(supplier=Supplier.objects.get(), account=account, by=None)
    routing.route()
    rendering.render()
    part.refresh_from_db()
    assert part.status == SupplierOrder.Status.READY
    assert part.order.is_test


def test_an_order_changed_before_the_first_try_changes_the_file(take, north):
    body = bodies.order()
    order = take(body)
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take({**body, "updated_at": LATER})
    part = order.supplier_orders.get()
    assert b"<Quantity>1</Quantity>" in bytes(part.delivery.document)
    assert part.revision == 1


def sent():
    """Note every part as sent to its supplier."""
    Delivery.objects.update(first_claimed_at=timezone.now(), status="sent", step="sent")
    SupplierOrder.objects.update(status="sent")


def test_an_order_changed_after_a_try_that_nobody_saw_changes_the_file(take, north):
    body = bodies.order()
    order = take(body)
    Delivery.objects.update(
        first_claimed_at=timezone.now(), step="uploading", temporary_name="ORDER.abc.part", claim_token="at-work"
    )
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take({**body, "updated_at": LATER})
    delivery = order.supplier_orders.get().delivery
    assert b"Elsewhere 2" in bytes(delivery.document)
    assert (delivery.claim_token, delivery.temporary_name, delivery.is_held) == ("", "ORDER.abc.part", False)


def test_an_order_changed_after_its_file_was_handed_over_is_told_not_sent(take, north):
    body = bodies.order()
    order = take(body)
    sent()
    before = bytes(Delivery.objects.get().document)
    body["shipping_address"]["address1"] = "Elsewhere 2"
    take({**body, "updated_at": LATER})
    part = order.supplier_orders.get()
    assert part.attention.startswith("Changed after its file was sent: Ship to, street: Łąkowa 1 → Elsewhere 2.")
    assert bytes(Delivery.objects.get().document) == before


def test_what_the_supplier_ships_is_no_change(take, north):
    body = bodies.order()
    order = take(body)
    Delivery.objects.update(first_claimed_at=timezone.now(), status="sent")
    SupplierOrder.objects.update(status="sent")
    body["line_items"][0].update(fulfillable_quantity=0)
    take({**body, "updated_at": LATER})
    assert order.supplier_orders.get().attention == ""


def test_a_line_added_after_the_file_was_sent_waits_for_a_person(take, north):
    body = bodies.order()
    order = take(body)
    sent()
    body["line_items"].append(bodies.line(body["id"], 7, "Northwind", "NW-7", 1))
    take({**body, "updated_at": LATER})
    line = order.lines.get(sku="NW-7")
    assert line.routing == OrderLine.Routing.UNROUTED
    orders.send_to_supplier(order=order, lines=[line], supplier=north, by=None)
    rendering.render()
    document = bytes(order.supplier_orders.get(revision=2).delivery.document)
    assert (b"NW-7" in document, b"NW-1001" in document) == (True, False)


def test_an_order_cancelled_before_the_first_try_goes_nowhere(take, north, sued):
    body = bodies.order()
    order = take(body)
    take({**body, "cancelled_at": LATER, "updated_at": LATER})
    assert statuses(order) == {"NORTH": "cancelled", "SUED": "cancelled"}
    assert set(Delivery.objects.values_list("status", "is_held")) == {("cancelled", True)}


def test_an_order_cancelled_after_sending_is_told(take, north):
    body = bodies.order()
    order = take(body)
    Delivery.objects.update(first_claimed_at=timezone.now(), status="sent", step="sent")
    SupplierOrder.objects.update(status="sent")
    take({**body, "cancelled_at": LATER, "updated_at": LATER})
    part = order.supplier_orders.get()
    assert part.status == "sent"
    assert part.attention == ("Changed after its file was sent: cancelled. Send it on to Northwind, or settle it.")


@pytest.fixture
def typed_store(account, settings):
    """A store that the account can ask, with one order of an article of type Apparel."""
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "secret-of-the-app", [])
        sandbox.add_shop("test")
        settings.SHOPIFY_SHOP_URL = sandbox.shop_url_template
        account.access_token = sandbox.issue_token("client", "test", ["read_orders", "read_products", "read_customers"])
        account.save(update_fields=["access_token"])
        yield sandbox


def test_a_product_type_is_read_from_the_store(take, north, typed_store):
    body = typed_store.place_order("test", announce=False)
    RoutingRule.objects.all().delete()
    RoutingRule.objects.create(priority=1, product_type="apparel", supplier=north)
    RoutingRule.objects.create(priority=2, product_type="Furniture", supplier=north)
    order = take(body)
    assert {line.product_type for line in order.lines.all()} <= {"Apparel", "Furniture"}
    assert statuses(order) == {"NORTH": "ready"}


def test_a_line_whose_type_is_not_known_goes_to_nobody(take, north, typed_store):
    typed_store.add_fault("401", 99)
    RoutingRule.objects.create(priority=1, product_type="Apparel", supplier=north)
    RoutingRule.objects.create(priority=900, is_everything_else=True, supplier=north)
    order = take(typed_store.place_order("test", announce=False))
    assert order.needs_routing
    for _ in range(routing.TYPE_TRIES):
        type(order).objects.update(next_attempt_at=timezone.now())
        routing.route()
    order.refresh_from_db()
    assert (statuses(order), order.needs_routing) == ({}, False)
    assert "could not be read" in notes(order)[0][1]


def test_a_store_that_does_not_answer_is_asked_once_in_a_run_and_the_others_go_on(account, north, settings):
    RoutingRule.objects.create(priority=1, product_type="Apparel", supplier=north, account=account)
    RoutingRule.objects.create(priority=900, is_everything_else=True, supplier=north)
    healthy = AccountShopify.objects.create(shop_name="healthy", orders_from=account.orders_from)
    orders = [intake.store(owner, payloads.parse_order(bodies.encode(bodies.order()))) for owner in [account] * 3]
    other = intake.store(healthy, payloads.parse_order(bodies.encode(bodies.order())))
    account.access_token = "token"
    account.save(update_fields=["access_token"])
    with listen(0) as silent:
        settings.SHOPIFY_SHOP_URL = f"http://127.0.0.1:{silent.getsockname()[1]}/{{shop}}"
        begun = time.monotonic()
        routing.route()
        assert time.monotonic() - begun < 8
    other.refresh_from_db()
    assert not other.needs_routing
    for order in orders:
        order.refresh_from_db()
        assert (order.needs_routing, order.claim_token) == (True, "")
        assert order.next_attempt_at > timezone.now()
