"""Claim rows for work by one conditional UPDATE, the same on SQLite and PostgreSQL.

A claim carries a token; every later write names it, so that a worker that lost its lease can change nothing.
"""

import random
import uuid
from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Claimable(models.Model):
    """The columns of a row that is worked on: who has it, until when, how often it was tried, when it is due."""

    claim_token = models.CharField(max_length=32, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)
    last_error = models.TextField(blank=True, default="", editable=False)

    class Meta:
        abstract = True


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


def backoff(attempts: int, *, base: float = 5, cap: float = 3600) -> timedelta:
    """Return how long to wait after `attempts` failures: doubling seconds up to `cap`, with up to half as jitter."""
    seconds = min(cap, base * 2 ** min(attempts - 1, 20))
    return timedelta(seconds=seconds * random.uniform(0.5, 1))  # noqa: S311
