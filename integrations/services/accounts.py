"""What staff may do with an account."""

import logging
from typing import Any

from django.utils import timezone

from hemi.lib import queue
from integrations import subscriptions, tokens
from integrations.models import AccountShopify
from integrations.services.refusals import Refused
from integrations.shopify.oauth import TokenGrant

log = logging.getLogger(__name__)


def store_token(*, account: AccountShopify, token: str, by: Any, granted_scopes: str = "") -> None:
    """Store a token that a person pasted: the account is then authorised as after an install. Raises Refused."""
    seen = AccountShopify.objects.values_list("token_version", flat=True).get(pk=account.pk)
    if not tokens.store(account, TokenGrant(token, granted_scopes), seen_version=seen):
        raise Refused("Another token was stored at the same moment, so yours was not. Look at the account again.")
    log.info("account.token_pasted", extra={"account": account.shop_name, "by": by.get_username() if by else ""})


def clear_token(*, account: AccountShopify, by: Any) -> None:
    """Forget the token: the account is not authorised any more, and Shopify is not asked for anything."""
    tokens.drop(account)
    AccountShopify.objects.filter(pk=account.pk).update(webhooks=AccountShopify.Webhooks.OFF, webhooks_error="")
    log.info("account.token_cleared", extra={"account": account.shop_name, "by": by.get_username() if by else ""})


def pause(*, account: AccountShopify, reason: str, by: Any) -> None:
    """Keep the account's orders here until it is resumed; webhooks are still taken. Raises Refused."""
    if not reason.strip():
        raise Refused("Give a reason; whoever looks next will want to know.")
    rows = AccountShopify.objects.filter(pk=account.pk, paused_at=None)
    if not rows.update(paused_at=timezone.now(), pause_reason=reason.strip()[:300]):
        raise Refused("The account is paused already.")
    log.info("account.paused", extra={"account": account.shop_name, "by": by.get_username() if by else ""})


def resume(*, account: AccountShopify, by: Any) -> None:
    """Let the account's orders go on. Raises Refused."""
    rows = AccountShopify.objects.filter(pk=account.pk).exclude(paused_at=None)
    if not rows.update(paused_at=None, pause_reason=""):
        raise Refused("The account is not paused.")
    log.info("account.resumed", extra={"account": account.shop_name, "by": by.get_username() if by else ""})
    queue.kick("suppliers.sweep_deliveries")


def why_not_read(account: AccountShopify) -> str:
    """Return why the store cannot be asked for anything, in one sentence; blank if it can."""
    return "" if account.is_authorised else "The store is not connected: the account has no access token."


def why_not_subscribe(account: AccountShopify) -> str:
    """Return why webhooks cannot be subscribed, in one sentence; blank if they can."""
    return why_not_read(account) or subscriptions.why_off(account)


def subscribe_again(*, account: AccountShopify, by: Any) -> None:
    """Ask for the webhooks to be subscribed, and to be read back from Shopify. Raises Refused."""
    if reason := why_not_subscribe(account):
        raise Refused(reason)
    AccountShopify.objects.filter(pk=account.pk).update(**tokens.due_webhooks())
    queue.kick("integrations.subscribe_webhooks")
    log.info("webhooks.asked", extra={"account": account.shop_name, "by": by.get_username() if by else ""})
