"""Take people out of a webhook's body: what is known to be an id, money, a time or an article stays, the rest goes."""

import json
from collections.abc import Collection
from typing import Any

_NAMES = """
id admin_graphql_api_id shop_id shop_domain order_id order_number customer_id created_at updated_at processed_at
cancelled_at closed_at currency presentment_currency financial_status fulfillment_status source_name test taxes_included
total_price subtotal_price current_total_price total_tax total_discounts total_line_items_price line_items
shipping_lines customer price quantity current_quantity fulfillable_quantity sku product_id variant_id vendor title
variant_title requires_shipping gift_card total_discount discount_allocations amount tax_lines rate
total_shipping_price_set shop_money currency_code order_edit additions removals delta fulfillment_order status
orders_requested orders_to_redact data_request
"""
_KEPT = frozenset(_NAMES.split())
_ONLY_ID = ("customer",)  # of these nothing but ids


def without_person(body: bytes) -> bytes:
    """Return the body's skeleton, which still reads as the same order; nothing of a body that is not JSON."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return b""
    kept = _keep(data)
    if isinstance(data, dict) and "line_items" in data and isinstance(data.get("name"), str):
        kept["name"] = data["name"]  # the order's number; anywhere else a name is a person's
    return json.dumps(kept).encode()


def mentions(body: bytes, ids: Collection[int]) -> bool:
    """Tell whether a body holds one of the ids, as a number or at the end of a text such as gid://…/1."""
    texts = {str(number) for number in ids}
    if not any(text.encode() in body for text in texts):
        return False
    try:
        return _holds(json.loads(body), texts)
    except (ValueError, RecursionError):
        return True


def _keep(value: Any) -> Any:
    if isinstance(value, list):
        return [_keep(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: {"id": item.get("id")} if name in _ONLY_ID and isinstance(item, dict) else _keep(item)
        for name, item in value.items()
        if name in _KEPT
    }


def _holds(value: Any, texts: set[str]) -> bool:
    if isinstance(value, dict):
        return any(_holds(item, texts) for item in value.values())
    if isinstance(value, list):
        return any(_holds(item, texts) for item in value)
    return isinstance(value, int | str) and str(value).rpartition("/")[2] in texts
