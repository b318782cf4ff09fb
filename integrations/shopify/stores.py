"""What a store says about itself and about the app in it, read strictly.

https://shopify.dev/docs/api/admin-graphql/latest/queries/shop and …/queries/currentAppInstallation
"""

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.shopify import domains, queries
from integrations.shopify.client import GraphQL
from integrations.shopify.shapes import Node


@dataclass(frozen=True)
class Shop:
    """A store's id and the name in its permanent domain, which changes when the store is renamed."""

    id: int
    name: str


@dataclass(frozen=True)
class Installation:
    """The store, and the scopes that the app has in it."""

    shop: Shop
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A location of the store."""

    id: int
    name: str
    address: str
    is_active: bool


def shop(client: GraphQL) -> Shop:
    """Read the store; raises ShopifyError."""
    return _shop(Node("HemiShop", client.execute(queries.SHOP)))


def installation(client: GraphQL) -> Installation:
    """Read the store and the app's scopes in it; raises ShopifyError."""
    data = Node("HemiInstallation", client.execute(queries.INSTALLATION))
    handles = [row.text("handle") for row in data.node("currentAppInstallation").rows("accessScopes")]
    return Installation(_shop(data), tuple(handles))


def places(client: GraphQL) -> Iterator[Place]:
    """Read the store's locations, the inactive ones too; raises ShopifyError."""
    for fields in client.nodes(queries.LOCATIONS, "locations"):
        node = Node("HemiLocations.locations", fields)
        address = ", ".join(node.node("address").texts("formatted"))
        yield Place(node.integer("legacyResourceId"), node.text("name"), address, node.flag("isActive"))


def _shop(data: Node) -> Shop:
    node = data.node("shop")
    try:
        return Shop(node.gid("id"), domains.from_domain(node.text("myshopifyDomain")))
    except ValueError:
        raise node.wrong("myshopifyDomain") from None
