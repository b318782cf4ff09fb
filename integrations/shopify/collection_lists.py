"""A store's collections: how many there are, all of a few, and many page by page, read strictly.

https://shopify.dev/docs/api/admin-graphql/latest/queries/collections
"""

from dataclasses import dataclass

from integrations.shopify import collection_queries, queries
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.shapes import Node


@dataclass(frozen=True)
class Collection:
    """One collection; `products` is None where Shopify does not say, and at least that many if it is not exact."""

    id: int
    handle: str
    title: str
    updated_at: str
    is_smart: bool
    products: int | None
    is_exact: bool


@dataclass(frozen=True)
class Page:
    """Some collections in the order of their ids, and the cursor that the next page begins at."""

    collections: list[Collection]
    cursor: str | None
    is_last: bool


def count(client: GraphQL) -> int:
    """Return how many collections the store has; raises ShopifyError."""
    data = Node("HemiCollectionsCount", client.execute(collection_queries.COLLECTIONS_COUNT))
    return data.node("collectionsCount").integer("count")


def whole(client: GraphQL) -> list[Collection]:
    """Return all of them, read within one deadline; raises ShopifyError."""
    return [_read(Node("HemiCollections", fields)) for fields in client.nodes(queries.COLLECTIONS, "collections")]


def page(client: GraphQL, after: str | None, above: int) -> Page:
    """Return the page after a cursor of the list of all ids above `above`; raises ShopifyError."""
    variables = {"after": after, "query": f"id:>{above}" if above else None}
    data = Node("HemiCollectionPage", client.execute(collection_queries.COLLECTION_PAGE, variables)).node("collections")
    info = data.node("pageInfo")
    found = [_read(node) for node in data.rows("nodes")]
    read = Page(found, info.maybe_text("endCursor") or None, not info.flag("hasNextPage"))
    if not read.is_last and (not found or read.cursor in (None, after)):
        raise ShopifyError(Kind.PERMANENT, "Shopify's list of collections does not go on.")
    return read


def _read(node: Node) -> Collection:
    counted = node.maybe_node("productsCount")
    return Collection(
        id=node.integer("legacyResourceId"),
        handle=node.text("handle"),
        title=node.text("title"),
        updated_at=node.text("updatedAt"),
        is_smart=any(_has_conditions(source) for source in node.rows("sources")),
        products=counted.integer("count") if counted else None,
        is_exact=counted is None or counted.text("precision") == "EXACT",
    )


def _has_conditions(source: Node) -> bool:
    """Say whether a source chooses products by a rule; those of other kinds than conditions always do."""
    if "inclusion" not in source.fields:
        return True
    inclusion = source.maybe_node("inclusion")
    return inclusion is not None and bool(inclusion.rows("conditions"))
