"""TLS to a supplier's server: the certificate is vouched for by an authority, or is the pinned one."""

import contextlib
import functools
import hashlib
import select
import socket
import ssl
import threading
import time

from cryptography import x509

from suppliers.transports import words
from suppliers.transports.errors import IdentityChanged
from suppliers.transports.session import Seen, Server

_BLOCK = 65536
_making = threading.Lock()


def context(is_pinned: bool) -> ssl.SSLContext:
    """Return what TLS is made with; one for all threads, for no TLS session goes on in another context.

    With a pinned certificate the authorities are not asked: `check` compares it right after the handshake.
    """
    with _making:  # a cache alone makes two where two threads ask at once
        return _make(is_pinned)


@functools.cache
def _make(is_pinned: bool) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if is_pinned:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def wrap(connection: socket.socket, server: Server, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    """Shake hands on a connected socket and check who answers. Raises OSError and IdentityChanged."""
    secured = context(bool(server.identity)).wrap_socket(
        connection, server_hostname=server.host, session=session, suppress_ragged_eofs=False
    )
    try:
        check(secured, server)
    except IdentityChanged:
        secured.close()
        raise
    return secured


def check(secured: ssl.SSLSocket, server: Server) -> None:
    """Raise IdentityChanged where the certificate is not the pinned one."""
    shown = fingerprint(secured)
    if server.identity and shown != server.identity:
        raise IdentityChanged(
            f"{server.host} shows another certificate than the confirmed one, so nothing was sent to it. "
            "If the supplier has renewed it, compare the fingerprint with theirs and confirm it.",
            shown,
        )


def fingerprint(secured: ssl.SSLSocket) -> str:
    """Return the SHA-256 of the certificate that was shown, written as openssl does."""
    return f"SHA256:{hashlib.sha256(_certificate(secured)).digest().hex(':').upper()}"


def note(secured: ssl.SSLSocket, seen: Seen) -> None:
    """Keep what the handshake showed."""
    seen.identity, seen.encryption = fingerprint(secured), secured.version() or ""
    with contextlib.suppress(ValueError):  # a certificate that the library cannot read has no subject to show
        subject = x509.load_der_x509_certificate(_certificate(secured)).subject
        seen.identity_kind = words.shown(subject.rfc4514_string())


def send(connection: socket.socket, content: bytes, timeout: float) -> None:
    """Send all of `content` within `timeout` seconds; TLS by itself would allow as much for every block."""
    ends_at, view = time.monotonic() + timeout, memoryview(content)
    for start in range(0, len(view), _BLOCK):
        connection.settimeout(_left(ends_at))
        connection.sendall(view[start : start + _BLOCK])


def end(connection: socket.socket, timeout: float) -> None:
    """Say that no more comes, and keep the connection open until the server has said that it has all of it.

    TLS has an end of its own, without which a server takes the file as cut off. The server's own end is not waited
    for. Closing now would reset the connection where the server's tickets lie unread, and lose what is under way.
    """
    if isinstance(connection, ssl.SSLSocket):
        _send_close_notify(connection, timeout)
    connection.shutdown(socket.SHUT_WR)


def _send_close_notify(secured: ssl.SSLSocket, timeout: float) -> None:
    ends_at = time.monotonic() + timeout
    secured.settimeout(0)
    while True:
        try:
            secured.unwrap()
        except ssl.SSLWantReadError:  # ours is out
            return
        except ssl.SSLWantWriteError:
            poll = select.poll()
            poll.register(secured, select.POLLOUT)
            poll.poll(_left(ends_at) * 1000)
        else:
            return


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the server takes the data too slowly")
    return left


def _certificate(secured: ssl.SSLSocket) -> bytes:
    return secured.getpeercert(binary_form=True) or b""
