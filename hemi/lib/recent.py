"""What was looked up a moment ago, so that a storm of requests about one row asks the database once in a while."""

from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Keep values for `seconds`, at most `limit` of them; each process has its own."""

    def __init__(self, seconds: float, limit: int = 1000) -> None:
        self._seconds, self._limit = seconds, limit
        self._values: dict[Hashable, tuple[float, Value]] = {}

    def get(self, key: Hashable) -> Value | None:
        """Return the value of `key`, or None where there is none or it is too old."""
        until, value = self._values.get(key, (0.0, None))
        return value if monotonic() < until else None

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value from now on."""
        if len(self._values) >= self._limit:
            self._values.clear()
        self._values[key] = (monotonic() + self._seconds, value)

    def forget(self, key: Hashable) -> None:
        """Let the next one look it up."""
        self._values.pop(key, None)
