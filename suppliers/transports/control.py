"""ftplib on a connection made elsewhere, with replies that are limited in time and size and always decode."""

import contextlib
import ftplib
import math
import socket
import ssl
import time
from collections.abc import Iterator

from suppliers.transports import names

LONGEST_REPLY = 64_000  # bytes
MOST_LINES = 100


class ControlConnection(ftplib.FTP):
    """The socket's timeout is for a whole reply: ftplib's own is for each recv, which a trickle never exceeds."""

    _latest_at = math.inf

    def attach(self, connection: socket.socket) -> None:
        """Take over a connected socket and read the greeting."""
        self.sock = connection
        self.af = connection.family
        self.file = _Lines(connection)  # type: ignore[assignment]
        self.welcome = self.getresp()

    def secure(self, connection: ssl.SSLSocket) -> None:
        """Go on over TLS on the same socket."""
        self.sock = connection
        self.file = _Lines(connection)  # type: ignore[assignment]

    def has_unread(self) -> bool:
        """Tell whether something came that no command asked for: before TLS, an attacker's words."""
        assert isinstance(self.file, _Lines)
        return self.file.has_unread()

    def send(self, *commands: str) -> None:
        """Send commands in one go; each has a reply to be read, in this order, and there is none left to be read.

        Raises ValueError on a line break, ConnectionError where a reply would be taken for that of these commands.
        """
        if any(names.has_break(command) for command in commands):
            raise ValueError("a command must be one line")
        assert self.sock
        assert isinstance(self.file, _Lines)
        if said := self.file.unasked():
            raise ConnectionError(f"the server said something that nobody asked for: {said}")
        self.sock.sendall("".join(f"{command}\r\n" for command in commands).encode(self.encoding))

    def putline(self, line: str) -> None:
        """Send a command of ftplib's own methods."""
        self.send(line)

    def expect(self, code: str) -> None:
        """Read the next reply, which must begin with a code, or with the first of its digits.

        Any other belongs to another command: that of a transfer, 226, must not be taken for that of a rename.
        """
        reply = self.getresp()
        if not reply.startswith(code):
            raise ftplib.error_reply(reply)  # noqa: S321

    def getmultiline(self) -> str:
        """Read one reply. Raises TimeoutError when it does not end, ConnectionError when it is too long."""
        assert isinstance(self.file, _Lines)
        with self.file.limited(self._latest_at):
            return super().getmultiline()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let all replies that are read inside come within so many seconds together."""
        self._latest_at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._latest_at = math.inf


class _Lines:
    """The lines of one reply at a time; stands in for the file that ftplib reads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self._ends_at = 0.0
        self._lines = self._bytes = 0

    @contextlib.contextmanager
    def limited(self, latest_at: float) -> Iterator[None]:
        self._lines = self._bytes = 0
        timeout = self._connection.gettimeout()
        self._ends_at = min(time.monotonic() + (timeout or 0), latest_at)
        try:
            yield
        finally:
            self._connection.settimeout(timeout)

    def readline(self, _limit: int) -> str:
        while b"\n" not in self._buffer:
            if self._bytes + len(self._buffer) > LONGEST_REPLY:
                raise ConnectionError("the server's reply does not end")
            if not (block := self._receive()):
                break
            self._buffer += block
        line, end, self._buffer = self._buffer.partition(b"\n")
        self._lines, self._bytes = self._lines + 1, self._bytes + len(line)
        if self._lines > MOST_LINES or self._bytes > LONGEST_REPLY:
            raise ConnectionError("the server's reply does not end")
        return (line + end).decode("utf-8", "replace")

    def close(self) -> None:
        self._buffer = b""

    def has_unread(self) -> bool:
        return bool(self._buffer)

    def unasked(self) -> str:
        """Return what has come by now; that the connection was closed is told by the next reply."""
        timeout = self._connection.gettimeout()
        self._connection.settimeout(0)
        try:
            self._buffer += self._connection.recv(8192)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        finally:
            self._connection.settimeout(timeout)
        return self._buffer[:300].decode("utf-8", "replace")

    def _receive(self) -> bytes:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server's reply did not end in time")
        self._connection.settimeout(left)
        return self._connection.recv(8192)
