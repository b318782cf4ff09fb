"""How an account gets its next token without its owner: by refresh, by client credentials, or by moving over."""

import time
from enum import StrEnum

from integrations.models import AccountShopify
from integrations.shopify import oauth
from integrations.shopify.errors import Kind, ShopifyError

PAUSES = (0.5, 1.0)  # seconds; a lost answer is had again by the same request, but only at once


class Way(StrEnum):
    """By which grant a token is renewed."""

    NONE = ""
    REFRESH = "refresh"
    CREDENTIALS = "credentials"
    MOVE = "move"


def way(account: AccountShopify) -> Way:
    """Return how the account's token is renewed; NONE for one that lasts until it is revoked."""
    if account.refresh_token:
        return Way.REFRESH
    if account.integration and account.integration.uses_client_credentials and account.disconnected_at is None:
        return Way.CREDENTIALS
    return Way.MOVE if account.expiring_asked_at and account.access_token else Way.NONE


def ask(account: AccountShopify) -> oauth.TokenGrant:
    """Ask Shopify for the next token, what is temporary again at once with what is stored. Raises ShopifyError."""
    for pause in PAUSES:
        try:
            return _ask(account)
        except ShopifyError as error:
            if not error.is_temporary:
                raise
        time.sleep(pause)
    return _ask(account)


def _ask(account: AccountShopify) -> oauth.TokenGrant:
    credentials = getattr(account.integration, "credentials", None)
    if credentials is None or not credentials.client_id or not credentials.client_secret:
        raise ShopifyError(Kind.PERMANENT, "The integration has no client id and client secret.")
    app = oauth.App(credentials.client_id, credentials.client_secret)
    match way(account):
        case Way.REFRESH:
            return oauth.refresh(account.store_url, app, account.refresh_token)
        case Way.CREDENTIALS:
            return oauth.client_credentials(account.store_url, app)
        case Way.MOVE:
            return oauth.migrate(account.store_url, app, account.access_token)
    raise ShopifyError(Kind.REAUTHORISE, "This token cannot be renewed.")
