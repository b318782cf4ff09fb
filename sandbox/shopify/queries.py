"""The root fields of queries, each a resolver by its name in the schema."""

from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.shopify import fulfilment_fields
from sandbox.shopify.call import Call
from sandbox.shopify.order_fields import order_fields
from sandbox.shopify.paging import SortKey, connection
from sandbox.shopify.search import instant, matching
from sandbox.shopify.shop_fields import (
    collection_fields,
    location_fields,
    product_fields,
    shop_fields,
    subscription_fields,
)

READ_ORDERS_WINDOW = timedelta(days=60)
_SORTED_BY = {
    "TITLE": "title",
    "NAME": "name",
    "UPDATED_AT": "updatedAt",
    "CREATED_AT": "createdAt",
}
_ORDERS_SORTED_BY: dict[str, SortKey] = {
    "NAME": lambda order: order["name"],
    "ORDER_NUMBER": lambda order: order["order_number"],
    "UPDATED_AT": lambda order: _utc(order["updated_at"]),
    "CREATED_AT": lambda order: _utc(order["created_at"]),
    "PROCESSED_AT": lambda order: _utc(order["processed_at"]),
}


def _shop(info: GraphQLResolveInfo) -> dict:
    return shop_fields(info.context.shop)


def _installation(info: GraphQLResolveInfo) -> dict:
    scopes = info.context.grant.scopes
    return {
        "id": f"gid://shopify/AppInstallation/{info.context.shop.id}",
        "accessScopes": [{"handle": scope, "description": scope.replace("_", " ")} for scope in scopes],
    }


def _versions(info: GraphQLResolveInfo) -> list[dict]:
    handles = info.context.core.behaviour.api_versions
    return [{"handle": handle, "displayName": handle, "supported": True} for handle in handles]


def _locations(info: GraphQLResolveInfo, **arguments: Any) -> dict:
    info.context.require("read_locations", "locations")
    rows = [row for row in info.context.shop.locations if row["isActive"] or arguments.get("includeInactive")]
    return connection([location_fields(row) for row in rows], arguments, _sort_key(arguments))


def _collections(info: GraphQLResolveInfo, **arguments: Any) -> dict:
    info.context.require("read_products", "collections")
    shop = info.context.shop
    rows, warnings = matching(shop.collections, arguments.get("query"))
    info.context.search_warnings += warnings
    return connection(rows, arguments, _sort_key(arguments), lambda row: collection_fields(row, shop.products))


def _collections_count(info: GraphQLResolveInfo, limit: int | None = None, **arguments: Any) -> dict:
    info.context.require("read_products", "collectionsCount")
    rows, _ = matching(info.context.shop.collections, arguments.get("query"))
    is_cut = limit is not None and len(rows) > limit
    return {"count": limit if is_cut else len(rows), "precision": "AT_LEAST" if is_cut else "EXACT"}


def _products(info: GraphQLResolveInfo, **arguments: Any) -> dict:
    info.context.require("read_products", "products")
    rows = [product_fields(row) for row in info.context.shop.products]
    return connection(rows, arguments, _sort_key(arguments))


def _orders(info: GraphQLResolveInfo, **arguments: Any) -> dict:
    info.context.require("read_orders", "orders")
    found, warnings = matching(_visible_orders(info.context), arguments.get("query"))
    info.context.search_warnings += warnings
    return connection(found, arguments, _ORDERS_SORTED_BY.get(str(arguments.get("sortKey"))), order_fields)


def _subscriptions(info: GraphQLResolveInfo, **arguments: Any) -> dict:
    topics, uri = arguments.get("topics"), arguments.get("uri")
    rows = [
        subscription_fields(row)
        for row in own_subscriptions(info.context)
        if (not topics or row.topic in topics) and (not uri or row.uri == uri)
    ]
    return connection(rows, arguments, _sort_key(arguments))


def _location(info: GraphQLResolveInfo, id: str | None = None) -> dict | None:
    info.context.require("read_locations", "location")
    rows = [location_fields(row) for row in info.context.shop.locations]
    return rows[0] if id is None else _by_id(rows, id)


def _collection(info: GraphQLResolveInfo, id: str) -> dict | None:
    info.context.require("read_products", "collection")
    shop = info.context.shop
    return _by_id([collection_fields(row, shop.products) for row in shop.collections], id)


def _product(info: GraphQLResolveInfo, id: str) -> dict | None:
    info.context.require("read_products", "product")
    return _by_id([product_fields(row) for row in info.context.shop.products], id)


def _variant(info: GraphQLResolveInfo, id: str) -> dict | None:
    return info.context.variant(int(id.rsplit("/", 1)[1]))


def _order(info: GraphQLResolveInfo, id: str) -> dict | None:
    info.context.require("read_orders", "order")
    for order in _visible_orders(info.context):
        if id == f"gid://shopify/Order/{order['id']}":
            return order_fields(order)
    return None


def _fulfilment_order(info: GraphQLResolveInfo, id: str) -> dict | None:
    call, number = info.context, id.rsplit("/", 1)[1]
    fulfilment_fields.require(call, "read", "fulfillmentOrder")
    row = call.core.fulfilment_orders.find(call.shop.name, int(number)) if number.isdecimal() else None
    if row is None:
        return None
    order = _by_id(_visible_orders(call), row["order_id"])
    return order and fulfilment_fields.fulfilment_order_fields(call, row) | {"order": order_fields(order)}


def _fulfilment(info: GraphQLResolveInfo, id: str) -> dict | None:
    info.context.require("read_orders", "fulfillment")
    rows = [row for order in _visible_orders(info.context) for row in order["fulfillments"]]
    found = _by_id(rows, int(id.rsplit("/", 1)[1]))
    return found and fulfilment_fields.fulfilment_fields(found)


def _subscription(info: GraphQLResolveInfo, id: str) -> dict | None:
    return _by_id([subscription_fields(row) for row in own_subscriptions(info.context)], id)


def _node(info: GraphQLResolveInfo, id: str) -> dict | None:
    find = _NODES.get(id.removeprefix("gid://shopify/").split("/")[0])
    return find(info, id) if find else None


def _nodes(info: GraphQLResolveInfo, ids: list[str]) -> list[dict | None]:
    return [_node(info, id) for id in ids]


def own_subscriptions(call: Call) -> list:
    """Return the subscriptions that the asking app made in this shop."""
    with call.core.state.lock:
        rows = list(call.core.state.subscriptions.values())
    return [row for row in rows if row.shop == call.shop.name and row.client_id == call.grant.client_id]


def _visible_orders(call: Call) -> list[dict]:
    with call.core.state.lock:
        orders = list(call.shop.orders.values())
    if call.has("read_all_orders"):
        return orders
    oldest = datetime.now(UTC) - READ_ORDERS_WINDOW
    return [order for order in orders if instant(order["created_at"]) >= oldest]


def _utc(text: str) -> datetime:
    return instant(text).astimezone(UTC)


def _by_id(rows: list[dict], id: str | int) -> dict | None:
    return next((row for row in rows if row["id"] == id), None)


def _sort_key(arguments: dict) -> SortKey | None:
    name = _SORTED_BY.get(str(arguments.get("sortKey")))
    return (lambda row: row[name]) if name else None


_NODES = {
    "Location": _location,
    "Collection": _collection,
    "Product": _product,
    "ProductVariant": _variant,
    "Order": _order,
    "WebhookSubscription": _subscription,
}
QUERIES = {
    "shop": _shop,
    "currentAppInstallation": _installation,
    "publicApiVersions": _versions,
    "node": _node,
    "nodes": _nodes,
    "location": _location,
    "locations": _locations,
    "collection": _collection,
    "collections": _collections,
    "collectionsCount": _collections_count,
    "product": _product,
    "products": _products,
    "order": _order,
    "orders": _orders,
    "fulfillmentOrder": _fulfilment_order,
    "fulfillment": _fulfilment,
    "webhookSubscription": _subscription,
    "webhookSubscriptions": _subscriptions,
}
