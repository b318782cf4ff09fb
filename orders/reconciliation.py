"""The runner that compares each store's orders with Hemi's every 15 minutes, for webhooks are not guaranteed.

`reconciled_until` is from where the next run reads. Within a run it follows the last order that was committed, so that
a killed run goes on from there; at the end it is set some minutes before the run's start, so that runs overlap:
Shopify's search lags behind its orders, and clocks differ.
"""

import logging
import time
import uuid
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import account_timeline, connections
from integrations.models import AccountShopify
from integrations.shopify import order_lists
from integrations.shopify.errors import ShopifyError
from orders import completeness, taking, visibility
from orders.reachable import REACHABLE

log = logging.getLogger("orders")

EVERY = timedelta(minutes=15)
OVERLAP = timedelta(minutes=15)
LEASE = timedelta(minutes=5)  # renewed with each page
SLICE_SECONDS = 60  # then another account has its turn


def reconcile() -> int:
    """Compare the accounts that are due, for one slice of time; return how many were looked at."""
    stop_at, done = time.monotonic() + SLICE_SECONDS, 0
    while account := _claim():
        _reconcile_one(account)
        done += 1
        if time.monotonic() > stop_at:
            queue.kick("orders.reconcile")
            break
    return done


def _claim() -> AccountShopify | None:
    now = timezone.now()
    is_free = Q(reconcile_lease_until=None) | Q(reconcile_lease_until__lt=now)
    due = AccountShopify.objects.filter(REACHABLE, is_free, reconcile_next_at__lte=now).order_by("reconcile_next_at")
    token = uuid.uuid4().hex
    for pk in due.values_list("pk", flat=True)[:5]:
        if AccountShopify.objects.filter(is_free, pk=pk, reconcile_next_at__lte=now).update(
            reconcile_lease=token, reconcile_lease_until=now + LEASE
        ):
            return AccountShopify.objects.select_related("integration").get(pk=pk)
    return None


def _reconcile_one(account: AccountShopify) -> None:
    started = timezone.now()
    since = account.reconciled_until or account.orders_from or account.authorised_at or started
    if account.reconcile_attempts == 0 and (hidden := visibility.limit(account, since)):
        account_timeline.record(account, "orders_hidden", hidden)
    try:
        found = _read(account, since)
    except ShopifyError as error:
        _failed(account, error)
        return
    if found is None:
        return
    tally, unreadable = found
    # Behind the last page, too: a run that went on from another one would else leave no overlap to the next.
    _finish(account, max(min(account.orders_from or since, started), started - OVERLAP), unreadable)
    if tally.new:
        completeness.compare_gaps_again(account)
    counts = {"seen": tally.seen, "new": tally.new, "changed": tally.changed}
    log.info("orders.reconciled", extra={"account": account.pk, **counts})


def _read(account: AccountShopify, since: datetime) -> tuple[taking.Tally, list[str]] | None:
    """Take what changed since `since`; None if the slice ended or somebody else has the account now."""
    stop_at = time.monotonic() + SLICE_SECONDS
    tally, unreadable = taking.Tally(), []
    with connections.client_for(account) as client:
        for page in order_lists.changed(client, since):
            tally += taking.take(account, page.snapshots)
            unreadable += page.unreadable
            if page.is_last:
                break
            until = page.until or since
            if not _mine(account).update(reconciled_until=until, reconcile_lease_until=timezone.now() + LEASE):
                return None
            if time.monotonic() > stop_at and until > since:  # or the next slice would read the same again
                _release(account, timezone.now())
                queue.kick("orders.reconcile")
                return None
    return tally, unreadable


def _finish(account: AccountShopify, until: datetime, unreadable: list[str]) -> None:
    error = f"Orders that could not be read: {'; '.join(unreadable)}"[:2000] if unreadable else ""
    mine = _mine(account).update(reconciled_until=until, reconcile_attempts=0, reconcile_error=error)
    if mine and account.reconcile_error and not error:
        text = "Its orders could be compared again. What is missing all the same stands under Completeness."
        account_timeline.record(account, "orders_compared", text)
    if mine and error and not account.reconcile_error:
        account_timeline.record(account, "orders_not_compared", error)
    _release(account, timezone.now() + EVERY)


def _failed(account: AccountShopify, error: ShopifyError) -> None:
    attempts = account.reconcile_attempts + 1
    text = f"The store's orders could not be compared: {error}"
    if _mine(account).update(reconcile_attempts=attempts, reconcile_error=text) and not account.reconcile_error:
        account_timeline.record(account, "orders_not_compared", text)
    _release(account, timezone.now() + claims.backoff(attempts, base=60, cap=7200))


def _release(account: AccountShopify, next_at: datetime) -> None:
    _mine(account).update(reconcile_lease="", reconcile_lease_until=None, reconcile_next_at=next_at)


def _mine(account: AccountShopify) -> QuerySet[AccountShopify]:
    return AccountShopify.objects.filter(pk=account.pk, reconcile_lease=account.reconcile_lease)
