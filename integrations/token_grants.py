"""How an account gets its next token without its owner: by refresh, by client credentials, or by moving over."""

import time
from dataclasses import dataclass, field
from enum import StrEnum

from integrations.models import AccountShopify, Integration
from integrations.shopify import oauth
from integrations.shopify.errors import Kind, ShopifyError

PAUSES = (0.5, 1.0)  # seconds; a lost answer is had again by the same request, but only at once


class Way(StrEnum):
    """By which grant a token is renewed."""

    NONE = ""
    REFRESH = "refresh"
    CREDENTIALS = "credentials"
    MOVE = "move"


@dataclass(frozen=True)
class Wish:
    """One token that is wanted: by which grant, of which store, for which app, in exchange for what."""

    way: Way
    store_url: str
    integration: Integration | None
    token: str = field(default="", repr=False)  # the refresh token, or the lasting one


def app_of(account: AccountShopify) -> Integration | None:
    """Return the app that renews the account's token: the one that got it, also after the account was given another.

    An app of the client's organisation needs no old token, so it takes over at once.
    """
    chosen = account.integration
    return chosen if chosen and chosen.uses_client_credentials else account.token_integration or chosen


def way(account: AccountShopify) -> Way:
    """Return how the account's token is renewed; NONE for one that lasts until it is revoked."""
    app = app_of(account)
    if app and app.uses_client_credentials and account.disconnected_at is None:
        return Way.CREDENTIALS
    if account.refresh_token:
        return Way.REFRESH
    return Way.MOVE if account.expiring_asked_at and account.access_token else Way.NONE


def wish(account: AccountShopify) -> Wish:
    """Return what to ask for as the account's next token."""
    by = way(account)
    old = {Way.REFRESH: account.refresh_token, Way.MOVE: account.access_token}.get(by, "")
    return Wish(by, account.store_url, app_of(account), str(old))


def ask(wanted: Wish) -> oauth.TokenGrant:
    """Ask Shopify for a token, and at once again with the same where that failed for now. Raises ShopifyError."""
    for pause in PAUSES:
        try:
            return _ask(wanted)
        except ShopifyError as error:
            if not error.is_temporary:
                raise
        time.sleep(pause)
    return _ask(wanted)


def _ask(wanted: Wish) -> oauth.TokenGrant:
    credentials = getattr(wanted.integration, "credentials", None)
    if credentials is None or not credentials.client_id or not credentials.client_secret:
        raise ShopifyError(Kind.PERMANENT, "The integration has no client id and client secret.")
    app = oauth.App(credentials.client_id, credentials.client_secret)
    match wanted.way:
        case Way.REFRESH:
            return oauth.refresh(wanted.store_url, app, wanted.token)
        case Way.CREDENTIALS:
            return oauth.client_credentials(wanted.store_url, app)
        case Way.MOVE:
            return oauth.migrate(wanted.store_url, app, wanted.token)
    raise ShopifyError(Kind.REAUTHORISE, "This token cannot be renewed.")
