"""An endpoint's lane: one run at a time, with the endpoint's kept session, for one time slice.

The endpoint's claim columns are the lane. Its `attempts` count failed contacts in a row. While the circuit breaker is
open (`opened_at`), nothing is tried until `next_attempt_at`; then one file goes first, and the rest if it arrives.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from hemi.lib import claims
from suppliers import breakers, due
from suppliers.models import Endpoint
from suppliers.seats import Seats
from suppliers.transports.errors import IdentityRefused, Kind, TransportError
from suppliers.transports.session import Session
from suppliers.transports.steps import Line

log = logging.getLogger(__name__)

SLICE_SECONDS = 20
RENEW_SECONDS = 5
LONGEST_PAUSE_SECONDS = 300  # how long an endpoint that cannot be reached is left alone at most
OPENS_AFTER = 3  # failed contacts in a row: the circuit breaker opens, and staff are told
PATIENCE = 3  # failed files in a row, which open it, too
_FREE: dict[str, Any] = {"claim_token": "", "lease_until": None}

# Which thread of this process is in which lane. A lease may run out while its thread still waits for the server;
# another thread that went in would wait as well, until a single bad server had them all.
_threads: dict[int, int] = {}
_threads_lock = threading.Lock()


@dataclass
class Lane:
    """The right to work at one endpoint, for all threads of one run."""

    endpoint: Endpoint
    lease: timedelta
    ends_at: float = field(default_factory=lambda: time.monotonic() + SLICE_SECONDS)
    failure: TransportError | None = None
    has_worked: bool = False
    is_lost: bool = False
    _failed_files: int = 0
    _renewed_at: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.seats = Seats(self.endpoint)
        self.seat = self.seats.take()

    @property
    def is_open(self) -> bool:
        """Tell whether there is time left and nothing speaks against going on."""
        return not self.is_over and time.monotonic() < self.ends_at

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more may be asked of the server."""
        return self.failure is not None or self.is_lost

    @property
    def is_half_open(self) -> bool:
        """Tell whether one file is to show first that the server is back."""
        return self.endpoint.opened_at is not None and not self.has_worked

    @property
    def session(self) -> Session:
        """Return a session that was alive a moment ago. Raises TransportError."""
        return self.seat.session

    @property
    def line(self) -> Line:
        """Return the session's way to bring files. Raises TransportError."""
        return self.seat.line

    def holds(self) -> bool:
        """Renew the lease where it is time to. False: another run has taken over, stop."""
        with self._lock:
            if time.monotonic() - self._renewed_at >= RENEW_SECONDS:
                self._renewed_at = time.monotonic()
                self.is_lost = not self._mine().update(lease_until=timezone.now() + self.lease)
        return not self.is_lost

    def record(self, **values: Any) -> None:
        """Write columns of the endpoint, unless another run has taken over."""
        self._mine().update(**values)

    def worked(self) -> None:
        """Note that the server did what it was asked."""
        self.has_worked, self._failed_files = True, 0

    def failed(self, error: TransportError) -> None:
        """Note a failure: of the endpoint, or of one file too many."""
        self._failed_files += 1
        if error.is_about_endpoint or self.is_half_open or self._failed_files >= PATIENCE:
            self.failure = self.failure or error

    def leave(self) -> None:
        """Keep the session for the next run and free the lane."""
        self.seat.leave()
        with transaction.atomic():
            self._release()

    def _mine(self) -> QuerySet[Endpoint]:
        return Endpoint.objects.filter(pk=self.endpoint.pk, claim_token=self.endpoint.claim_token)

    def _release(self) -> None:
        if self.failure is None:
            self._close()
        elif self.failure.kind == Kind.ENDPOINT:
            self._stop(self.failure)
        else:
            self._pause(self.failure.message)

    def _close(self) -> None:
        if not self.has_worked:
            self._mine().update(**_FREE, attempts=Greatest(F("attempts") - 1, 0))
            return
        if self._mine().update(**_FREE, attempts=0, last_error="", opened_at=None):
            breakers.closed(self.endpoint)

    def _pause(self, message: str) -> None:
        attempts = 1 if self.has_worked else self.endpoint.attempts
        due_at = timezone.now() + claims.backoff(attempts, cap=LONGEST_PAUSE_SECONDS)
        changes = {"attempts": attempts, "last_error": message, "next_attempt_at": due_at}
        if attempts >= OPENS_AFTER or self._failed_files >= PATIENCE:
            changes["opened_at"] = self.endpoint.opened_at or timezone.now()
        if not self._mine().update(**_FREE, **changes):
            return
        log.warning("endpoint.paused", extra={"endpoint_id": self.endpoint.pk, "failures": attempts, "error": message})
        if "opened_at" in changes:
            breakers.opened(self.endpoint, message)

    def _stop(self, failure: TransportError) -> None:
        message = failure.message
        stopped: dict[str, Any] = {"last_error": message, "stop_reason": message, "stopped_at": timezone.now()}
        if isinstance(failure, IdentityRefused):
            stopped["offered_identity"] = failure.identity
        if self._mine().update(**_FREE, **stopped):
            log.error("endpoint.stopped", extra={"endpoint_id": self.endpoint.pk, "error": message})
            breakers.stopped(self.endpoint, message)


@contextmanager
def enter(endpoint_id: int) -> Iterator[Lane | None]:
    """Take the endpoint's lane and give it back at the end; None if another run is in it or it is not its time."""
    with only_thread(endpoint_id) as is_alone:
        lane = _take(endpoint_id) if is_alone else None
        try:
            yield lane
        finally:
            if lane:
                lane.leave()


@contextmanager
def only_thread(endpoint_id: int) -> Iterator[bool]:
    """Tell whether no other thread of this process is at the endpoint, and keep others out."""
    me = threading.get_ident()
    with _threads_lock:
        is_new = endpoint_id not in _threads
        is_alone = _threads.setdefault(endpoint_id, me) == me
    try:
        yield is_alone
    finally:
        if is_new:
            with _threads_lock:
                _threads.pop(endpoint_id, None)


def lease(endpoint: Endpoint) -> timedelta:
    """Return how long a claim at this endpoint lasts: longer than any single step may take."""
    return timedelta(seconds=endpoint.connect_timeout + 2 * endpoint.data_timeout)


def _take(endpoint_id: int) -> Lane | None:
    endpoint = Endpoint.objects.filter(due.OPEN, pk=endpoint_id).first()
    if endpoint is None:
        return None
    length = lease(endpoint)
    taken = claims.claim(Endpoint.objects.filter(due.OPEN, pk=endpoint_id), still=due.OPEN, limit=1, lease=length)
    return Lane(taken[0], length) if taken else None
