"""A connected socket whose whole use ends at one moment: a server that sends a byte now and then gains nothing."""

import io
import socket
import time
from typing import Any

_BLOCK = 65536


class TimedSocket:
    """What http.client needs of a socket; every wait is cut at `ends_at` (monotonic) with TimeoutError."""

    def __init__(self, connection: socket.socket, ends_at: float) -> None:
        self._connection = connection
        self._ends_at = ends_at
        self._has_reader = False

    def sendall(self, content: Any) -> None:
        """Send all; TLS by itself would allow a whole timeout for every block."""
        view = memoryview(content).cast("B")
        for start in range(0, len(view), _BLOCK):
            self._limit()
            self._connection.sendall(view[start : start + _BLOCK])

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a reader, which from now on keeps the connection open."""
        self._has_reader = True
        return io.BufferedReader(_Reader(self))

    def receive(self, buffer: Any) -> int:
        """Read what is there, or wait for it."""
        self._limit()
        return self._connection.recv_into(buffer)

    def close(self) -> None:
        """Close the connection; http.client does so while its answer still reads on."""
        if not self._has_reader:
            self._connection.close()

    def let_go(self) -> None:
        """Close what the reader kept open."""
        self._connection.close()

    def _limit(self) -> None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        self._connection.settimeout(left)


class _Reader(io.RawIOBase):
    def __init__(self, source: TimedSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.receive(buffer)

    def close(self) -> None:
        super().close()
        self._source.let_go()
