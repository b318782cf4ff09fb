"""From the shape of a webhook to the fields of the schema's `Order`."""

from datetime import UTC
from decimal import Decimal

from graphql import GraphQLResolveInfo

from sandbox.shopify.discount_fields import applications
from sandbox.shopify.fulfilment_fields import fulfilment_orders, fulfilments
from sandbox.shopify.line_fields import current_quantity, lines, shipping_lines
from sandbox.shopify.money_fields import money_bag, tax_lines
from sandbox.shopify.paging import connection
from sandbox.shopify.search import instant

_SAME = {
    "name": "name",
    "email": "email",
    "phone": "phone",
    "note": "note",
    "test": "test",
    "confirmed": "confirmed",
    "currencyCode": "currency",
    "taxesIncluded": "taxes_included",
    "taxExempt": "tax_exempt",
    "sourceName": "source_name",
    "sourceIdentifier": "source_identifier",
    "customerLocale": "customer_locale",
    "paymentGatewayNames": "payment_gateway_names",
    "poNumber": "po_number",
    "totalWeight": "total_weight",
}
_TIMES = {
    "closedAt": "closed_at",
    "cancelledAt": "cancelled_at",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "processedAt": "processed_at",
}
_MONEY = {
    "subtotalPriceSet": "subtotal_price",
    "currentSubtotalPriceSet": "current_subtotal_price",
    "totalPriceSet": "total_price",
    "currentTotalPriceSet": "current_total_price",
    "originalTotalPriceSet": "total_price",
    "totalTaxSet": "total_tax",
    "currentTotalTaxSet": "current_total_tax",
    "totalDiscountsSet": "total_discounts",
    "currentTotalDiscountsSet": "current_total_discounts",
    "totalOutstandingSet": "total_outstanding",
}
_FULFILMENT = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}


def order_fields(order: dict) -> dict:
    """Return an order as the resolvers hand it out; what costs work is a function."""
    currency = order["currency"]
    fields = {name: order.get(source) for name, source in _SAME.items()}
    fields |= {name: _utc(order.get(source)) for name, source in _TIMES.items()}
    fields |= {name: money_bag(order, source, currency) for name, source in _MONEY.items()}
    fields["totalShippingPriceSet"] = _shipping(order)
    fields |= _state(order) | _people(order)
    paid = order["total_price"] if order["financial_status"] == "paid" else "0"
    return fields | {
        "__typename": "Order",
        "key": order["id"],
        "id": f"gid://shopify/Order/{order['id']}",
        "legacyResourceId": str(order["id"]),
        "number": order["order_number"],
        "tags": [tag.strip() for tag in order["tags"].split(",") if tag.strip()],
        "presentmentCurrencyCode": order.get("presentment_currency") or currency,
        "app": {"id": "gid://shopify/App/580111", "name": order["source_name"]},
        "customAttributes": [{"key": row["name"], "value": row["value"]} for row in order["note_attributes"]],
        "discountCodes": [row["code"] for row in order["discount_codes"]],
        "discountCode": next((row["code"] for row in order["discount_codes"]), None),
        "taxLines": tax_lines(order, currency),
        "currentTaxLines": tax_lines(order, currency),
        "totalReceivedSet": money_bag({"paid": paid}, "paid", currency),
        "totalRefundedSet": money_bag({}, "refunded", currency),
        "lineItems": lambda info, **arguments: connection(lines(order), arguments),
        "shippingLines": lambda info, **arguments: connection(shipping_lines(order), arguments),
        "shippingLine": next(iter(shipping_lines(order)), None),
        "fulfillmentOrders": lambda info, **arguments: fulfilment_orders(info, order["id"], arguments),
        "fulfillments": lambda info, first=None, **arguments: fulfilments(order, first),
        "discountApplications": lambda info, **arguments: connection(applications(order), arguments),
    }


def _shipping(order: dict) -> dict:
    """Return the total of the shipping lines; the older shape has no field of its own for it."""
    total = sum((Decimal(line["price"]) for line in order["shipping_lines"]), Decimal())
    row = {"shipping": str(total), "shipping_set": order.get("total_shipping_price_set")}
    return money_bag(row, "shipping", order["currency"])


def _utc(text: str | None) -> str | None:
    return text and instant(text).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _state(order: dict) -> dict:
    rows = order["line_items"]
    return {
        "closed": bool(order["closed_at"]),
        "cancelReason": order["cancel_reason"] and order["cancel_reason"].upper(),
        "displayFinancialStatus": order["financial_status"].upper(),
        "displayFulfillmentStatus": _FULFILMENT[order["fulfillment_status"]],
        "edited": any(current_quantity(line) != line["quantity"] for line in rows),
        "fullyPaid": order["financial_status"] == "paid",
        "unpaid": order["financial_status"] == "pending",
        "requiresShipping": any(line["requires_shipping"] for line in rows),
        "subtotalLineItemsQuantity": sum(line["quantity"] for line in rows),
        "currentSubtotalLineItemsQuantity": sum(current_quantity(line) for line in rows),
    }


def _people(order: dict) -> dict:
    return {
        "customer": lambda info: _customer(info, order["customer"]),
        "billingAddress": _address(order["billing_address"], order["id"] + 1),
        "shippingAddress": _address(order["shipping_address"], order["id"] + 2),
    }


def _customer(info: GraphQLResolveInfo, customer: dict | None) -> dict | None:
    info.context.require("read_customers", "customer")
    if customer is None:
        return None
    names = (customer["first_name"], customer["last_name"])
    return {
        "id": f"gid://shopify/Customer/{customer['id']}",
        "legacyResourceId": str(customer["id"]),
        "displayName": " ".join(name for name in names if name) or customer["email"] or "",
        "firstName": customer["first_name"],
        "lastName": customer["last_name"],
        "locale": "en",
        "note": customer["note"],
        "tags": [],
        "defaultEmailAddress": customer["email"] and {"emailAddress": customer["email"]},
        "defaultPhoneNumber": customer["phone"] and {"phoneNumber": customer["phone"]},
    }


def _address(address: dict | None, key: int) -> dict | None:
    if address is None:
        return None
    parts = (address["address1"], address["zip"], address["city"], address["country"])
    return {
        "id": f"gid://shopify/MailingAddress/{key}",
        "firstName": address["first_name"],
        "lastName": address["last_name"],
        "provinceCode": address["province_code"],
        "countryCodeV2": address["country_code"],
        "formatted": [part for part in parts if part],
    } | address
