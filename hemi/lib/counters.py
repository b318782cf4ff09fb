"""Counts by name, of this process: what is refused, and what an API cost, leave no row of their own.

Where `write_with` named a writer, a thread hands it what came together, every few seconds, so that all processes
together have one truth. What a killed process had not handed over yet is not counted.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping

Key = tuple[str, str]  # name and label
Writer = Callable[[Mapping[Key, float]], bool]


class Counters:
    """The counts since the start of the process, and those that nobody was told yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._untold: Counter[Key] = Counter()
        self._writer: Writer | None = None
        self._seconds = 0.0
        self._pid = 0

    def add(self, name: str, label: str, amount: float) -> None:
        with self._lock:
            self._counts[name, label] += amount  # type: ignore[assignment]
            if self._writer is None:
                return
            self._untold[name, label] += amount  # type: ignore[assignment]
            if self._pid != os.getpid():  # threads do not survive a fork
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="counters", daemon=True).start()

    def read(self) -> dict[str, float]:
        with self._lock:
            found: Counter[str] = Counter()
            for (name, _), amount in self._counts.items():
                found[name] += amount
            return dict(found)

    def write_with(self, writer: Writer | None, seconds: float) -> None:
        with self._lock:
            self._writer, self._seconds = writer, seconds

    def tell(self) -> None:
        """Hand over what came together; what was not taken waits for the next time."""
        with self._lock:
            writer, untold, self._untold = self._writer, self._untold, Counter()
        if untold and writer and not writer(untold):
            with self._lock:
                self._untold.update(untold)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._seconds)
            self.tell()


_counters = Counters()


def add(name: str, label: str = "", amount: float = 1) -> None:
    """Count `amount` more of `name`. Labels are few: of a known set, or an account."""
    _counters.add(name, label, amount)


def read() -> dict[str, float]:
    """Return all counts of this process since its start, labels taken together."""
    return _counters.read()


def write_with(writer: Writer | None, seconds: float) -> None:
    """Hand over the counts every so many seconds to `writer`, which says whether it took them."""
    _counters.write_with(writer, seconds)


def tell() -> None:
    """Hand over now what came together."""
    _counters.tell()
