"""Shopify's leaky bucket as this process knows it: wait before a call that would be throttled, and let people first.

One bucket for each app and store. https://shopify.dev/docs/api/usage/limits#rate-limits
"""

import threading
import time
from dataclasses import dataclass

from integrations.shopify.answers import Cost

SHARE_FOR_PEOPLE = 0.2  # of the bucket stays for buttons: those are pressed in another process
_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Wish:
    """A call that wants its points: which document, for whom, and until when it can wait."""

    operation: str
    is_interactive: bool
    give_up_at: float


class Bucket:
    """What is left of the points as Shopify said last, less what is under way. Costs are learned from answers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._costs: dict[str, float] = {}
        self._maximum = self._available = self._rate = 0.0  # a rate of 0: nothing was said yet
        self._said_at = 0.0
        self._under_way = 0.0
        self._people = 0  # interactive calls that wait

    def take(self, wish: Wish) -> tuple[float, float]:
        """Wait for the points of a call; return them and the seconds waited. None are waited for past the deadline."""
        started = time.monotonic()
        with self._changed:
            points = self._costs.get(wish.operation, 0.0)
            self._people += wish.is_interactive
            try:
                while (seconds := self._seconds(points, wish)) > 0 and time.monotonic() < wish.give_up_at:
                    left = wish.give_up_at - time.monotonic()
                    self._changed.wait(max(0.01, min(seconds, left, _LOOK_AGAIN_SECONDS)))
            finally:
                self._people -= wish.is_interactive
            self._under_way += points
            self._changed.notify_all()
        return points, time.monotonic() - started

    def note(self, operation: str, points: float, cost: Cost | None) -> None:
        """Give back the points of a call that came back, and take over what Shopify says is left."""
        with self._changed:
            self._under_way = max(0.0, self._under_way - points)
            if cost and cost.requested is not None:
                self._costs[operation] = cost.requested
            if cost and cost.maximum and cost.restore_rate and cost.available is not None:
                self._maximum, self._available, self._rate = cost.maximum, cost.available, cost.restore_rate
                self._said_at = time.monotonic()
            self._changed.notify_all()

    def _seconds(self, points: float, wish: Wish) -> float:
        """Return how long it takes until a call of so many points may go; 0 is now."""
        if not self._rate or not points:
            return 0.0
        if self._people and not wish.is_interactive:
            return _LOOK_AGAIN_SECONDS
        now = self._available + (time.monotonic() - self._said_at) * self._rate
        available = min(self._maximum, now) - self._under_way
        kept = 0.0 if wish.is_interactive else self._maximum * SHARE_FOR_PEOPLE
        wanted = min(points + kept, self._maximum)
        return max(0.0, (wanted - available) / self._rate)


class Buckets:
    """The buckets of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}

    def of(self, key: str) -> Bucket:
        """Return the bucket of an app in a store."""
        with self._lock:
            return self._buckets.setdefault(key, Bucket())


buckets = Buckets()
