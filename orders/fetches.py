"""The runner that brings the orders that a person asked for: those of a range of time, or a list of them."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import connections
from integrations.shopify import order_lists
from integrations.shopify import orders as wire
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError
from orders import completeness, taking
from orders.models import OrderFetch

log = logging.getLogger("orders")

LEASE = timedelta(minutes=5)  # renewed with each step
SLICE_SECONDS = 60
TRIES = 6  # without a step forward; some minutes
AT_ONCE = 10  # of a list of orders: as many as are stored between two looks at the progress
_WANTED = Q(status__in=OrderFetch.DUE)


@dataclass(frozen=True)
class _Step:
    tally: taking.Tally
    position: str
    unreadable: list[str] = field(default_factory=list)
    can_pause: bool = True  # more is to come, and a next slice would not read the same again


def fetch() -> int:
    """Fetch what is due, for one slice of time each; return how many were looked at."""
    due = OrderFetch.objects.filter(_WANTED).select_related("account__integration").order_by("next_attempt_at")
    done = 0
    while fetches := claims.claim(due, still=_WANTED, limit=1, lease=LEASE):
        _fetch_one(fetches[0])
        done += 1
    return done


def _fetch_one(wish: OrderFetch) -> None:
    stop_at = time.monotonic() + SLICE_SECONDS
    try:
        with connections.client_for(wish.account) as client:
            for step in _steps(client, wish):
                if not _record(wish, step):
                    return
                if time.monotonic() > stop_at and step.can_pause:
                    _mine(wish, claim_token="", lease_until=None, next_attempt_at=timezone.now())
                    queue.kick("orders.fetch")
                    return
    except ShopifyError as error:
        _failed(wish, error)
        return
    done = {"status": OrderFetch.Status.DONE, "done_at": timezone.now(), "last_error": "", "lease_until": None}
    if _mine(wish, **done):
        completeness.compare_gaps_again(wish.account)
        log.info("orders.fetched", extra={"fetch": wish.pk, "account": wish.account_id, "seen": wish.seen})


def _steps(client: GraphQL, wish: OrderFetch) -> Iterator[_Step]:
    return _listed(client, wish) if wish.wanted else _ranged(client, wish)


def _ranged(client: GraphQL, wish: OrderFetch) -> Iterator[_Step]:
    assert wish.since is not None, "services ask for a range or a list"
    since = datetime.fromisoformat(wish.position) if wish.position else wish.since
    for page in order_lists.changed(client, since, wish.until):
        tally = taking.take(wish.account, page.snapshots)
        until = page.until or since
        yield _Step(tally, until.isoformat(), page.unreadable, until > since and not page.is_last)


def _listed(client: GraphQL, wish: OrderFetch) -> Iterator[_Step]:
    for start in range(int(wish.position or 0), len(wish.wanted), AT_ONCE):
        snapshots, unreadable = [], []
        for shopify_id in wish.wanted[start : start + AT_ONCE]:
            try:
                snapshots.append(wire.read(client, shopify_id))
            except ShopifyError as error:
                if error.kind != Kind.PERMANENT:
                    raise
                unreadable.append(f"{shopify_id}: {error}")
        end = start + AT_ONCE
        yield _Step(taking.take(wish.account, snapshots), str(end), unreadable, end < len(wish.wanted))


def _record(wish: OrderFetch, step: _Step) -> bool:
    """Write how far the fetch is; False if somebody else has it now."""
    wish.seen, wish.new = wish.seen + step.tally.seen, wish.new + step.tally.new
    wish.changed += step.tally.changed
    wish.note = "\n".join([*filter(None, [wish.note]), *step.unreadable])[:10_000]
    wish.position = step.position
    progress = {name: getattr(wish, name) for name in ("seen", "new", "changed", "note", "position")}
    return _mine(wish, **progress, attempts=0, lease_until=timezone.now() + LEASE)


def _failed(wish: OrderFetch, error: ShopifyError) -> None:
    attempts = OrderFetch.objects.values_list("attempts", flat=True).get(pk=wish.pk)
    values: dict[str, Any] = {"last_error": str(error), "lease_until": None}
    if error.kind in (Kind.TEMPORARY, Kind.UNCERTAIN) and attempts < TRIES:
        values["next_attempt_at"] = timezone.now() + claims.backoff(attempts or 1)
    else:
        values |= {"status": OrderFetch.Status.FAILED, "done_at": timezone.now()}
    _mine(wish, **values)


def _mine(wish: OrderFetch, **values: Any) -> bool:
    rows = OrderFetch.objects.filter(pk=wish.pk, claim_token=wish.claim_token)
    return bool(rows.update(**values))
