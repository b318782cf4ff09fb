"""An order read by GraphQL, as the same OrderSnapshot that a webhook gives.

https://shopify.dev/docs/api/admin-graphql/latest/queries/order
"""

from decimal import Decimal
from typing import Any

from integrations.shopify import order_queries, payloads
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.shapes import Node

_FULFILMENT = {"UNFULFILLED": "", "FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def read(client: GraphQL, shopify_id: int) -> payloads.OrderSnapshot:
    """Return the order as the store has it now, its lines with their product types.

    Raises ShopifyError, also when the store has no such order or it changes from page to page.
    """
    order, lines = _page(client, shopify_id, None)
    page, first = order, order["updatedAt"]
    while page["lineItems"]["pageInfo"]["hasNextPage"]:
        page, more = _page(client, shopify_id, page["lineItems"]["pageInfo"]["endCursor"])
        if page["updatedAt"] != first:
            raise ShopifyError(Kind.TEMPORARY, "The order changed while it was read.")
        lines += more
    try:
        return snapshot(order, lines)
    except payloads.PayloadError as error:
        raise ShopifyError(Kind.PERMANENT, str(error)) from None


def snapshot(order: dict[str, Any], lines: list[dict[str, Any]]) -> payloads.OrderSnapshot:
    """Return an order's fields and all of its lines as the snapshot. Raises payloads.PayloadError."""
    try:
        resource = _resource(order, lines)
    except (KeyError, TypeError, AttributeError) as error:
        raise payloads.PayloadError(f"Shopify's answer is not what was asked for ({type(error).__name__}).") from None
    return payloads.from_resource(resource)


def _page(client: GraphQL, shopify_id: int, after: str | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    wanted = {"id": f"gid://shopify/Order/{shopify_id}", "after": after}
    order = Node("HemiOrder", client.execute(order_queries.ORDER, wanted)).maybe_node("order")
    if order is None:
        raise ShopifyError(Kind.PERMANENT, "The store has no such order, or the app may not see it (60 days).")
    lines = order.node("lineItems")
    lines.node("pageInfo").flag("hasNextPage")
    order.moment("updatedAt")
    return order.fields, [row.fields for row in lines.rows("nodes")]


def _resource(order: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Say the order in the words of the REST resource, which payloads reads."""
    return {
        "id": order["legacyResourceId"],
        "name": order["name"],
        "source_name": order["sourceName"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "test": order["test"],
        "cancelled_at": order["cancelledAt"],
        "financial_status": (order["displayFinancialStatus"] or "").lower(),
        "fulfillment_status": _FULFILMENT.get(order["displayFulfillmentStatus"], ""),
        "currency": order["currencyCode"],
        "taxes_included": order["taxesIncluded"],
        "email": order["email"],
        "phone": order["phone"],
        "note": order["note"],
        "total_price": _amount(order["totalPriceSet"]),
        "total_tax": _amount(order["totalTaxSet"]),
        "total_discounts": _amount(order["totalDiscountsSet"]),
        "total_shipping_price_set": {"shop_money": {"amount": _amount(order["totalShippingPriceSet"])}},
        "customer": _customer(order["customer"]),
        "shipping_address": _address(order["shippingAddress"]),
        "billing_address": _address(order["billingAddress"]),
        "shipping_lines": order["shippingLines"]["nodes"],
        "line_items": [_line(line) for line in lines],
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    product, variant = line["product"] or {}, line["variant"] or {}
    return {
        "id": line["id"].rsplit("/", 1)[-1],
        "sku": line["sku"],
        "title": line["title"],
        "name": line["name"],
        "variant_title": line["variantTitle"],
        "vendor": line["vendor"],
        "quantity": line["quantity"],
        "current_quantity": line["currentQuantity"],
        "fulfillable_quantity": line["unfulfilledQuantity"],
        "requires_shipping": line["requiresShipping"],
        "gift_card": line["isGiftCard"],
        "product_id": product.get("legacyResourceId"),
        "product_type": product.get("productType") or "",
        "variant_id": variant.get("legacyResourceId"),
        "price": _amount(line["originalUnitPriceSet"]),
        "total_discount": _amount(line["totalDiscountSet"]),
        "discount_allocations": [{"amount": _amount(row["allocatedAmountSet"])} for row in line["discountAllocations"]],
        "tax_lines": [{"price": _amount(row["priceSet"])} for row in line["taxLines"]],
        "properties": [{"name": row["key"], "value": row["value"]} for row in line["customAttributes"]],
    }


def _customer(customer: dict[str, Any] | None) -> dict[str, Any] | None:
    return customer and {
        "id": customer["legacyResourceId"],
        "first_name": customer["firstName"],
        "last_name": customer["lastName"],
        "email": (customer["defaultEmailAddress"] or {}).get("emailAddress"),
        "phone": (customer["defaultPhoneNumber"] or {}).get("phoneNumber"),
    }


def _address(address: dict[str, Any] | None) -> dict[str, Any] | None:
    return address and {
        "name": address["name"],
        "first_name": address["firstName"],
        "last_name": address["lastName"],
        "province_code": address["provinceCode"],
        "country_code": address["countryCodeV2"],
        **{name: address[name] for name in ("company", "address1", "address2", "city", "zip")},
        **{name: address[name] for name in ("province", "country", "phone")},
    }


def _amount(bag: dict[str, Any] | None) -> str | Decimal:
    return bag["shopMoney"]["amount"] if bag else Decimal(0)
