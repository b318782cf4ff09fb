"""The two ends of a relayed connection."""

import asyncio
import re
import socket
from collections.abc import Callable
from typing import cast

from sandbox.delay_line import END_OF_DATA, GONE, DelayLine

PASSIVE = re.compile(rb"^227 [^\d]*(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)")
EXTENDED_PASSIVE = re.compile(rb"^229 .*\(\|\|\|(\d+)\|\)")


class End(asyncio.Protocol):
    """Send what arrives here down the line, and write what comes out of the other end's line."""

    line: DelayLine

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes | None] = []
        self._is_read_out = self._is_written_out = self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write what came before the connection stood."""
        self.transport = cast(asyncio.Transport, transport)
        # asyncio does so by itself, but not for accepted sockets: their protocol number is not told.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in self._early:
            self.deliver(piece)

    def data_received(self, data: bytes) -> None:
        """Send data to the other end."""
        self.line.send(data)

    def eof_received(self) -> bool:
        """Tell the other end that no more comes, and keep this one open for writing."""
        self._is_read_out = True
        self.line.send(END_OF_DATA)
        self._close_when_done()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the other end that this one is no more."""
        self._is_lost = True
        self.line.send(GONE)

    def deliver(self, piece: bytes | None) -> None:
        """Write a piece that has come through the other end's line."""
        if self.transport is None:
            self._early.append(piece)
        elif self.transport.is_closing():
            return
        elif piece is GONE:
            self.transport.close()
        elif piece == END_OF_DATA:
            self._is_written_out = True
            self.transport.write_eof()
            self._close_when_done()
        else:
            self.transport.write(piece)

    def abort(self) -> None:
        """Drop the connection, if it stands."""
        if self.transport and not self._is_lost:  # asyncio fails on one that was closed with data still to write
            self.transport.abort()

    def _close_when_done(self) -> None:
        if self._is_read_out and self._is_written_out and self.transport:
            self.transport.close()


class FtpServerEnd(End):
    """Rewrite the server's passive replies, so that data channels go through the relay too."""

    def __init__(self, open_data_port: Callable[[str, int], int]) -> None:
        super().__init__()
        self._open_data_port = open_data_port
        self._half_line = b""

    def data_received(self, data: bytes) -> None:
        """Send whole lines on, the passive replies with a port of the relay."""
        *lines, self._half_line = (self._half_line + data).split(b"\n")
        if lines:
            self.line.send(b"".join(self._rewritten(line) + b"\n" for line in lines))

    def eof_received(self) -> bool:
        """Send the rest, which has no line end, before the end."""
        if self._half_line:
            self.line.send(self._half_line)
        return super().eof_received()

    def _rewritten(self, line: bytes) -> bytes:
        if match := PASSIVE.match(line):
            *address, high, low = map(int, match.groups())
            port = self._open_data_port(".".join(map(str, address)), high * 256 + low)
            return b"227 Entering passive mode (127,0,0,1,%d,%d).\r" % divmod(port, 256)
        if match := EXTENDED_PASSIVE.match(line):
            port = self._open_data_port("", int(match[1]))
            return b"229 Entering extended passive mode (|||%d|).\r" % port
        return line
