"""Webhook deliveries: a queue, a few sender threads, retries, and a log of what became of each."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import requests

from sandbox.shopify.weather import Weather

TIMEOUT_SECONDS = (1, 5)


@dataclass
class Delivery:
    """One webhook to one address; a repeat of it is another row with the same webhook id."""

    topic: str
    shop: str
    uri: str
    webhook_id: str
    event_id: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    id: int = 0
    subscription: int = 0
    status: str = "pending"
    status_code: int | None = None
    attempts: int = 0
    error: str = ""
    triggered_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def summary(self) -> dict:
        """Return the row as the control interface shows it: without body and signature."""
        shown = ("id", "topic", "shop", "uri", "webhook_id", "event_id", "status", "status_code", "attempts", "error")
        return {name: getattr(self, name) for name in shown} | {"triggered_at": self.triggered_at.isoformat()}


class Webhooks:
    """Sends deliveries until they are answered with 2xx or the retry delays are used up."""

    def __init__(self, retry_delays: tuple[float, ...], senders: int = 4) -> None:
        self.deliveries: list[Delivery] = []
        self.weather = Weather()
        self.told: Callable[[Delivery], None] = lambda delivery: None
        self._retry_delays = retry_delays
        self._senders = senders
        self._queue: list[tuple[float, int, Delivery]] = []
        self._ticket = itertools.count()
        self._unfinished = 0
        self._running = False
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the sender threads; what was pending goes on."""
        self._running = True
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self._senders)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the sender threads once the calls under way are over."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def send(self, delivery: Delivery) -> Delivery:
        """Put a delivery into the log and, as the weather allows, into the queue: not at all, once or twice."""
        with self._changed:
            delays = self.weather.delays()
            if not delays:
                delivery.status = "dropped"
                self._log(delivery)
            for number, delay in enumerate(delays):
                copy = replace(delivery) if number else delivery
                self._log(copy)
                self._unfinished += 1
                self._push(copy, delay)
        return delivery

    def _log(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        delivery.id = len(self.deliveries)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until each delivery is delivered or given up; False when the time was too short."""
        with self._changed:
            return self._changed.wait_for(lambda: self._unfinished == 0, timeout)

    def _push(self, delivery: Delivery, delay: float) -> None:
        heapq.heappush(self._queue, (time.monotonic() + delay, next(self._ticket), delivery))
        self._changed.notify_all()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while delivery := self._next_due():
                status_code, error = _post(session, delivery)
                self._record(delivery, status_code, error)

    def _next_due(self) -> Delivery | None:
        with self._changed:
            while self._running:
                delay = self._queue[0][0] - time.monotonic() if self._queue else None
                if delay is not None and delay <= 0:
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(delay)
        return None

    def _record(self, delivery: Delivery, status_code: int | None, error: str) -> None:
        with self._changed:
            delivery.attempts += 1
            delivery.status_code, delivery.error = status_code, error
            self.told(delivery)
            if not error:
                delivery.status = "delivered"
            elif delivery.attempts <= len(self._retry_delays):
                self._push(delivery, self._retry_delays[delivery.attempts - 1])
                return
            else:
                delivery.status = "failed"
            self._unfinished -= 1
            self._changed.notify_all()


def _post(session: requests.Session, delivery: Delivery) -> tuple[int | None, str]:
    try:
        answer = session.post(
            delivery.uri,
            data=delivery.body,
            headers=delivery.headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return None, type(error).__name__
    succeeded = 200 <= answer.status_code < 300
    return answer.status_code, "" if succeeded else f"HTTP {answer.status_code}"
