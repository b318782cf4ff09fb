"""An endpoint's lane: one run at a time, with the endpoint's kept session, for one time slice.

The endpoint's claim columns are the lane. Its `attempts` count failed contacts in a row.
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
from integrations import alerts
from suppliers import connections, due
from suppliers.models import Endpoint
from suppliers.transports import opening, sessions
from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.session import Session

log = logging.getLogger(__name__)

SLICE_SECONDS = 20
RENEW_SECONDS = 5
LONGEST_PAUSE_SECONDS = 300  # how long an endpoint that cannot be reached is left alone at most
ALERT_AFTER = 5  # failed contacts in a row
PATIENCE = 3  # failed files in a row before the endpoint is left alone for a while

# Which thread of this process is in which lane. A lease may run out while its thread still waits for the server;
# another thread that went in would wait as well, until a single bad server had them all.
_threads: dict[int, int] = {}
_threads_lock = threading.Lock()


@dataclass
class Lane:
    """The right to work at one endpoint."""

    endpoint: Endpoint
    lease: timedelta
    ends_at: float = field(default_factory=lambda: time.monotonic() + SLICE_SECONDS)
    failure: TransportError | None = None
    _session: Session | None = None
    _renewed_at: float = field(default_factory=time.monotonic)
    _has_worked: bool = False
    _failed_files: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether there is time left and nothing speaks against going on."""
        return self.failure is None and time.monotonic() < self.ends_at

    @property
    def session(self) -> Session:
        """Return a session that was alive a moment ago. Raises TransportError."""
        if self._session and self._session.is_broken:
            self._session.close()
            self._session = None
        if self._session is None:
            server = connections.server(self.endpoint)
            self._session = sessions.kept.take(self.endpoint.pk, server)
            if self._session is None:
                self._session = opening.open_session(server)
                alerts.clear_alert("endpoint_unreachable", self.endpoint.pk)
                alerts.clear_alert("endpoint_stopped", self.endpoint.pk)
        return self._session

    def holds(self) -> bool:
        """Renew the lease where it is time to. False: another run has taken over, stop."""
        if time.monotonic() - self._renewed_at < RENEW_SECONDS:
            return True
        self._renewed_at = time.monotonic()
        return bool(self._mine().update(lease_until=timezone.now() + self.lease))

    def record(self, **values: Any) -> None:
        """Write columns of the endpoint, unless another run has taken over."""
        self._mine().update(**values)

    def worked(self) -> None:
        """Note that the server did what it was asked."""
        self._has_worked, self._failed_files = True, 0

    def failed(self, error: TransportError) -> None:
        """Note a failure: of the endpoint, or of one file too many."""
        self._failed_files += 1
        if error.is_about_endpoint or self._failed_files >= PATIENCE:
            self.failure = error

    def leave(self) -> None:
        """Keep the session for the next run and free the lane."""
        if self._session:
            sessions.kept.keep(self.endpoint.pk, connections.server(self.endpoint), self._session)
        with transaction.atomic():
            self._release()

    def _mine(self) -> QuerySet[Endpoint]:
        return Endpoint.objects.filter(pk=self.endpoint.pk, claim_token=self.endpoint.claim_token)

    def _release(self) -> None:
        free = {"claim_token": "", "lease_until": None}
        if self.failure is None:
            attempts = 0 if self._has_worked else Greatest(F("attempts") - 1, 0)
            self._mine().update(**free, attempts=attempts, **({"last_error": ""} if self._has_worked else {}))
        elif self.failure.kind == Kind.ENDPOINT:
            self._stop(free, self.failure.message)
        else:
            self._pause(free, self.failure.message)

    def _pause(self, free: dict, message: str) -> None:
        attempts = 1 if self._has_worked else self.endpoint.attempts
        wait = claims.backoff(attempts, cap=LONGEST_PAUSE_SECONDS)
        due_at = timezone.now() + wait
        if not self._mine().update(**free, attempts=attempts, last_error=message, next_attempt_at=due_at):
            return
        log.warning("endpoint.paused", extra={**self._ids, "failures": attempts, "error": message})
        if attempts >= ALERT_AFTER:
            alerts.raise_alert(
                "endpoint_unreachable",
                self.endpoint.pk,
                f"Files do not reach {self.endpoint}",
                f"{attempts} tries in a row failed at {self.endpoint}. Hemi goes on trying.\n\n{message}",
            )

    def _stop(self, free: dict, message: str) -> None:
        if not self._mine().update(**free, last_error=message, stop_reason=message, stopped_at=timezone.now()):
            return
        log.error("endpoint.stopped", extra={**self._ids, "error": message})
        alerts.raise_alert(
            "endpoint_stopped",
            self.endpoint.pk,
            f"Deliveries to {self.endpoint} are stopped",
            f"Hemi stopped after one try, because repeating it could lock the account.\n\n{message}\n\n"
            "Mend the endpoint, test the connection and restart it. Its files wait until then.",
        )

    @property
    def _ids(self) -> dict[str, int]:
        return {"endpoint_id": self.endpoint.pk}


@contextmanager
def enter(endpoint_id: int) -> Iterator[Lane | None]:
    """Take the endpoint's lane and give it back at the end; None if another run is in it or it is not its time."""
    with _only_thread(endpoint_id) as is_alone:
        lane = _take(endpoint_id) if is_alone else None
        try:
            yield lane
        finally:
            if lane:
                lane.leave()


@contextmanager
def _only_thread(endpoint_id: int) -> Iterator[bool]:
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
