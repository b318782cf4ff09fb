"""The heartbeats: who did its work when, in the database, where every process can read it."""

import logging
from datetime import datetime
from time import monotonic

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from hemi import tallies
from hemi.models import Heartbeat

log = logging.getLogger(__name__)

BEAT, WORK, DELIVERY = "beat", "work", "delivery"
PARTS = {
    BEAT: "beat, which starts the sweeps",
    WORK: "the worker of webhooks, routing and documents",
    DELIVERY: "the worker that talks to suppliers' servers",
}
SECONDS = 15  # between two beats
LATE_SECONDS = 120  # then something is wrong


def beat(name: str) -> None:
    """Note that a part is alive and does its work."""
    if not Heartbeat.objects.filter(name=name).update(at=timezone.now()):
        Heartbeat.objects.bulk_create([Heartbeat(name=name)], ignore_conflicts=True)


def work() -> None:
    """Let the worker say that it works, and count what came in since."""
    beat(WORK)
    tallies.count_rows()


def last() -> dict[str, datetime | None]:
    """Return when each part was last heard of."""
    known = dict(Heartbeat.objects.values_list("name", "at"))
    return {name: known.get(name) for name in PARTS}


class BeatProcess:
    """The heartbeat of the process that starts the sweeps: it beats when it sends one, and never keeps it from it."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def sent(self, **_: object) -> None:
        """Beat, unless it did a moment ago."""
        if monotonic() < self._next_at:
            return
        self._next_at = monotonic() + SECONDS
        try:
            close_old_connections()
            beat(BEAT)
        except DatabaseError as error:
            log.warning("pulse.not_written", extra={"error": type(error).__name__})
