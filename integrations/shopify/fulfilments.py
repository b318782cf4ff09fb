"""What a store has to fulfil of an order, what it has fulfilled, and telling it of a shipment.

https://shopify.dev/docs/api/admin-graphql/2026-10/objects/FulfillmentOrder
https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/fulfillmentCreate
https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/fulfillmentTrackingInfoUpdate
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from integrations.shopify import fulfilment_queries as queries
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.shapes import Node

CREATE_FULFILMENT = "CREATE_FULFILLMENT"
SUCCESS = "SUCCESS"


@dataclass(frozen=True)
class ToFulfil:
    """A line of a fulfilment order: its own id, Shopify's line id, and the pieces that are left to fulfil."""

    id: int
    line: int
    remaining: int


@dataclass(frozen=True)
class FulfilmentOrder:
    """A fulfilment order as it stands; `status` is Shopify's word, `holds` are the reasons of its holds."""

    id: int
    status: str
    can_fulfil: bool
    location_id: int | None
    location: str
    holds: tuple[str, ...]
    lines: tuple[ToFulfil, ...]


@dataclass(frozen=True)
class StoreFulfilment:
    """A fulfilment that the store has; `numbers` are for tracking."""

    id: int
    name: str
    is_success: bool
    created_at: datetime
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class StoreOrder:
    """What a store says of an order's fulfilment; what a fulfilment holds is asked for by `pieces`."""

    is_cancelled: bool
    fulfilment_orders: tuple[FulfilmentOrder, ...]
    fulfilments: tuple[StoreFulfilment, ...]

    @cached_property
    def remaining(self) -> dict[int, int]:
        """Return what is left to fulfil, by the id of the fulfilment order's line."""
        return {line.id: line.remaining for row in self.fulfilment_orders for line in row.lines}


@dataclass(frozen=True)
class Tracking:
    """How a parcel can be followed: a carrier in Shopify's spelling; `urls` are of the first `numbers`, by position."""

    company: str = ""
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wish:
    """A fulfilment to be created: {fulfilment order: {its line: pieces}}, all at one location."""

    lines: dict[int, dict[int, int]]
    tracking: Tracking
    is_customer_told: bool = False


def read(client: GraphQL, order_id: int) -> StoreOrder:
    """Return all fulfilment orders and fulfilments of an order. Raises ShopifyError, also for an unknown order."""
    first = _order(client, queries.FULFILMENT_ORDERS, {"id": _gid("Order", order_id), "after": None})
    rows, after = _page(first, "fulfillmentOrders")
    while after:
        more = _order(client, queries.FULFILMENT_ORDERS, {"id": _gid("Order", order_id), "after": after})
        page, after = _page(more, "fulfillmentOrders")
        rows += page
    made = _order(client, queries.FULFILMENTS, {"id": _gid("Order", order_id)}).rows("fulfillments")
    return StoreOrder(
        bool(first.maybe_text("cancelledAt")),
        tuple(_fulfilment_order(client, row) for row in rows),
        tuple(_fulfilment(row) for row in made),
    )


def pieces(client: GraphQL, fulfilment_id: int) -> dict[int, int]:
    """Return what a fulfilment holds: pieces by Shopify's line id. Raises ShopifyError."""
    found: dict[int, int] = {}
    after = None
    while True:
        answer = client.execute(queries.FULFILMENT_LINES, {"id": _gid("Fulfillment", fulfilment_id), "after": after})
        rows, after = _page(Node("HemiFulfilmentLines", answer).node("fulfillment"), "fulfillmentLineItems")
        for row in rows:
            line = row.node("lineItem").gid("id")
            found[line] = found.get(line, 0) + row.integer("quantity")
        if not after:
            return found


def create(client: GraphQL, wish: Wish) -> int:
    """Create one fulfilment and return its id. Not repeatable: raises ShopifyError, UNCERTAIN where it may be made."""
    try:
        answer = client.execute(queries.FULFIL, {"fulfillment": _input(wish)})
    except ShopifyError as error:
        made = (error.data.get("fulfillmentCreate") or {}).get("fulfillment")
        if made:
            raise ShopifyError(Kind.UNCERTAIN, error.message) from None
        raise
    try:
        return Node("HemiFulfil", answer).node("fulfillmentCreate").node("fulfillment").integer("legacyResourceId")
    except ShopifyError as error:
        raise ShopifyError(Kind.UNCERTAIN, error.message) from None


def follow(client: GraphQL, fulfilment_id: int, tracking: Tracking, *, is_customer_told: bool) -> None:
    """Give a fulfilment other tracking. Raises ShopifyError. A repeat may mail the customer again."""
    variables = {"id": _gid("Fulfillment", fulfilment_id), "tracking": _tracking(tracking)}
    client.execute(queries.FOLLOW, {**variables, "notifyCustomer": is_customer_told})


def _tracking(told: Tracking) -> dict[str, Any]:
    fields: dict[str, Any] = {"company": told.company} if told.company else {}
    if told.numbers:
        fields["numbers"] = list(told.numbers)
        if told.urls:
            fields["urls"] = list(told.urls)
    elif told.urls:
        fields["url"] = told.urls[0]
    return fields


def _input(wish: Wish) -> dict[str, Any]:
    tracking = _tracking(wish.tracking)
    rows = [
        {
            "fulfillmentOrderId": _gid("FulfillmentOrder", order),
            "fulfillmentOrderLineItems": [
                {"id": _gid("FulfillmentOrderLineItem", line), "quantity": quantity} for line, quantity in lines.items()
            ],
        }
        for order, lines in wish.lines.items()
    ]
    made = {"lineItemsByFulfillmentOrder": rows, "notifyCustomer": wish.is_customer_told}
    return made | ({"trackingInfo": tracking} if tracking else {})


def _order(client: GraphQL, document: str, variables: dict[str, Any]) -> Node:
    answer = client.execute(document, variables)
    if answer.get("order") is None:
        raise ShopifyError(Kind.PERMANENT, "The store has no such order, or the app may not see it (60 days).")
    return Node("HemiFulfilments", answer).node("order")


def _page(owner: Node, connection: str) -> tuple[list[Node], str | None]:
    """Return a page's rows, and from where the next one goes on."""
    found = owner.node(connection)
    info = found.node("pageInfo")
    return found.rows("nodes"), info.text("endCursor") if info.flag("hasNextPage") else None


def _fulfilment_order(client: GraphQL, row: Node) -> FulfilmentOrder:
    rows, after = _page(row, "lineItems")
    while after:
        answer = client.execute(queries.FULFILMENT_ORDER_LINES, {"id": row.text("id"), "after": after})
        page, after = _page(Node("HemiFulfilmentOrderLines", answer).node("fulfillmentOrder"), "lineItems")
        rows += page
    place = row.node("assignedLocation")
    location = place.node("location").gid("id") if place.fields.get("location") else None
    return FulfilmentOrder(
        row.gid("id"),
        row.text("status"),
        any(action.text("action") == CREATE_FULFILMENT for action in row.rows("supportedActions")),
        location,
        place.text("name"),
        tuple(hold.text("displayReason") for hold in row.rows("fulfillmentHolds")),
        tuple(
            ToFulfil(line.gid("id"), line.node("lineItem").gid("id"), line.integer("remainingQuantity"))
            for line in rows
        ),
    )


def _fulfilment(row: Node) -> StoreFulfilment:
    try:
        created_at = datetime.fromisoformat(row.text("createdAt"))
    except ValueError:
        raise row.wrong("createdAt") from None
    numbers = tuple(filter(None, (info.maybe_text("number") for info in row.rows("trackingInfo"))))
    is_success = row.text("status") == SUCCESS
    return StoreFulfilment(row.integer("legacyResourceId"), row.text("name"), is_success, created_at, numbers)


def _gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"
