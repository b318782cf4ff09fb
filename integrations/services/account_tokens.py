"""What staff may do about an account's token: check a pasted one, ask for one, move to one that is renewed."""

import logging
from typing import Any

from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline, connections, token_grants
from integrations.models import AccountShopify
from integrations.services.refusals import Refused
from integrations.shopify import stores
from integrations.shopify.client import GraphQL, Pace
from integrations.shopify.errors import ShopifyError

log = logging.getLogger(__name__)

CHECK_SECONDS = 15.0


def check(*, account: AccountShopify, token: str) -> str:
    """Call the store with a token that a person pasted; return the scopes it has. Raises Refused; stores nothing."""
    try:
        with GraphQL(connections.store_of(account), token, pace=Pace(CHECK_SECONDS, is_interactive=True)) as client:
            found = stores.installation(client)
    except ShopifyError as error:
        if error.is_unauthorised:
            said = "Shopify does not accept this token. Copy it again from the app in the store's admin."
        elif error.is_temporary:
            said = f"The token could not be checked, so it was not stored: {error.message} Try again in a minute."
        else:
            said = f"The token could not be checked, so it was not stored: {error.message}"
        raise Refused(said) from None
    if found.shop.name != account.shop_name:
        raise Refused(f"This token belongs to another store: {found.shop.name}.myshopify.com.")
    return ",".join(found.scopes)


def why_not_get(account: AccountShopify) -> str:
    """Return why no token can be had by id and secret, in one sentence; blank if one can."""
    if account.integration is None or not account.integration.uses_client_credentials:
        return "Only an app of the client's own organisation gives a token for its client id and secret alone."
    credentials = getattr(account.integration, "credentials", None)
    if credentials is None or not credentials.client_id or not credentials.client_secret:
        return f"Enter the client id and the client secret of the integration {account.integration.name} first."
    return ""


def get(*, account: AccountShopify, by: Any) -> None:
    """Have a token asked for by the app's id and secret now, also after a disconnection. Raises Refused."""
    if reason := why_not_get(account):
        raise Refused(reason)
    _ask_soon(account, disconnected_at=None, disconnect_reason="", token_expires_at=timezone.now())
    account_timeline.record(account, "token_asked", "A new token was asked for by client id and secret.", actor=by)


def why_not_move(account: AccountShopify) -> str:
    """Return why the token cannot be moved to an expiring one, in one sentence; blank if it can."""
    if not account.access_token:
        return "The account has no access token: send the client an install link instead."
    if token_grants.way(account) in (token_grants.Way.REFRESH, token_grants.Way.CREDENTIALS):
        return "Its token expires already, and Hemi renews it."
    if account.integration is None or account.integration.is_internal:
        return "The token was given by the client: only tokens that an install brought can be moved."
    credentials = getattr(account.integration, "credentials", None)
    if credentials is None or not credentials.client_id or not credentials.client_secret:
        return f"Enter the client id and the client secret of the integration {account.integration.name} first."
    return "It is being moved already." if account.expiring_asked_at else ""


def move(*, account: AccountShopify, by: Any) -> None:
    """Have the account's lasting token exchanged for an expiring one: there is no way back. Raises Refused."""
    if reason := why_not_move(account):
        raise Refused(reason)
    _ask_soon(account, expiring_asked_at=timezone.now())
    account_timeline.record(account, "token_move_asked", "Asked to move to an expiring token.", actor=by)


def _ask_soon(account: AccountShopify, **wishes: object) -> None:
    now = timezone.now()
    rows = AccountShopify.objects.filter(pk=account.pk)
    rows.update(token_attempts=0, token_next_attempt_at=now, **wishes)
    queue.kick("integrations.renew_tokens")
