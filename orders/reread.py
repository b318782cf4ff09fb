"""The runner that asks the store again for orders whose newest state two webhooks disagree about."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hemi.lib import claims, logs
from integrations import connections
from integrations.shopify import orders as wire
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.payloads import OrderSnapshot
from orders import intake, settlement, timeline
from orders.models import Order

log = logging.getLogger("orders")

LEASE = timedelta(seconds=120)
TRIES = 3  # a few seconds; then the order goes on with what Hemi has, and says so
RETRY_SECONDS = 2
READ_SECONDS = 15.0
_OF_ONE_ORDER = (Kind.PERMANENT, Kind.FORBIDDEN)
_WANTED = Q(needs_reread=True)


def reread() -> int:
    """Read the orders that are due again, one after the other; return how many were looked at."""
    done, stores = 0, _Stores()
    while orders := claims.claim(
        Order.objects.filter(_WANTED).order_by("next_attempt_at"), still=_WANTED, limit=5, lease=LEASE
    ):
        for order in orders:
            with logs.following(webhook_event=order.event_id, order_id=order.pk):
                _reread_one(order, stores)
        done += len(orders)
    return done


def read(order: Order, seconds: float = READ_SECONDS) -> OrderSnapshot:
    """Return the order as its store has it now, within `seconds`. Raises ShopifyError."""
    with connections.client_for(order.account, seconds) as client:
        return wire.read(client, order.shopify_id)


@dataclass
class _Stores:
    """The stores that did not answer just now: what waits for one is not tried order by order."""

    failed: dict[int, tuple[ShopifyError, float]] = field(default_factory=dict)  # by account: why, and when

    def read(self, order: Order) -> OrderSnapshot:
        """Return the order as its store has it now. Raises ShopifyError."""
        error, at = self.failed.get(order.account_id, (None, 0.0))
        if error and monotonic() - at < RETRY_SECONDS:
            raise error
        try:
            return read(order)
        except ShopifyError as error:
            if error.kind not in _OF_ONE_ORDER:
                self.failed[order.account_id] = error, monotonic()
            raise


def _reread_one(claimed: Order, stores: _Stores) -> None:
    try:
        snapshot = stores.read(claimed)
    except ShopifyError as error:
        _failed(claimed, error)
        return
    with transaction.atomic():
        order = settlement.locked(claimed.pk)
        if order.claim_token == claimed.claim_token:
            intake.take_answer(order, snapshot)
            _finish(order)


def _failed(claimed: Order, error: ShopifyError) -> None:
    with transaction.atomic():
        order = settlement.locked(claimed.pk)
        if order.claim_token != claimed.claim_token:
            return
        if order.attempts < TRIES:
            order.claim_token, order.lease_until, order.last_error = "", None, str(error)
            order.next_attempt_at = timezone.now() + timedelta(seconds=RETRY_SECONDS)
            order.save(update_fields=["claim_token", "lease_until", "last_error", "next_attempt_at"])
            return
        timeline.record(order, "not_reread", f"The store was asked for its newest state and did not say: {error}")
        _finish(order)


def _finish(order: Order) -> None:
    order.needs_reread, order.claim_token, order.lease_until, order.last_error = False, "", None, ""
    settlement.settle(order, "needs_reread", "claim_token", "lease_until", "last_error")
