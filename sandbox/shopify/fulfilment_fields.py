"""From the rows of the sandbox to the schema's fulfilment orders and fulfilments, and the mutation between them."""

from itertools import zip_longest
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from sandbox.shopify.call import Call
from sandbox.shopify.fulfilment import Parcel
from sandbox.shopify.fulfilment_orders import actions
from sandbox.shopify.paging import connection

_KINDS = ("assigned", "merchant_managed", "third_party")


def require(call: Call, verb: str, name: str) -> None:
    """Refuse a field without one of the scopes for fulfilment orders; `verb` is read or write."""
    if not any(call.has(f"{verb}_{kind}_fulfillment_orders") for kind in _KINDS):
        wanted = " or ".join(f"`{verb}_{kind}_fulfillment_orders`" for kind in _KINDS)
        message = f"Access denied for {name} field. Required access: {wanted} access scope."
        raise GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


def fulfilment_orders(info: GraphQLResolveInfo, order_id: int, arguments: dict) -> dict:
    """Return an order's `FulfillmentOrderConnection`."""
    call = info.context
    require(call, "read", "fulfillmentOrders")
    with call.core.state.lock:
        rows = [fulfilment_order_fields(call, row) for row in call.core.fulfilment_orders.of(call.shop.name, order_id)]
    return connection(rows, arguments)


def fulfilment_order_fields(call: Call, row: dict) -> dict:
    """Return a `FulfillmentOrder`, without its order."""
    place = next((place for place in call.shop.locations if place["id"] == row["location_id"]), None)
    lines = [_to_fulfil(line) for line in row["lines"]]
    return {
        "__typename": "FulfillmentOrder",
        "key": row["id"],
        "id": f"gid://shopify/FulfillmentOrder/{row['id']}",
        "orderId": f"gid://shopify/Order/{row['order_id']}",
        "status": row["status"],
        "createdAt": row["created_at"],
        "supportedActions": [{"action": name, "externalUrl": None} for name in actions(row)],
        "fulfillmentHolds": [_hold(row, number, hold) for number, hold in enumerate(row["holds"])],
        "assignedLocation": {
            "name": place["name"] if place else "",
            "location": place and {"id": f"gid://shopify/Location/{place['id']}", "name": place["name"]},
        },
        "lineItems": lambda info, **arguments: connection(lines, arguments),
    }


def fulfilments(order: dict, first: int | None) -> list[dict]:
    """Return an order's `Fulfillment` rows."""
    return [fulfilment_fields(row) for row in order["fulfillments"]][:first]


def fulfilment_fields(row: dict) -> dict:
    """Return a `Fulfillment`."""
    lines = [_sent(row, line) for line in row["line_items"]]
    pairs = zip_longest(row["tracking_numbers"], row["tracking_urls"])
    tracking = [{"company": row["tracking_company"], "number": number, "url": url} for number, url in pairs]
    return {
        "__typename": "Fulfillment",
        "key": row["id"],
        "id": f"gid://shopify/Fulfillment/{row['id']}",
        "legacyResourceId": str(row["id"]),
        "name": row["name"],
        "status": {"success": "SUCCESS", "cancelled": "CANCELLED"}[row["status"]],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "totalQuantity": sum(line["quantity"] for line in row["line_items"]),
        "trackingInfo": lambda info, first=None: tracking[:first],
        "fulfillmentLineItems": lambda info, **arguments: connection(lines, arguments),
    }


def create(info: GraphQLResolveInfo, fulfillment: dict[str, Any], message: str | None = None) -> dict:
    """Answer fulfillmentCreate."""
    call = info.context
    require(call, "write", "fulfillmentCreate")
    if call.forced_user_errors:
        return _refused("Something went wrong. Please try again later.")
    tracking = fulfillment.get("trackingInfo") or {}
    numbers, urls = _lists(tracking)
    lines = {
        _number(row["fulfillmentOrderId"]): {
            _number(line["id"]): line["quantity"] for line in row.get("fulfillmentOrderLineItems") or []
        }
        for row in fulfillment["lineItemsByFulfillmentOrder"]
    }
    parcel = Parcel(lines, tracking.get("company"), numbers, urls, bool(fulfillment.get("notifyCustomer")))
    made, error = call.core.fulfilment.create(call.shop.name, parcel)
    return {"fulfillment": fulfilment_fields(made), "userErrors": []} if made else _refused(error)


def follow(
    info: GraphQLResolveInfo,
    fulfillmentId: str,  # noqa: N803
    trackingInfoInput: dict[str, Any],  # noqa: N803
    notifyCustomer: bool | None = None,  # noqa: N803
) -> dict:
    """Answer fulfillmentTrackingInfoUpdate."""
    call = info.context
    require(call, "write", "fulfillmentTrackingInfoUpdate")
    if call.forced_user_errors:
        return _refused("Something went wrong. Please try again later.")
    numbers, urls = _lists(trackingInfoInput)
    parcel = Parcel({}, trackingInfoInput.get("company"), numbers, urls, bool(notifyCustomer))
    made = call.core.fulfilment.follow(call.shop.name, _number(fulfillmentId), parcel)
    return (
        {"fulfillment": fulfilment_fields(made), "userErrors": []} if made else _refused("Fulfillment does not exist.")
    )


def _lists(tracking: dict[str, Any]) -> tuple[list[str], list[str]]:
    numbers = tracking.get("numbers") or [number for number in (tracking.get("number"),) if number]
    return numbers, tracking.get("urls") or [url for url in (tracking.get("url"),) if url]


def _refused(sentence: str) -> dict:
    return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": sentence}]}


def _to_fulfil(line: dict) -> dict:
    return {
        "key": line["id"],
        "id": f"gid://shopify/FulfillmentOrderLineItem/{line['id']}",
        "totalQuantity": line["total"],
        "remainingQuantity": line["remaining"],
        "lineItem": {"id": f"gid://shopify/LineItem/{line['line_id']}"},
    }


def _sent(row: dict, line: dict) -> dict:
    return {
        "key": line["id"],
        "id": f"gid://shopify/FulfillmentLineItem/{row['id']}{line['id']}",
        "quantity": line["quantity"],
        "lineItem": {"id": f"gid://shopify/LineItem/{line['id']}"},
    }


def _hold(row: dict, number: int, hold: dict) -> dict:
    return {
        "id": f"gid://shopify/FulfillmentHold/{row['id']}{number}",
        "reason": hold["reason"],
        "reasonNotes": None,
        "displayReason": hold["words"],
    }


def _number(gid: str) -> int:
    tail = gid.rpartition("/")[2]
    return int(tail) if tail.isdecimal() else 0
