"""The runner that keeps a store's webhooks subscribed, and reads back that they are there."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import account_timeline, alerts, connections, subscription_sync, topics
from integrations.models import AccountShopify
from integrations.shopify import stores
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
SLICE_SECONDS = 20
DEADLINE_SECONDS = 20.0  # for one list or call
_LEASE = timedelta(minutes=3)
_ANOTHER_STORE = (
    "The store that was connected as {} is not the one of before: Shopify gives it another shop id. Its orders do not "
    "belong to this account. Disconnect it, and connect it as an account of its own."
)
_DUE = Q(webhooks=AccountShopify.Webhooks.DUE)


@dataclass(frozen=True)
class Outcome:
    """What became of one try; `error` is blank where all is well."""

    error: str = ""
    is_temporary: bool = False
    are_orders_on: bool = False


def why_off(account: AccountShopify) -> str:
    """Return why the store cannot send webhooks to Hemi, in a sentence; blank if it can."""
    credentials = getattr(account.integration, "credentials", None) if account.integration else None
    if credentials is None or not credentials.secrets:
        return "Webhooks are off: the integration has no client secret (API secret key), so none could be verified."
    if not settings.HEMI_BASE_URL:
        return "Webhooks are off: HEMI_BASE_URL is not set, so Shopify has no address to post to."
    if not settings.HEMI_BASE_URL.startswith("https://") and not settings.SANDBOX:
        return "Webhooks are off: HEMI_BASE_URL does not begin with https://, and Shopify posts to nothing else."
    return ""


def subscribe_webhooks() -> None:
    """Subscribe the webhooks of each account that asks for it, for one slice of time."""
    stop_at = time.monotonic() + SLICE_SECONDS
    while account := _claim():
        _record(account, _try(account))
        if time.monotonic() > stop_at:
            queue.kick("integrations.subscribe_webhooks")
            return


def _claim() -> AccountShopify | None:
    """Take the next account; the attempt number is the claim's token, the next attempt its lease."""
    due = AccountShopify.objects.filter(_DUE, webhooks_next_attempt_at__lte=timezone.now())
    for account in due.select_related("integration__credentials").order_by("webhooks_next_attempt_at")[:5]:
        account.webhooks_attempts += 1
        if due.filter(pk=account.pk, webhooks_attempts=account.webhooks_attempts - 1).update(
            webhooks_attempts=account.webhooks_attempts, webhooks_next_attempt_at=timezone.now() + _LEASE
        ):
            return account
    return None


def _try(account: AccountShopify) -> Outcome:
    if reason := why_off(account):
        return Outcome(reason)
    try:
        with connections.client_for(account, DEADLINE_SECONDS) as client:
            installation = stores.installation(client)
            if not _is_its_store(account, installation.shop.id):
                return Outcome(_ANOTHER_STORE.format(account.shop_name))
            found = subscription_sync.look(client, account)
            _tell_gone(account, found.gone, topics.skipped(installation.scopes))
            result = subscription_sync.sync(client, account, found, installation.scopes)
    except ShopifyError as error:
        return Outcome(error.message, is_temporary=error.kind in (Kind.TEMPORARY, Kind.UNCERTAIN))
    return Outcome(result.error, are_orders_on=result.are_orders_on)


def _is_its_store(account: AccountShopify, shop_id: int) -> bool:
    row = AccountShopify.objects.filter(pk=account.pk)
    row.filter(shopify_shop_id=None).update(shopify_shop_id=shop_id)
    return row.filter(shopify_shop_id=shop_id).exists()


def _tell_gone(account: AccountShopify, gone: list[str], skipped: Collection[str]) -> None:
    """Tell staff before anything is mended: a try that breaks off half-way would leave no trace of the rest."""
    if not gone:
        if account.webhooks_attempts == 1:  # a second try finds what the first one restored
            alerts.clear_alert("subscriptions_gone", account.pk)
        return
    names = ", ".join(topic.lower() for topic in gone)
    ending = (
        "For some of them the app has no scope any more; the others are subscribed again."
        if any(topic in skipped for topic in gone)
        else "Hemi subscribed them again, unless another alert says otherwise."
    )
    with transaction.atomic():
        account.subscriptions.filter(topic__in=gone).update(is_listed=False)
        account_timeline.record(account, "webhooks_gone", f"Webhooks had gone from the store: {names}. {ending}")
        alerts.raise_alert(
            "subscriptions_gone",
            account.pk,
            f"Webhooks of {account.shop_name} had gone",
            f"Shopify did not list these subscriptions any more: {names}. {ending}\n\n"
            "What happened meanwhile is read from the store. Shopify deletes a subscription after eight failed "
            "deliveries in a row: see whether Hemi could be reached.",
        )


def _record(account: AccountShopify, outcome: Outcome) -> None:
    ids = {**account.log_ids, "attempt": account.webhooks_attempts}
    if not outcome.error:
        _mine(account).update(webhooks=AccountShopify.Webhooks.ON, webhooks_error="", webhooks_attempts=0)
        alerts.clear_alert("subscriptions", account.pk)
        alerts.clear_alert("uninstalled", account.pk)
        log.info("webhooks.subscribed", extra=ids)
        return
    log.warning("webhooks.not_subscribed", extra={**ids, "error": outcome.error})
    if outcome.is_temporary and account.webhooks_attempts < MAX_ATTEMPTS:
        next_at = timezone.now() + claims.backoff(account.webhooks_attempts)
        _mine(account).update(webhooks_error=outcome.error, webhooks_next_attempt_at=next_at)
        return
    with transaction.atomic():
        if _mine(account).update(webhooks=AccountShopify.Webhooks.FAILED, webhooks_error=outcome.error):
            _alert(account, outcome)


def _alert(account: AccountShopify, outcome: Outcome) -> None:
    if outcome.are_orders_on:
        subject = f"Some webhooks of {account.shop_name} are missing"
        harm = "Orders still arrive, but Hemi does not hear of everything else"
    else:
        subject = f"No webhooks from {account.shop_name}"
        harm = f"No orders arrive from {account.shop_name}"
    alerts.raise_alert(
        "subscriptions",
        account.pk,
        subject,
        f"{outcome.error}\n\n{harm} until this is mended. Then choose “Check webhooks now” on the account.",
    )


def _mine(account: AccountShopify) -> QuerySet:
    return AccountShopify.objects.filter(_DUE, pk=account.pk, webhooks_attempts=account.webhooks_attempts)
