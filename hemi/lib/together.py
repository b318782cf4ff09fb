"""Do the work of many threads in one go: while one batch is being done the next one gathers.

There is no thread for it: the first that comes leads, does what has gathered meanwhile, wakes those whose work it was
and hands the lead to the next who waits.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

Value = TypeVar("Value")

LONGEST_BATCH = 50


class NotDone(Exception):
    """It was not begun in time, or who should have done it failed."""


@dataclass(eq=False)
class Piece(Generic[Value]):
    """One thread's work. Whoever does it sets the outcome, and not before it is certain."""

    work: Value
    until: float
    outcome: int | Exception = field(default_factory=NotDone)
    leads: bool = False
    _woken: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def seconds_left(self) -> float:
        """How long it may still wait."""
        return max(0.0, self.until - monotonic())

    def wait(self, seconds: float | None) -> bool:
        """Wait to be woken: the work is done, or this thread leads."""
        return self._woken.acquire(timeout=seconds)

    def wake(self) -> None:
        """End the wait."""
        self._woken.release()


class Together(Generic[Value]):
    """Gather pieces for `work_on`: it gets a function that hands over the batch, and how long it may wait before."""

    def __init__(self, work_on: Callable[[Callable[[], Sequence[Piece[Value]]], float], None]) -> None:
        self._work_on = work_on
        self._lock = threading.Lock()
        self._gathered: list[Piece[Value]] = []
        self._is_led = False

    def do(self, work: Value, seconds: float) -> int:
        """Have the work done in `seconds` at most, all waits together. Returns or raises its outcome."""
        piece = Piece(work, monotonic() + seconds)
        with self._lock:
            self._gathered.append(piece)
            piece.leads, self._is_led = not self._is_led, True
        if not piece.leads and not piece.wait(piece.seconds_left):
            self._give_up(piece)
        if piece.leads:
            self._lead(piece)
        if isinstance(piece.outcome, Exception):
            raise piece.outcome
        return piece.outcome

    def _give_up(self, piece: Piece[Value]) -> None:
        with self._lock:
            if piece.leads:
                return
            if piece in self._gathered:
                self._gathered.remove(piece)
                return
        piece.wait(None)  # it is being done, by one who came before and so has less time left

    def _lead(self, leader: Piece[Value]) -> None:
        batch: list[Piece[Value]] = []
        try:
            self._work_on(lambda: self._take(batch), leader.seconds_left)
        finally:
            with self._lock:
                self._drop(leader)  # where it failed before it began
                self._is_led = bool(self._gathered)
                following = self._gathered[0] if self._gathered else None
                if following:
                    following.leads = True
            for piece in (*batch, following):
                if piece and piece is not leader:
                    piece.wake()

    def _drop(self, piece: Piece[Value]) -> None:
        if piece in self._gathered:
            self._gathered.remove(piece)

    def _take(self, batch: list[Piece[Value]]) -> Sequence[Piece[Value]]:
        with self._lock:
            batch += self._gathered[:LONGEST_BATCH]
            del self._gathered[:LONGEST_BATCH]
        return batch
