"""Counts by name, kept in this process: what is refused leaves no other trace."""

import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[str] = Counter()


def add(name: str) -> None:
    """Count one more of `name`."""
    with _lock:
        _counts[name] += 1


def read() -> dict[str, int]:
    """Return all counts since the start of the process."""
    with _lock:
        return dict(_counts)
