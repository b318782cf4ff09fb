"""The time at this Shopify: now, and ahead of it where a test wants tokens to end."""

import time


class Clock:
    """Wall-clock seconds that can be moved forward."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead += seconds
