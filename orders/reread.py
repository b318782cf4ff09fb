"""The runner that asks the store again for orders whose newest state two webhooks disagree about."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hemi.lib import claims, logs
from integrations import connections
from integrations.shopify import orders as wire
from integrations.shopify.errors import ShopifyError
from integrations.shopify.payloads import OrderSnapshot
from orders import intake, settlement, timeline
from orders.models import Order

log = logging.getLogger("orders")

LEASE = timedelta(seconds=120)
TRIES = 3  # a few seconds; then the order goes on with what Hemi has, and says so
READ_SECONDS = 15.0
_WANTED = Q(needs_reread=True)


def reread() -> int:
    """Read the orders that are due again, one after the other; return how many were looked at."""
    done = 0
    while orders := claims.claim(
        Order.objects.filter(_WANTED).order_by("next_attempt_at"), still=_WANTED, limit=5, lease=LEASE
    ):
        for order in orders:
            with logs.following(webhook_event=order.event_id, order_id=order.pk):
                _reread_one(order)
        done += len(orders)
    return done


def read(order: Order, seconds: float = READ_SECONDS) -> OrderSnapshot:
    """Return the order as its store has it now, within `seconds`. Raises ShopifyError."""
    with connections.client_for(order.account, seconds) as client:
        return wire.read(client, order.shopify_id)


def _reread_one(claimed: Order) -> None:
    try:
        snapshot = read(claimed)
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
            order.next_attempt_at = timezone.now() + timedelta(seconds=2)
            order.save(update_fields=["claim_token", "lease_until", "last_error", "next_attempt_at"])
            return
        timeline.record(order, "not_reread", f"The store was asked for its newest state and did not say: {error}")
        _finish(order)


def _finish(order: Order) -> None:
    order.needs_reread, order.claim_token, order.lease_until, order.last_error = False, "", None, ""
    settlement.settle(order, "needs_reread", "claim_token", "lease_until", "last_error")
