"""The runner that deletes Hemi's webhook subscriptions in a store that was disconnected, as far as it still can."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims
from integrations import account_timeline, connections, subscription_sync
from integrations.models import Disconnection, WebhookSubscription
from integrations.shopify import webhook_subscriptions as wire
from integrations.shopify.client import GraphQL, Pace
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # about five minutes; what stays at Shopify after that is answered and ignored
DEADLINE_SECONDS = 20.0
_STILL = Q(status=Disconnection.Status.WAITING)
_AGAIN = (Kind.TEMPORARY, Kind.UNCERTAIN)


def finish() -> None:
    """Delete the subscriptions of each store that was disconnected, then forget its token for good."""
    due = Disconnection.objects.filter(_STILL).select_related("account__integration").order_by("next_attempt_at")
    while rows := claims.claim(due, still=_STILL, limit=1, lease=timedelta(minutes=2)):
        _finish(rows[0])


def _finish(row: Disconnection) -> None:
    if not row.token or row.account.disconnected_at is None:
        _end(row, "")  # there is no way in; or it was connected again meanwhile, and the subscriptions are wanted
        return
    try:
        count = _unsubscribe(row)
    except ShopifyError as error:
        if error.kind in _AGAIN and row.attempts < MAX_ATTEMPTS:
            next_at = timezone.now() + claims.backoff(row.attempts)
            _mine(row).update(lease_until=None, next_attempt_at=next_at, last_error=error.message)
            return
        text = f"Hemi's webhook subscriptions could not be deleted at Shopify: {error.message} What still comes is "
        _end(row, f"{text}ignored.")
        return
    _end(row, f"Hemi's webhook subscriptions were deleted at Shopify ({count}).")


def _unsubscribe(row: Disconnection) -> int:
    """Delete what posts to this account, and nothing else; return how many there were."""
    path = subscription_sync.path(row.account)
    with GraphQL(connections.store_of(row.account), row.token, pace=Pace(DEADLINE_SECONDS)) as client:
        ours = [found for found in wire.listing(client) if found.uri.endswith(path)]
        for found in ours:
            wire.delete(client, found)
    return len(ours)


def _end(row: Disconnection, text: str) -> None:
    with transaction.atomic():
        if _mine(row).update(status=Disconnection.Status.DONE, token="", lease_until=None, last_error=""):  # noqa: S106
            if text:
                account_timeline.record(row.account, "unsubscribed", text)
                WebhookSubscription.objects.filter(account=row.account).update(is_listed=False, note="Disconnected.")
            log.info("disconnection.finished", extra={"account": row.account.shop_name, "attempt": row.attempts})


def _mine(row: Disconnection) -> QuerySet[Disconnection]:
    return Disconnection.objects.filter(_STILL, pk=row.pk, claim_token=row.claim_token)
