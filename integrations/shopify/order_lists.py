"""Lists of a store's orders: those that changed, whole, and those placed in a window of time, by id only.

https://shopify.dev/docs/api/admin-graphql/latest/queries/orders: the sort key is the field that is filtered, and times
are quoted, or the query may time out or be misread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.shopify import answers, order_queries, orders, payloads
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.shapes import Node

RESTART_AFTER = 20_000  # Shopify's lists end at 25,000 without a word, so a long one is asked for in parts


@dataclass(frozen=True)
class Placed:
    """An order by its names."""

    shopify_id: int
    number: str


@dataclass(frozen=True)
class _Listed:
    """A page as it was listed."""

    nodes: list[Node]
    is_last: bool


@dataclass(frozen=True)
class Page:
    """Some changed orders, oldest change first; `until` is the time of the last one's change."""

    snapshots: list[payloads.OrderSnapshot]
    unreadable: list[str]  # what could not be read, each with its order, in words for staff
    until: datetime | None
    is_last: bool


def changed(client: GraphQL, since: datetime, placed_before: datetime | None = None) -> Iterator[Page]:
    """Yield the orders that changed since `since` (to the second), page by page. Raises ShopifyError."""
    placed = f" AND created_at:<'{_text(placed_before)}'" if placed_before else ""

    def search(start: datetime) -> str:
        return f"updated_at:>='{_text(start)}'{placed}"

    for page in _pages(client, order_queries.CHANGED_ORDERS, search, ("updatedAt", since)):
        yield _read(client, page)


def placed(client: GraphQL, since: datetime, until: datetime) -> Iterator[Placed]:
    """Yield the orders placed from `since` to before `until`, some maybe twice. Raises ShopifyError."""

    def search(start: datetime) -> str:
        return f"created_at:>='{_text(start)}' AND created_at:<'{_text(until)}'"

    for page in _pages(client, order_queries.ORDER_IDS, search, ("createdAt", since)):
        for node in page.nodes:
            if node.moment("createdAt") >= until:
                raise _not_filtered()
            yield Placed(node.integer("legacyResourceId"), node.text("name"))


def _pages(
    client: GraphQL, document: str, search: Callable[[datetime], str], sorted_by: tuple[str, datetime]
) -> Iterator[_Listed]:
    stamp, start = sorted_by
    after, listed = None, 0
    while True:
        rows, info = answers.page(client.execute(document, {"query": search(start), "after": after}), "orders")
        nodes = [Node("orders", row) for row in rows]
        # A filter that Shopify cannot read is left out, without an error.
        if nodes and nodes[0].moment(stamp) < start.replace(microsecond=0):
            raise _not_filtered()
        yield _Listed(nodes, not info["hasNextPage"])
        if not info["hasNextPage"]:
            return
        if not nodes or info["endCursor"] in (None, after):
            raise ShopifyError(Kind.PERMANENT, "Shopify's list of orders does not go on.")
        after, listed = info["endCursor"], listed + len(nodes)
        if listed >= RESTART_AFTER and (newest := nodes[-1].moment(stamp)) > start:
            start, after, listed = newest, None, 0


def _read(client: GraphQL, page: _Listed) -> Page:
    snapshots, unreadable = [], []
    for node in page.nodes:
        try:
            snapshots.append(_snapshot(client, node))
        except payloads.PayloadError as error:
            unreadable.append(f"{node.text('name')}: {error}")
        except ShopifyError as error:
            if error.kind != Kind.PERMANENT:
                raise
            unreadable.append(f"{node.text('name')}: {error}")
    until = page.nodes[-1].moment("updatedAt") if page.nodes else None
    return Page(snapshots, unreadable, until, page.is_last)


def _snapshot(client: GraphQL, node: Node) -> payloads.OrderSnapshot:
    lists = [node.node("lineItems"), node.node("shippingLines")]
    if any(found.node("pageInfo").flag("hasNextPage") for found in lists):
        return orders.read(client, node.integer("legacyResourceId"))
    return orders.snapshot(node.fields, [row.fields for row in lists[0].rows("nodes")])


def _not_filtered() -> ShopifyError:
    return ShopifyError(Kind.PERMANENT, "Shopify listed orders outside the time that was asked for.")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
