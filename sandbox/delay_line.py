"""Bytes that arrive a fixed time after they were sent."""

import asyncio
from collections import deque
from collections.abc import Callable

END_OF_DATA = b""
GONE = None


class DelayLine:
    """Hand on each piece when it is due, in order, as many at once as are due: no limit on bandwidth.

    `END_OF_DATA` says that nothing more comes this way, `GONE` that the sender's connection is no more.
    """

    def __init__(self, delay_seconds: float, deliver: Callable[[bytes | None], None], opens_at: float = 0.0) -> None:
        self.delay_seconds, self.deliver, self.opens_at = delay_seconds, deliver, opens_at
        self._loop = asyncio.get_running_loop()
        self._pieces: deque[tuple[float, bytes | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, piece: bytes | None) -> None:
        """Take a piece; it arrives after the delay, and not before the line opens."""
        due_at = max(self._loop.time() + self.delay_seconds, self.opens_at)
        self._pieces.append((due_at, piece))
        if self._timer is None:
            self._timer = self._loop.call_at(due_at, self._hand_on)

    def _hand_on(self) -> None:
        self._timer = None
        while self._pieces and self._pieces[0][0] <= self._loop.time():
            self.deliver(self._pieces.popleft()[1])
        if self._pieces:
            self._timer = self._loop.call_at(self._pieces[0][0], self._hand_on)
