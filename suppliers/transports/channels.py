"""FTP's data channels: passive, to the host of the control connection whatever the server names, in TLS if that is."""

import contextlib
import errno
import ftplib
import os
import re
import select
import socket
import ssl
import time
from types import TracebackType
from typing import Self

from suppliers.transports import tls
from suppliers.transports.control import ControlConnection
from suppliers.transports.errors import IdentityRefused, TooLarge
from suppliers.transports.session import Seen, Server

_EXTENDED = re.compile(r"229.*\((.)\1\1(\d{1,5})\1\)", re.S)  # RFC 2428
_PASSIVE = re.compile(
    r"227.*?\d{1,3},\d{1,3},\d{1,3},\d{1,3},(\d{1,3}),(\d{1,3})(?!\d)", re.S
)  # RFC 959; the host in it is not used
_REFUSED = ("500", "501", "502", "504", "522")
_BLOCK = 65536


class DataChannel:
    """A connection for one transfer. Open it, send the command, read its 1xx reply, `secure` it, then use it."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self.has_end = False  # whether the end of a download was told, and not only the connection closed
        self._connection = connection
        self._server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def secure(self, control: ControlConnection, seen: Seen) -> None:
        """Shake hands where the control connection has TLS, going on with its TLS session as servers demand.

        With TLS 1.3 that session is the newest ticket, which came with the replies since the login began.
        """
        if not isinstance(control.sock, ssl.SSLSocket):
            return
        self._connection.settimeout(self._server.data_timeout)
        try:
            self._connection = secured = tls.wrap(self._connection, self._server, control.sock.session)
        except ssl.SSLCertVerificationError as error:
            raise IdentityRefused(
                f"The certificate of a data channel of {self._server.host} cannot be trusted, so no file was sent: "
                f"{error.verify_message}. Ask the supplier to use the same certificate for it.",
                "",
            ) from None
        seen.is_tls_session_reused = secured.session_reused

    def send(self, content: bytes) -> None:
        """Send the content and its end; the connection stays open until the server's reply is read."""
        tls.send(self._connection, content, self._server.data_timeout)
        tls.end(self._connection, self._server.data_timeout)

    def receive(self, limit: int) -> bytes:
        """Return what the server sends; more than `limit` bytes is an error of kind file."""
        deadline = time.monotonic() + 2 * self._server.data_timeout
        content = bytearray()
        self._connection.settimeout(self._server.data_timeout)
        try:
            while block := self._connection.recv(_BLOCK):
                content += block
                if len(content) > limit:
                    raise TooLarge(limit)
                if time.monotonic() > deadline:
                    raise TimeoutError("the server sends too slowly")
            self.has_end = True
        except ssl.SSLEOFError:  # some servers close without the end that TLS asks for
            self.has_end = False
        return bytes(content)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._connection.close()


def open_channel(control: ControlConnection, server: Server, missing: set[str]) -> DataChannel:
    """Ask for a passive port and connect to it; `missing` gets EPSV where the server does not know it."""
    return connect(control, server, ask_for_port(control, missing))


def ask_for_port(control: ControlConnection, missing: set[str]) -> int:
    """Return the port that the server listens on for the next transfer."""
    if "EPSV" not in missing:
        try:
            return port_in(control.sendcmd("EPSV"))
        except ftplib.error_perm as error:
            if str(error)[:3] not in _REFUSED:
                raise
            missing.add("EPSV")
    return port_in(control.sendcmd("PASV"))


def port_in(reply: str) -> int:
    """Return the port in a reply to EPSV or PASV."""
    if match := _EXTENDED.match(reply):
        port = int(match[2])
    elif match := _PASSIVE.match(reply):
        port = int(match[1]) * 256 + int(match[2])
    else:
        raise ftplib.error_reply(reply)  # noqa: S321
    if not 0 < port < 65536:
        raise ftplib.error_proto(reply)  # noqa: S321
    return port


def connect(control: ControlConnection, server: Server, port: int) -> DataChannel:
    """Connect to a passive port of the host that the control connection goes to. Raises OSError."""
    return finish(begin(control, port), server)


def begin(control: ControlConnection, port: int) -> socket.socket:
    """Begin to connect to a passive port, so that commands can be sent meanwhile. Raises OSError."""
    assert control.sock
    peer = control.sock.getpeername()
    connection = socket.socket(control.sock.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = connection.connect_ex((peer[0], port, *peer[2:]))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
    except OSError:
        connection.close()
        raise
    return connection


def finish(connection: socket.socket, server: Server) -> DataChannel:
    """Wait until the connection stands. Raises OSError."""
    try:
        poll = select.poll()
        poll.register(connection, select.POLLOUT)
        if not poll.poll(server.connect_timeout * 1000):
            raise TimeoutError("the data connection was not accepted in time")
        if code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))
        connection.settimeout(server.connect_timeout)
    except OSError:
        connection.close()
        raise
    return DataChannel(connection, server)
