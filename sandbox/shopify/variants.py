"""The oddities of real orders, each a function that edits a draft; it may return a last touch for the payload."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.shopify.catalogue import AMERICAN, DIGITAL, GIFT_CARD, IRISH, NORTHWIND, SUEDHAUS
from sandbox.shopify.draft import Draft
from sandbox.shopify.order_parts import Ids
from sandbox.shopify.variants_amounts import AMOUNTS
from sandbox.shopify.variants_scripts import SCRIPTS
from sandbox.shopify.variants_states import STATES

Finish = Callable[[dict], None]
Variant = Callable[[dict, Draft], Finish | None]

_LONG_ID_BASE = 820_000_000_000_000_000
_OLD_NAMES = {"gateway": "shopify_payments", "processing_method": "direct", "total_price_usd": None}


def _order(**changes: object) -> Variant:
    def edit(order: dict, draft: Draft) -> None:
        draft.order_changes.update(changes)

    return edit


def _first_line(**changes: object) -> Variant:
    def edit(order: dict, draft: Draft) -> None:
        draft.line_changes[0] = changes

    return edit


def _named(pattern: str) -> Variant:
    def edit(order: dict, draft: Draft) -> None:
        order["name"] = pattern.format(draft.ids.number)

    return edit


def _person(**changes: Any) -> Variant:
    def edit(order: dict, draft: Draft) -> None:
        draft.person = replace(draft.person, **changes)

    return edit


def _only(shelf: tuple) -> Variant:
    def edit(order: dict, draft: Draft) -> None:
        draft.basket = [draft.pick(shelf)]

    return edit


def _plain(order: dict, draft: Draft) -> None:
    """Leave the order as it is: one line of Northwind, one of Südhaus, paid."""


def _email_on_order_only(order: dict, draft: Draft) -> Finish:
    return lambda order: order["customer"].update(email=None)


def _american(order: dict, draft: Draft) -> None:
    draft.person, draft.currency = AMERICAN, "USD"


def _postcode_null(order: dict, draft: Draft) -> None:
    draft.person = IRISH


def _store_pickup(order: dict, draft: Draft) -> None:
    draft.order_changes.update(shipping_address=None, shipping_lines=[], source_name="pos")


def _digital(order: dict, draft: Draft) -> None:
    draft.basket = [(DIGITAL, 1)]


def _gift_card(order: dict, draft: Draft) -> None:
    draft.basket = [(GIFT_CARD, 1), draft.pick(NORTHWIND)]
    draft.line_changes[0] = {"gift_card": True, "fulfillment_service": "gift_card", "taxable": False, "sku": None}


def _draft_order(order: dict, draft: Draft) -> None:
    draft.order_changes.update(
        email="", contact_email=None, customer=None, billing_address=None, shipping_address=None, shipping_lines=[]
    )
    order.update(source_name="shopify_draft_order", financial_status="pending", payment_gateway_names=[])


def _long_ids(order: dict, draft: Draft) -> None:
    draft.ids = Ids(draft.number, _LONG_ID_BASE)
    order.update(id=draft.ids.order, admin_graphql_api_id=f"gid://shopify/Order/{draft.ids.order}")


def _shape_2017(order: dict, draft: Draft) -> Finish:
    return _to_2017


def _to_2017(order: dict) -> None:
    _drop_new_fields(order)
    order.update(_OLD_NAMES)
    for line in order["line_items"]:
        line.pop("current_quantity", None)


def _drop_new_fields(part: object) -> None:
    if isinstance(part, dict):
        for name in [name for name in part if name.endswith("_set") or name.startswith("current_total")]:
            del part[name]
        part.pop("admin_graphql_api_id", None)
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _drop_new_fields(child)


def _many_lines(order: dict, draft: Draft) -> None:
    draft.basket = [draft.pick(NORTHWIND if index % 2 else SUEDHAUS) for index in range(500)]


def _unknown_vendor(order: dict, draft: Draft) -> None:
    draft.line_changes[0] = {"vendor": "Atelier Quince", "sku": "AQ-77"}


VARIANTS: dict[str, Variant] = {
    "plain": _plain,
    "northwind_only": _only(NORTHWIND),
    "suedhaus_only": _only(SUEDHAUS),
    "name_without_hash": _named("{}"),
    "name_with_prefix": _named("#BURWEB{}"),
    "name_with_arrow": _named("->{}"),
    "vendor_null": _first_line(vendor=None),
    "vendor_empty": _first_line(vendor=""),
    "vendor_unknown": _unknown_vendor,
    "sku_null": _first_line(sku=None),
    "sku_empty": _first_line(sku=""),
    "variant_null": _first_line(variant_id=None, variant_title=None, product_id=None, product_exists=False),
    "variant_empty": _first_line(variant_id="", variant_title=""),
    "customer_null": _order(customer=None, email="", contact_email=None),
    "email_on_order_only": _email_on_order_only,
    "last_name_empty": _person(last_name=""),
    "province_null": _person(province=None, province_code=None),
    "province_set": _american,
    "postcode_null": _postcode_null,
    "store_pickup": _store_pickup,
    "digital": _digital,
    "draft_order": _draft_order,
    "test_order": _order(test=True),
    "unpaid": _order(financial_status="pending"),
    "other_source": _order(source_name="580111"),
    "gift_card": _gift_card,
    "custom_fulfilment_service": _first_line(fulfillment_service="northwind-logistics"),
    "long_ids": _long_ids,
    "shape_2017": _shape_2017,
    "lines_500": _many_lines,
    **AMOUNTS,
    **SCRIPTS,
    **STATES,
}
