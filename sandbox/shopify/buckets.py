"""The leaky bucket of query cost, one for each app and shop."""

import threading
import time
from dataclasses import dataclass

RATES = {"standard": (2000.0, 100.0), "advanced": (4000.0, 200.0), "plus": (20000.0, 1000.0)}


@dataclass
class Bucket:
    """Points that are left, and how fast they come back."""

    maximum: float
    restore_rate: float
    available: float
    filled_at: float

    def refill(self) -> None:
        """Add what came back since the last look."""
        now = time.monotonic()
        self.available = min(self.maximum, self.available + (now - self.filled_at) * self.restore_rate)
        self.filled_at = now

    def status(self) -> dict:
        """Return the `throttleStatus` of an answer."""
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": int(self.available),
            "restoreRate": self.restore_rate,
        }


class Buckets:
    """All buckets of one sandbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def resize(self, client_id: str, shop: str, maximum: float, restore_rate: float) -> None:
        """Give an app another bucket in a shop, full."""
        with self._lock:
            self._buckets[client_id, shop] = Bucket(maximum, restore_rate, maximum, time.monotonic())

    def spend(self, client_id: str, shop: str, plan: str, points: float) -> tuple[bool, dict]:
        """Take points if they are there; a negative number gives back what a query did not use."""
        with self._lock:
            bucket = self._bucket(client_id, shop, plan)
            bucket.refill()
            has_enough = points <= bucket.available
            if has_enough:
                bucket.available = min(bucket.maximum, bucket.available - points)
            return has_enough, bucket.status()

    def _bucket(self, client_id: str, shop: str, plan: str) -> Bucket:
        maximum, rate = RATES.get(plan, RATES["standard"])
        fresh = Bucket(maximum, rate, maximum, time.monotonic())
        return self._buckets.setdefault((client_id, shop), fresh)
