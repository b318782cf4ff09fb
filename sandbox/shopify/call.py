"""One GraphQL call: who asks, for which shop, with which rights."""

from dataclasses import dataclass, field

from graphql import GraphQLError

from sandbox.shopify import scopes
from sandbox.shopify.core import Core
from sandbox.shopify.shop_fields import product_fields, variant_fields
from sandbox.shopify.state import Grant, Shop

_PROTECTED = {"orders": "Order", "order": "Order", "customers": "Customer"}


@dataclass
class Call:
    """The context that every resolver gets."""

    core: Core
    shop: Shop
    grant: Grant
    api_version: str
    forced_user_errors: bool = False
    access_denied: bool = False
    search_warnings: list[str] = field(default_factory=list)

    def has(self, scope: str) -> bool:
        """Say whether the token carries a scope, or the write scope that implies it."""
        return not self.access_denied and scope in scopes.expand(self.grant.scopes)

    def require(self, scope: str, field_name: str) -> None:
        """Refuse a field whose scope was not granted or whose data needs an approval, with Shopify's sentences."""
        app = self.core.state.apps.get(self.grant.client_id)
        if field_name in _PROTECTED and app and not app.is_approved_for_customers:
            raise GraphQLError(
                f"This app is not approved to access the {_PROTECTED[field_name]} object. "
                "See https://shopify.dev/docs/apps/launch/protected-customer-data for more details.",
                extensions={"code": "ACCESS_DENIED"},
            )
        if not self.has(scope):
            raise GraphQLError(
                f"Access denied for {field_name} field. Required access: `{scope}` access scope.",
                extensions={"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}` access scope."},
            )

    def product(self, product_id: int | None) -> dict | None:
        """Return a product of the shop, or None when it is gone."""
        self.require("read_products", "product")
        rows = [row for row in self.shop.products if row["id"] == product_id]
        return product_fields(rows[0]) if rows else None

    def variant(self, variant_id: int | None) -> dict | None:
        """Return a product's variant, or None when it is gone."""
        self.require("read_products", "variant")
        rows = [row for row in self.shop.products if row["variant_id"] == variant_id]
        return variant_fields(rows[0]) if rows else None
