"""What staff may do with an account."""

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline, alerts, subscriptions, token_grants, tokens
from integrations.models import AccountShopify, Disconnection, InstallLink
from integrations.services import arrivals, install_links
from integrations.services.refusals import Refused
from integrations.shopify.oauth import TokenGrant

log = logging.getLogger(__name__)

_ENDED = "The account was disconnected."


def store_token(*, account: AccountShopify, token: str, by: Any, granted_scopes: str = "") -> None:
    """Store a token that a person pasted: the account is then authorised as after an install. Raises Refused."""
    seen = AccountShopify.objects.values_list("token_version", flat=True).get(pk=account.pk)
    if not tokens.store(account, TokenGrant(token, granted_scopes), seen_version=seen):
        raise Refused("Another token was stored at the same moment, so yours was not. Look at the account again.")
    log.info("account.token_pasted", extra={**account.log_ids, "by": by.pk if by else None})


def clear_token(*, account: AccountShopify, by: Any) -> None:
    """Forget the token: the account is not authorised any more, and Shopify is not asked for anything."""
    tokens.drop(account)
    AccountShopify.objects.filter(pk=account.pk).update(webhooks=AccountShopify.Webhooks.OFF, webhooks_error="")
    log.info("account.token_cleared", extra={**account.log_ids, "by": by.pk if by else None})


def disconnect(*, account: AccountShopify, reason: str, by: Any) -> None:
    """Drop the account's tokens and its open link, and have Hemi's subscriptions at Shopify deleted. Its orders go on
    and its history stays; it is connected again by a new install. Raises Refused."""
    if not reason.strip():
        raise Refused("Give a reason; whoever looks next will want to know.")
    with transaction.atomic():
        # A code that is being exchanged would connect it again a moment later. First, as there: link, then account.
        has_stopped_one = account.install_links.filter(status=InstallLink.Status.CODE_RECEIVED).update(
            status=InstallLink.Status.FAILED, reason=_ENDED, code="", lease_until=None, claim_token=""
        )
        row = AccountShopify.objects.select_for_update(no_key=True).get(pk=account.pk)
        if (refusal := why_not_disconnect(row)) and not has_stopped_one:
            raise Refused(refusal)
        Disconnection.objects.create(
            account=row,
            token=row.access_token,
            refresh_token=row.refresh_token,
            integration=token_grants.app_of(row),
        )
        tokens.drop(row)
        AccountShopify.objects.filter(pk=row.pk).update(
            webhooks=AccountShopify.Webhooks.OFF,
            webhooks_error="",
            disconnected_at=timezone.now(),
            disconnect_reason=reason.strip()[:300],
        )
        for link in row.install_links.filter(status=InstallLink.Status.OPEN):
            install_links.end(link, by, _ENDED)
        account_timeline.record(row, "disconnected", f"Disconnected: {reason.strip()}", actor=by)
        for kind in ("subscriptions", "subscriptions_gone", "scopes", "install"):
            alerts.clear_alert(kind, row.pk)
    queue.kick("integrations.finish_disconnections")


def why_not_disconnect(account: AccountShopify) -> str:
    """Return why the account cannot be disconnected, in one sentence; blank if it can."""
    if account.disconnected_at:
        return "The account is disconnected already."
    live = (InstallLink.Status.OPEN, InstallLink.Status.CODE_RECEIVED)
    has_open_link = account.install_links.filter(status__in=live).exists()
    return "" if account.is_authorised or has_open_link else "The account is not connected, and no link is open."


def claim(*, account: AccountShopify, by: Any) -> None:
    """Take an account that came by itself as the client's it was given; it is no longer paused for that."""
    rows = AccountShopify.objects.filter(pk=account.pk, is_unclaimed=True).exclude(client=None)
    if rows.update(is_unclaimed=False):
        account_timeline.record(account, "claimed", f"Claimed for {account.client}.", actor=by)
        if AccountShopify.objects.filter(pk=account.pk, pause_reason=arrivals.UNCLAIMED).exists():
            resume(account=account, by=by)


def pause(*, account: AccountShopify, reason: str, by: Any) -> None:
    """Keep the account's orders here until it is resumed; webhooks are still taken. Raises Refused."""
    if not reason.strip():
        raise Refused("Give a reason; whoever looks next will want to know.")
    rows = AccountShopify.objects.filter(pk=account.pk, paused_at=None)
    if not rows.update(paused_at=timezone.now(), pause_reason=reason.strip()[:300]):
        raise Refused("The account is paused already.")
    log.info("account.paused", extra={**account.log_ids, "by": by.pk if by else None})


def resume(*, account: AccountShopify, by: Any) -> None:
    """Let the account's orders go on. Raises Refused."""
    rows = AccountShopify.objects.filter(pk=account.pk).exclude(paused_at=None)
    if not rows.update(paused_at=None, pause_reason=""):
        raise Refused("The account is not paused.")
    log.info("account.resumed", extra={**account.log_ids, "by": by.pk if by else None})
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
    log.info("webhooks.asked", extra={**account.log_ids, "by": by.pk if by else None})
