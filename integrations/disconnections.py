"""The runner that deletes Hemi's webhook subscriptions in a store that was disconnected, as far as it still can."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims
from integrations import account_timeline, connections, subscription_sync, token_grants, token_leases
from integrations.models import Disconnection, WebhookSubscription
from integrations.shopify import webhook_subscriptions as wire
from integrations.shopify.client import GraphQL, Pace
from integrations.shopify.errors import Kind, ShopifyError
from integrations.token_grants import Way, Wish

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # about five minutes; what stays at Shopify after that is answered and ignored
DEADLINE_SECONDS = 20.0
_STILL = Q(status=Disconnection.Status.WAITING)
_DONE = {
    "status": Disconnection.Status.DONE,
    "token": "",
    "refresh_token": "",
    "lease_until": None,
    "last_error": "",
}
_AGAIN = (Kind.TEMPORARY, Kind.UNCERTAIN)


@dataclass
class _Keeper:
    """Gets a token once more where the kept one has ended, so that nothing stays at Shopify for that."""

    row: Disconnection

    def renew(self, refused: str) -> str:
        account = self.row.account
        by = Way.REFRESH if self.row.refresh_token else Way.CREDENTIALS
        integration = self.row.integration
        if by == Way.CREDENTIALS and not (integration and integration.uses_client_credentials):
            raise ShopifyError(Kind.UNAUTHORISED, "Shopify does not accept the access token any more.")
        with token_leases.hold(account.pk):
            account.refresh_from_db(fields=["disconnected_at"])
            if account.disconnected_at is None:  # and a renewal would only get in the way of its new tokens
                raise ShopifyError(Kind.PERMANENT, "The store was connected again meanwhile.")
            grant = token_grants.ask(Wish(by, account.store_url, integration, str(self.row.refresh_token)))
        kept = {"token": grant.access_token, "refresh_token": grant.refresh_token}
        _mine(self.row).update(**kept)
        return grant.access_token

    def note(self, operation: str, error: ShopifyError | None) -> None:
        """The account has no token any more that this could be about."""


def finish() -> None:
    """Delete the subscriptions of each store that was disconnected, then forget its token for good."""
    due = (
        Disconnection.objects.filter(_STILL)
        .select_related("account__integration", "integration")
        .order_by("next_attempt_at")
    )
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
    path, store = subscription_sync.path(row.account), connections.store_of(row.account)
    with GraphQL(store, row.token, pace=Pace(DEADLINE_SECONDS), keeper=_Keeper(row)) as client:
        ours = [found for found in wire.listing(client) if found.uri.endswith(path)]
        for found in ours:
            wire.delete(client, found)
    return len(ours)


def _end(row: Disconnection, text: str) -> None:
    with transaction.atomic():
        if _mine(row).update(**_DONE):
            if text:
                account_timeline.record(row.account, "unsubscribed", text)
                WebhookSubscription.objects.filter(account=row.account).update(is_listed=False, note="Disconnected.")
            log.info("disconnection.finished", extra={**row.account.log_ids, "attempt": row.attempts})


def _mine(row: Disconnection) -> QuerySet[Disconnection]:
    return Disconnection.objects.filter(_STILL, pk=row.pk, claim_token=row.claim_token)
