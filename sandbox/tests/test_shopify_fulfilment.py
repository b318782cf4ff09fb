"""The sandbox fulfils as Shopify does: exactly what is left, of one order and location, and tells who listens."""

import pytest
import requests

from sandbox.shopify import ShopifySandbox
from sandbox.shopify.fulfilment import Parcel

SHOP = "test"


@pytest.fixture
def shopify():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "hush", [])
        sandbox.add_shop(SHOP)
        yield sandbox


@pytest.fixture
def order(shopify):
    body = shopify.place_order(SHOP, announce=False)
    counts = dict.fromkeys(["quantity", "current_quantity", "fulfillable_quantity"], 3)
    return shopify.update_order(SHOP, body["id"], line_items=[line | counts for line in body["line_items"]])


def rows(shopify, order):
    return shopify.fulfilment_orders.of(SHOP, order["id"])


def all_of(row, count=None):
    return {row["id"]: {line["id"]: count or line["remaining"] for line in row["lines"]}}


def refused(shopify, order, lines, words):
    before = [(row["status"], [line["remaining"] for line in row["lines"]]) for row in rows(shopify, order)]
    made, error = shopify.fulfilment.create(SHOP, Parcel(lines))
    assert made is None and words in error
    assert [(row["status"], [line["remaining"] for line in row["lines"]]) for row in rows(shopify, order)] == before
    assert shopify.state.shops[SHOP].orders[order["id"]]["fulfillments"] == []


def test_pieces_are_taken_off_and_the_order_follows(shopify, order):
    row = rows(shopify, order)[0]
    made, _ = shopify.fulfilment.create(SHOP, Parcel(all_of(row, 1), "UPS", ["1Z"], is_buyer_told=True))
    stored = shopify.state.shops[SHOP].orders[order["id"]]
    assert (made["tracking_company"], made["tracking_number"]) == ("UPS", "1Z")
    assert stored["fulfillment_status"] == "partial" and stored["fulfillments"] == [made]
    assert [line["fulfillable_quantity"] for line in stored["line_items"]] == [2, 2]
    assert row["status"] == "IN_PROGRESS" and len(shopify.state.shops[SHOP].confirmations) == 1
    shopify.fulfilment.create(SHOP, Parcel(all_of(row)))
    assert shopify.state.shops[SHOP].orders[order["id"]]["fulfillment_status"] == "fulfilled"
    assert rows(shopify, order)[0]["status"] == "CLOSED"


def test_more_than_is_left_is_refused(shopify, order):
    refused(shopify, order, all_of(rows(shopify, order)[0], 4), "Invalid fulfillment order line item quantity")
    refused(shopify, order, {rows(shopify, order)[0]["id"]: {4711: 1}}, "Invalid fulfillment order line item quantity")
    refused(shopify, order, {4711: {}}, "does not exist")


@pytest.mark.parametrize("change", ["hold", "close"])
def test_what_is_on_hold_or_closed_is_refused(shopify, order, change):
    getattr(shopify.fulfilment_orders, change)(SHOP, order["id"])
    refused(shopify, order, all_of(rows(shopify, order)[0]), "has an unfulfillable status=")


def test_two_locations_and_two_orders_are_refused(shopify, order):
    line = order["line_items"][0]["id"]
    shopify.fulfilment_orders.split(SHOP, order["id"], {line: 2}, location=1)
    first, second = rows(shopify, order)
    assert [part["remaining"] for part in first["lines"]] == [1, 3]
    refused(shopify, order, all_of(first) | all_of(second), "same location")
    other = shopify.place_order(SHOP, announce=False)
    refused(shopify, order, all_of(first) | all_of(rows(shopify, other)[0]), "same order")


def test_a_cancelled_order_has_nothing_left(shopify, order):
    shopify.cancel_order(SHOP, order["id"])
    row = rows(shopify, order)[0]
    assert row["status"] == "CANCELLED" and {line["remaining"] for line in row["lines"]} == {0}


def test_the_control_interface_holds_releases_and_fulfils(shopify, order):
    def do(action, **body):
        url = f"{shopify.url}/control/shops/{SHOP}/orders/{order['id']}/{action}"
        answer = requests.post(url, json=body, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    assert do("hold")["fulfilment_orders"][0]["status"] == "ON_HOLD"
    assert do("release")["fulfilment_orders"][0]["status"] == "OPEN"
    assert do("move", location=1)["fulfilment_orders"][0]["status"] == "OPEN"
    assert do("fulfil", number="1Z")["tracking_number"] == "1Z"
    listed = requests.get(f"{shopify.url}/control/shops/{SHOP}/confirmations", timeout=5).json()
    assert listed == {"confirmations": []}
