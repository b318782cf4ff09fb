"""Take out what is older than a setting, by night, in transactions so short that nobody waits for them.

docs/privacy.md
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from hemi.lib import erasure

log = logging.getLogger("hemi.retention")

SLICE_SECONDS = 20  # then the worker is somebody else's
WINDOW = 1000
FIRST, MOST = 10, 100  # rows in a transaction
AIM_SECONDS = 0.03  # of a transaction; 0.2 would hold webhooks up


def is_time(now: datetime) -> bool:
    """Tell whether it is night (UTC): then there is least to hold up."""
    return now.hour in erasure.QUIET_HOURS


def payloads_before() -> datetime:
    """Return the moment before which what came in is not kept as it came."""
    return timezone.now() - timedelta(days=settings.PAYLOAD_RETENTION_DAYS)


def orders_before() -> datetime:
    """Return the moment before which orders, documents and the audit trail are not kept."""
    return timezone.now() - timedelta(days=max(settings.ORDER_RETENTION_DAYS, settings.PAYLOAD_RETENTION_DAYS))


def keys_before(rows: models.QuerySet, moment: str, before: datetime) -> Iterator[int]:
    """Find the rows whose `moment` is before, from the oldest on, up to where a whole window of the table is younger.

    Rows come with the time, so that no index is needed to find the first ones.
    """
    every, last = rows.model._base_manager.order_by("pk"), 0
    while window := list(every.filter(pk__gt=last).values_list("pk", moment)[:WINDOW]):
        old = [pk for pk, at in window if at and at < before]
        if old:
            yield from rows.filter(pk__in=old).order_by("pk").values_list("pk", flat=True)
        elif all(at for _, at in window):
            return
        last = window[-1][0]


@dataclass
class Slice:
    """What one run of a worker takes out; `sizes` are how many rows fit into a transaction, by what they are."""

    until: float = field(default_factory=lambda: monotonic() + SLICE_SECONDS)
    counts: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        return monotonic() > self.until

    def take(self, name: str, keys: Iterable[int], act: Callable[[list[int]], int], *, most: int = MOST) -> None:
        """Have `act` deal with the keys, a few in each transaction, until they end or the slice does.

        `act` asks again for what makes a row old enough: it may have changed.
        """
        found, size = iter(keys), min(FIRST, most)
        while not self.is_over and (some := list(islice(found, size))):
            with transaction.atomic():
                begin = monotonic()
                count = act(some)
            seconds = monotonic() - begin
            self.counts[name] += count
            self.longest_seconds = max(self.longest_seconds, seconds)
            size = max(1, size // 2) if seconds > AIM_SECONDS else min(most, size + FIRST)

    def tell(self) -> int:
        """Log what was taken out; return how many rows that were."""
        counts = {name: count for name, count in self.counts.items() if count}
        if counts:
            log.info("retention.thinned", extra={**counts, "longest_ms": round(self.longest_seconds * 1000)})
        return sum(counts.values())


def deleter(rows: models.QuerySet) -> Callable[[list[int]], int]:
    """Return what deletes those of the keys that are still among `rows`."""
    label = rows.model._meta.label

    def delete(keys: list[int]) -> int:
        return rows.filter(pk__in=keys).delete()[1].get(label, 0)

    return delete
