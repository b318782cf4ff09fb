"""Claim rows for work by one conditional UPDATE, the same on SQLite and PostgreSQL.

A claim carries a token; every later write names it, so that a worker that lost its lease can change nothing.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

RENEWED_AFTER = 0.2  # of a lease


class Claimable(models.Model):
    """The columns of a row that is worked on: who has it, until when, how often it was tried, when it is due."""

    claim_token = models.CharField(max_length=32, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)
    last_error = models.TextField(blank=True, default="", editable=False)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Claimable)


def free() -> Q:
    """Match rows that nobody holds, or whose holder's lease has run out."""
    return Q(lease_until=None) | Q(lease_until__lt=timezone.now())


def due() -> Q:
    """Match rows that are free and whose time has come."""
    return free() & Q(next_attempt_at__lte=timezone.now())


def claim(rows: models.QuerySet, *, still: Q, limit: int, lease: timedelta) -> list:
    """Take up to `limit` of `rows` in their order and return them, claimed.

    `still` repeats what makes a row claimable (its status): PostgreSQL checks it again on each row after waiting for
    another claimer.
    """
    token = uuid.uuid4().hex
    manager = rows.model._default_manager
    wanted = rows.filter(due()).values("pk")[:limit]
    taken = manager.filter(still, free(), pk__in=wanted).update(
        claim_token=token, lease_until=timezone.now() + lease, attempts=F("attempts") + 1
    )
    return list(rows.filter(claim_token=token)) if taken else []


def take(rows: Sequence[Row], *, still: Q, lease: timedelta) -> list[Row]:
    """Claim rows that were read just now, in the same transaction; return those that nobody else has taken since."""
    if not rows:
        return []
    token, until = uuid.uuid4().hex, timezone.now() + lease
    manager = type(rows[0])._default_manager
    wanted = manager.filter(still, free(), pk__in=[row.pk for row in rows])
    count = wanted.update(claim_token=token, lease_until=until, attempts=F("attempts") + 1)
    mine = list(rows)
    if count != len(mine):
        pks = set(manager.filter(claim_token=token).values_list("pk", flat=True))
        mine = [row for row in rows if row.pk in pks]
    for row in mine:
        row.claim_token, row.lease_until, row.attempts = token, until, row.attempts + 1
    return mine


def each(claimed: list[Row], lease: timedelta) -> Iterator[Row]:
    """Yield the rows of one claim, oldest first, renewing its lease for those that wait; another's are left out.

    So a lease needs to be longer than one row takes, not than all of them, and a worker that dies costs less.
    """
    renewed_at, mine = monotonic(), {row.pk for row in claimed}
    for number, row in enumerate(claimed):
        if monotonic() - renewed_at >= RENEWED_AFTER * lease.total_seconds():
            renewed_at, mine = monotonic(), _renew(claimed[number:], lease)
        if row.pk in mine:
            yield row


def _renew(waiting: list[Row], lease: timedelta) -> set[int]:
    """Renew the lease of rows that wait, and return which of them are still held."""
    rows = type(waiting[0])._default_manager.filter(
        pk__in=[row.pk for row in waiting], claim_token=waiting[0].claim_token, lease_until__isnull=False
    )
    rows.update(lease_until=timezone.now() + lease)
    return set(rows.values_list("pk", flat=True))


def backoff(attempts: int, *, base: float = 5, cap: float = 3600) -> timedelta:
    """Return how long to wait after `attempts` failures: doubling seconds up to `cap`, with up to half as jitter."""
    seconds = min(cap, base * 2 ** min(attempts - 1, 20))
    return timedelta(seconds=seconds * random.uniform(0.5, 1))  # noqa: S311
