import json
from decimal import Decimal
from random import Random

import pytest

from sandbox.shopify import VARIANTS, ShopifySandbox, make_order


def _all_ids(order: dict) -> list[int]:
    parts = [order, *order["line_items"], *order["shipping_lines"], *order["refunds"]]
    return [part["id"] for part in parts] + ([order["customer"]["id"]] if order["customer"] else [])


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant_can_be_written_as_json_and_adds_up(variant):
    order = make_order(1001, variant)
    assert json.loads(json.dumps(order)) == order
    lines = sum(Decimal(line["price"]) * line["quantity"] for line in order["line_items"])
    taken = sum(Decimal(row["amount"]) for line in order["line_items"] for row in line["discount_allocations"])
    shipping = sum(Decimal(line["price"]) for line in order["shipping_lines"])
    tax = 0 if order["taxes_included"] else Decimal(order["total_tax"])
    assert Decimal(order["total_price"]) == lines - taken + shipping + tax
    assert Decimal(order["total_discounts"]) == taken


@pytest.mark.parametrize("variant", VARIANTS)
def test_same_seed_gives_the_same_order(variant):
    assert make_order(1001, variant, Random(7)) == make_order(1001, variant, Random(7))


def test_no_id_comes_twice():
    ids = [id for number, variant in enumerate(VARIANTS, 1001) for id in _all_ids(make_order(number, variant))]
    assert len(ids) == len(set(ids))


def test_ordinary_order_has_a_part_for_each_supplier():
    for number in range(1001, 1031):
        vendors = [line["vendor"] for line in make_order(number)["line_items"]]
        assert vendors == ["Northwind", "Südhaus"]


@pytest.mark.parametrize(
    ("variant", "holds"),
    [
        ("name_without_hash", lambda order: order["name"] == "1001"),
        ("name_with_prefix", lambda order: order["name"] == "#BURWEB1001"),
        ("name_with_arrow", lambda order: order["name"] == "->1001"),
        ("vendor_null", lambda order: order["line_items"][0]["vendor"] is None),
        ("vendor_empty", lambda order: order["line_items"][0]["vendor"] == ""),
        ("sku_null", lambda order: order["line_items"][0]["sku"] is None),
        ("sku_empty", lambda order: order["line_items"][0]["sku"] == ""),
        ("variant_null", lambda order: order["line_items"][0]["variant_id"] is None),
        ("customer_null", lambda order: order["customer"] is None and order["email"] == ""),
        ("email_on_order_only", lambda order: order["email"] and order["customer"]["email"] is None),
        ("last_name_empty", lambda order: order["shipping_address"]["last_name"] == ""),
        ("postcode_null", lambda order: order["shipping_address"]["zip"] is None),
        (
            "store_pickup",
            lambda order: order["shipping_address"] is None and order["line_items"][0]["requires_shipping"],
        ),
        (
            "digital",
            lambda order: order["shipping_address"] is None and not order["line_items"][0]["requires_shipping"],
        ),
        (
            "draft_order",
            lambda order: order["billing_address"] is order["shipping_address"] is order["customer"] is None,
        ),
        ("test_order", lambda order: order["test"] is True),
        ("cancelled", lambda order: order["cancelled_at"] and order["financial_status"] == "voided"),
        ("gift_card", lambda order: order["line_items"][0]["fulfillment_service"] == "gift_card"),
        (
            "line_discount",
            lambda order: order["line_items"][0]["total_discount"] == "0.00" and order["total_discounts"] == "5.00",
        ),
        ("discount_code", lambda order: order["total_discounts"] == "10.00"),
        ("taxes_added", lambda order: order["taxes_included"] is False),
        (
            "edited",
            lambda order: (order["line_items"][0]["quantity"], order["line_items"][0]["current_quantity"]) == (3, 1),
        ),
        ("removed_line", lambda order: order["line_items"][1]["current_quantity"] == 0),
        (
            "refunded_line",
            lambda order: (
                [row["line_item_id"] for refund in order["refunds"] for row in refund["refund_line_items"]]
                == [order["line_items"][1]["id"]]
            ),
        ),
        ("long_ids", lambda order: len(str(order["id"])) == len(str(order["line_items"][0]["id"])) == 18),
        (
            "shape_2017",
            lambda order: "_set" not in json.dumps(order) and "admin_graphql_api_id" not in json.dumps(order),
        ),
        ("yen", lambda order: order["currency"] == "JPY" and "." not in order["total_price"]),
        ("dinar", lambda order: order["currency"] == "BHD" and order["total_price"][-4] == "."),
        (
            "two_currencies",
            lambda order: order["total_price_set"]["presentment_money"]["currency_code"] == "USD" != order["currency"],
        ),
        ("lines_500", lambda order: len(order["line_items"]) == 500 and len(json.dumps(order)) > 500_000),
        ("control_characters", lambda order: "\u0007" in order["line_items"][0]["title"]),
        ("arabic_emoji", lambda order: "🧥" in order["line_items"][0]["title"]),
    ],
)
def test_variant_shows_its_oddity(variant, holds):
    assert holds(make_order(1001, variant))
    assert not holds(make_order(1001, "plain"))


def test_two_sandboxes_stand_alone():
    with ShopifySandbox() as one, ShopifySandbox() as other:
        one.add_shop("demo")
        one.place_order("demo")
        assert one.url != other.url
        assert other.state.shops == {}
