"""The runner that subscribes a store's order webhooks, and reads back that they are there."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import alerts, connections
from integrations.models import AccountShopify
from integrations.shopify import queries
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

TOPICS = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_PAID", "ORDERS_CANCELLED")
MAX_ATTEMPTS = 10
SLICE_SECONDS = 20
DEADLINE_SECONDS = 20.0  # for one list or call: the next account waits
_LEASE = timedelta(minutes=3)
_DUE = Q(webhooks=AccountShopify.Webhooks.DUE)


@dataclass(frozen=True)
class Outcome:
    """What became of one try; `error` is blank where all is well."""

    error: str = ""
    is_temporary: bool = False


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


def address(account: AccountShopify) -> str:
    """Return where the store's webhooks are posted to."""
    return f"{settings.HEMI_BASE_URL}/shopify/webhooks/{account.uuid}/"


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
            _note_shop_id(client, account)
            return _subscribe(client, address(account))
    except ShopifyError as error:
        return Outcome(error.message, is_temporary=error.kind in (Kind.TEMPORARY, Kind.UNCERTAIN))


def _subscribe(client: GraphQL, uri: str) -> Outcome:
    refusals = []
    for topic in _missing(client, uri):
        try:
            client.execute(queries.SUBSCRIBE, {"topic": topic, "uri": uri})
        except ShopifyError as error:
            if error.kind != Kind.PERMANENT:
                raise
            refusals.append(f"{topic.lower()}: {error.message}")
    # Shopify's list, not our memory of what was sent, says what is subscribed.
    lacking = _missing(client, uri)
    return Outcome("; ".join(refusals) or f"Shopify does not list {', '.join(lacking)}.") if lacking else Outcome()


def _missing(client: GraphQL, uri: str) -> list[str]:
    nodes = client.nodes(queries.WEBHOOKS, "webhookSubscriptions", {"topics": list(TOPICS)})
    present = {node["topic"] for node in nodes if node["uri"] == uri}
    return [topic for topic in TOPICS if topic not in present]


def _note_shop_id(client: GraphQL, account: AccountShopify) -> None:
    if account.shopify_shop_id is None:
        shop_id = int(client.execute(queries.SHOP)["shop"]["id"].rpartition("/")[2])
        AccountShopify.objects.filter(pk=account.pk).update(shopify_shop_id=shop_id)


def _record(account: AccountShopify, outcome: Outcome) -> None:
    ids = {"account": account.shop_name, "attempt": account.webhooks_attempts}
    if not outcome.error:
        _mine(account).update(webhooks=AccountShopify.Webhooks.ON, webhooks_error="", webhooks_attempts=0)
        alerts.clear_alert("subscriptions", account.pk)
        log.info("webhooks.subscribed", extra=ids)
        return
    log.warning("webhooks.not_subscribed", extra={**ids, "error": outcome.error})
    if outcome.is_temporary and account.webhooks_attempts < MAX_ATTEMPTS:
        next_at = timezone.now() + claims.backoff(account.webhooks_attempts)
        _mine(account).update(webhooks_error=outcome.error, webhooks_next_attempt_at=next_at)
        return
    with transaction.atomic():
        if _mine(account).update(webhooks=AccountShopify.Webhooks.FAILED, webhooks_error=outcome.error):
            alerts.raise_alert(
                "subscriptions",
                account.pk,
                f"No webhooks from {account.shop_name}",
                f"{outcome.error}\n\nNo orders arrive from {account.shop_name} until this is mended. "
                "Then choose “Subscribe webhooks again” on the account.",
            )


def _mine(account: AccountShopify) -> QuerySet:
    return AccountShopify.objects.filter(_DUE, pk=account.pk, webhooks_attempts=account.webhooks_attempts)
