"""A store's webhook subscriptions of this app.

https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhookSubscriptionCreate (and …Update, …Delete)
"""

from dataclasses import dataclass

from integrations.shopify import queries
from integrations.shopify.client import GraphQL
from integrations.shopify.shapes import Node


@dataclass(frozen=True)
class Subscription:
    """One subscription as Shopify stores it; `is_whole` if it sends every event, whole and as JSON."""

    id: str
    topic: str
    uri: str
    version: str
    is_whole: bool


def listing(client: GraphQL) -> list[Subscription]:
    """Return all of them; raises ShopifyError."""
    return [_read(Node("HemiWebhooks", row)) for row in client.nodes(queries.WEBHOOKS, "webhookSubscriptions")]


def create(client: GraphQL, topic: str, uri: str) -> None:
    """Subscribe an address to a topic; raises ShopifyError."""
    client.execute(queries.SUBSCRIBE, {"topic": topic, "uri": uri})


def mend(client: GraphQL, subscription: Subscription, uri: str) -> None:
    """Let a subscription post whole events to `uri`; raises ShopifyError."""
    client.execute(queries.MEND_SUBSCRIPTION, {"id": subscription.id, "uri": uri})


def delete(client: GraphQL, subscription: Subscription) -> None:
    """Delete a subscription; raises ShopifyError."""
    client.execute(queries.UNSUBSCRIBE, {"id": subscription.id})


def _read(node: Node) -> Subscription:
    return Subscription(
        id=node.text("id"),
        topic=node.text("topic"),
        uri=node.text("uri"),
        version=node.node("apiVersion").text("handle"),
        is_whole=node.text("format") == "JSON"
        and not node.maybe_text("filter")
        and not node.texts("includeFields")
        and not node.texts("metafieldNamespaces"),
    )
