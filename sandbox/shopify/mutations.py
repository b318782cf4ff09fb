"""The root fields of mutations: a shop's own webhook subscriptions, and fulfilments."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from graphql import GraphQLResolveInfo

from sandbox.shopify import fulfilment_fields
from sandbox.shopify.call import Call
from sandbox.shopify.queries import own_subscriptions
from sandbox.shopify.shop_fields import subscription_fields
from sandbox.shopify.state import Subscription

_FORCED = [{"field": None, "message": "Something went wrong. Please try again later."}]
_SCOPE_OF_TOPIC = {
    "ORDERS": "read_orders",
    "PRODUCTS": "read_products",
    "COLLECTIONS": "read_products",
    "LOCATIONS": "read_locations",
    "CUSTOMERS": "read_customers",
}
_FULFILMENT_SCOPES = tuple(
    f"read_{kind}_fulfillment_orders" for kind in ("assigned", "merchant_managed", "third_party")
)


def _create(info: GraphQLResolveInfo, topic: str, **arguments: dict) -> dict:
    call, wanted = info.context, arguments["webhookSubscription"]
    errors = _errors(call, topic, wanted.get("uri"))
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    row = Subscription(call.core.state.next_id(), call.shop.name, topic, wanted["uri"], call.grant.client_id)
    row.api_version = call.api_version
    _apply(row, wanted)
    with call.core.state.lock:
        call.core.state.subscriptions[row.id] = row
    return {"webhookSubscription": subscription_fields(row), "userErrors": []}


def _update(info: GraphQLResolveInfo, id: str, **arguments: dict) -> dict:
    call, wanted = info.context, arguments["webhookSubscription"]
    row = _find(call, id)
    if row is None:
        return {"webhookSubscription": None, "userErrors": _missing()}
    uri = wanted.get("uri")
    errors = _errors(call, row.topic, uri) if uri not in (None, row.uri) or call.forced_user_errors else []
    if not errors:
        row.uri, row.updated_at = uri or row.uri, datetime.now(UTC)
        _apply(row, wanted)
    return {"webhookSubscription": subscription_fields(row), "userErrors": errors}


def _delete(info: GraphQLResolveInfo, id: str) -> dict:
    call = info.context
    row = _find(call, id)
    if row is None or call.forced_user_errors:
        return {"deletedWebhookSubscriptionId": None, "userErrors": _FORCED if row else _missing()}
    with call.core.state.lock:
        call.core.state.subscriptions.pop(row.id, None)
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def _apply(row: Subscription, wanted: dict) -> None:
    row.name = wanted.get("name", row.name)
    row.filter = wanted.get("filter", row.filter)
    row.include_fields = wanted.get("includeFields", row.include_fields)
    row.metafield_namespaces = wanted.get("metafieldNamespaces", row.metafield_namespaces)


def _errors(call: Call, topic: str, uri: str | None) -> list[dict]:
    if call.forced_user_errors:
        return _FORCED
    wanted = _FULFILMENT_SCOPES if topic.startswith("FULFILLMENT_ORDERS_") else _scope(topic)
    if wanted and not any(call.has(scope) for scope in wanted):
        needs = " or ".join(wanted)
        return [_error("topic", f"You do not have permission to create webhooks with this topic: it needs {needs}.")]
    if not _is_reachable(uri):
        return [_error("uri", "Address is not allowed: use an https URL.")]
    if any(row.topic == topic and row.uri == uri for row in own_subscriptions(call)):
        return [_error("uri", "Address for this topic has already been taken")]
    return []


def _scope(topic: str) -> tuple[str, ...]:
    scope = _SCOPE_OF_TOPIC.get(topic.split("_")[0])
    return (scope,) if scope else ()


def _is_reachable(uri: str | None) -> bool:
    parts = urlsplit(uri or "")
    # Shopify takes https only; this one lives on loopback, where there are no certificates.
    on_loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or on_loopback)


def _find(call: Call, id: str) -> Subscription | None:
    return next((row for row in own_subscriptions(call) if id.endswith(f"/{row.id}")), None)


def _missing() -> list[dict]:
    return [{"field": ["id"], "message": "Webhook subscription does not exist"}]


def _error(name: str, message: str) -> dict:
    return {"field": ["topic"] if name == "topic" else ["webhookSubscription", name], "message": message}


MUTATIONS = {
    "webhookSubscriptionCreate": _create,
    "webhookSubscriptionUpdate": _update,
    "webhookSubscriptionDelete": _delete,
    "fulfillmentCreate": fulfilment_fields.create,
    "fulfillmentTrackingInfoUpdate": fulfilment_fields.follow,
}
