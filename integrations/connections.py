"""The way from an account to its store."""

from django.conf import settings

from integrations.models import AccountShopify
from integrations.shopify.client import DEADLINE_SECONDS, GraphQL
from integrations.shopify.errors import Kind, ShopifyError


def shop_url(account: AccountShopify) -> str:
    """Return where the store's admin and API are."""
    return settings.SHOPIFY_SHOP_URL.format(shop=account.shop_name)


def client_for(account: AccountShopify, deadline_seconds: float = DEADLINE_SECONDS) -> GraphQL:
    """Return a client of the store's API; raises ShopifyError without a token. Use it as a context manager."""
    if not account.is_authorised:
        raise ShopifyError(Kind.UNAUTHORISED, f"{account.shop_name} is not authorised: it has no access token.")
    version = account.integration.version if account.integration else settings.SHOPIFY_API_VERSION
    return GraphQL(
        shop_url=shop_url(account), token=account.access_token, version=version, deadline_seconds=deadline_seconds
    )
