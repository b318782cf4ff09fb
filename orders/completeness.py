"""The runner that counts, day by day, the orders that a store has against those that Hemi has.

The last 14 days are compared daily, today and yesterday every hour. Only ids are listed, so that a day costs little.
"""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db.models import F
from django.utils import timezone

from hemi.lib import queue
from integrations import connections
from integrations.models import AccountShopify
from integrations.shopify import order_lists
from integrations.shopify.errors import ShopifyError
from orders.models import CompletenessDay, Order
from orders.reachable import REACHABLE

log = logging.getLogger("orders")

DAYS = 14
HOURLY, DAILY = timedelta(hours=1), timedelta(days=1)
SOON = timedelta(minutes=5)  # today's gap may be a webhook on its way
LEASE = timedelta(minutes=10)
SLICE_SECONDS = 60
MOST_MISSING = 5000  # kept by name; the rest follows once these are there


def compare_days() -> int:
    """Compare the days that are due, for one slice of time; return how many."""
    _open_days()
    stop_at, done = time.monotonic() + SLICE_SECONDS, 0
    while day := _claim():
        _compare(day)
        done += 1
        if time.monotonic() > stop_at:
            queue.kick("orders.compare_days")
            break
    return done


def first_day() -> date:
    """Return the first of the days (UTC) that are compared and shown."""
    return _today() - timedelta(days=DAYS - 1)


def compare_gaps_again(account: AccountShopify) -> None:
    """Have the account's days with a gap compared at once: something that was missing came."""
    rows = CompletenessDay.objects.filter(account=account, in_store__gt=F("stored"))
    if rows.update(due_at=timezone.now()):
        queue.kick("orders.compare_days")


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


def _open_days() -> None:
    """Make the rows of the last days for the accounts that have none of today, from their cut-over on."""
    today, earliest = _today(), first_day()
    for account in AccountShopify.objects.filter(REACHABLE).exclude(completeness__day=today):
        first = max(earliest, (account.orders_from or timezone.now()).astimezone(UTC).date())
        days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
        rows = [CompletenessDay(account=account, day=day) for day in days]
        CompletenessDay.objects.bulk_create(rows, ignore_conflicts=True)


def _claim() -> CompletenessDay | None:
    now = timezone.now()
    reachable = AccountShopify.objects.filter(REACHABLE).values("pk")
    due = CompletenessDay.objects.filter(account__in=reachable, due_at__lte=now, day__gte=first_day()).order_by(
        "due_at", "-day"
    )
    for day in due.select_related("account__integration")[:5]:
        if CompletenessDay.objects.filter(pk=day.pk, due_at=day.due_at).update(due_at=now + LEASE):
            day.due_at = now + LEASE
            return day
    return None


def _compare(day: CompletenessDay) -> None:
    started, account = timezone.now(), day.account
    since = datetime.combine(day.day, datetime.min.time(), UTC)
    until = since + timedelta(days=1)
    mine = CompletenessDay.objects.filter(pk=day.pk, due_at=day.due_at)
    try:
        with connections.client_for(account) as client:
            cut_over = max(since, account.orders_from or since)
            placed = {row.shopify_id: row.number for row in order_lists.placed(client, cut_over, until)}
    except ShopifyError as error:
        mine.update(due_at=started + HOURLY)
        log.warning("orders.not_counted", extra={"account": account.pk, "error": error.kind})
        return
    stored = _stored(account, placed)
    missing = [{"id": pk, "number": number} for pk, number in placed.items() if pk not in stored]
    mine.update(
        in_store=len(placed),
        stored=len(stored),
        missing=missing[:MOST_MISSING],
        checked_at=started,
        due_at=started + _pause(day.day, bool(missing)),
    )


def _stored(account: AccountShopify, ids: Iterable[int]) -> set[int]:
    wanted = list(ids)
    found: set[int] = set()
    for start in range(0, len(wanted), 500):
        rows = Order.objects.filter(account=account, shopify_id__in=wanted[start : start + 500])
        found.update(rows.values_list("shopify_id", flat=True))
    return found


def _pause(day: date, has_gap: bool) -> timedelta:
    today = _today()
    if has_gap and day == today:
        return SOON
    return HOURLY if day >= today - timedelta(days=1) else DAILY
