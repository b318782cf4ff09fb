"""Bring one request to a Proxy URL and stream the answer back, by the very address that was checked."""

import functools
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hemi.lib import addresses
from integrations.shopline.timed_socket import TimedSocket

CONNECT_SECONDS = 6.0  # for all addresses together
MOST_ADDRESSES = 3
_BLOCK = 65536
_PORTS = {"http": 80, "https": 443}
_OWN = "The Proxy URL leads back to Hemi, but not to its pages for shoppers. Leave it blank for those."


class NotForwarded(Exception):
    """There is no answer that could be shown; the text is a sentence for staff."""


class CutOff(Exception):
    """An answer that had begun ends here: too large, too slow, or broken off by its server."""


@dataclass(frozen=True)
class Outgoing:
    """One request as the app gets it."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Limits:
    """How long all of it may take, and how large the answer may be."""

    seconds: float
    max_bytes: int


@dataclass(frozen=True)
class Answer:
    """What the app said; `blocks` must be read to its end or closed. `length` is theirs, where it was told."""

    status: int
    headers: list[tuple[str, str]]
    blocks: Iterator[bytes] = field(default_factory=lambda: iter(()))
    length: int | None = None

    def header(self, name: str) -> str:
        """Return the first header of this name; blank where there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


def send(outgoing: Outgoing, limits: Limits, is_own: Callable[[str, int], bool]) -> Answer:
    """Send a request and return its answer as soon as that has begun; redirects are not followed.

    `is_own` tells whether a host or an address of this machine with a port is Hemi's. Raises NotForwarded; reading
    on raises CutOff.
    """
    ends_at = time.monotonic() + limits.seconds
    try:
        connection = _connect(outgoing, ends_at, is_own)
    except (addresses.NameUnknown, addresses.AddressRefused) as refused:
        raise NotForwarded(f"{refused}") from None
    except ssl.SSLError as error:
        raise NotForwarded(f"The Proxy URL's certificate or encryption is not right: {error}.") from None
    except OSError as error:
        raise NotForwarded(f"The Proxy URL does not answer ({type(error).__name__}).") from None
    try:
        return _ask(connection, outgoing, limits)
    except BaseException:
        connection.close()
        raise


def _connect(outgoing: Outgoing, ends_at: float, is_own: Callable[[str, int], bool]) -> http.client.HTTPConnection:
    parts = urlsplit(outgoing.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if is_own(host, port):
        raise NotForwarded(_OWN)
    found = addresses.resolve(host, port)[:MOST_ADDRESSES]
    left = ends_at - time.monotonic()
    if left <= 0:  # looking up the name took so long
        raise TimeoutError
    connected = addresses.connect(found, min(CONNECT_SECONDS, left) / len(found))
    try:
        if _is_this_machine(connected) and is_own("", port):
            raise NotForwarded(_OWN)
        if parts.scheme == "https":
            connected = _tls().wrap_socket(connected, server_hostname=host)
    except BaseException:
        connected.close()
        raise
    connection = http.client.HTTPConnection(host, port)
    connection.sock = TimedSocket(connected, ends_at)
    return connection


def _is_this_machine(connected: socket.socket) -> bool:
    return connected.getpeername()[0] == connected.getsockname()[0] or connected.getpeername()[0].startswith("127.")


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _ask(connection: http.client.HTTPConnection, outgoing: Outgoing, limits: Limits) -> Answer:
    parts = urlsplit(outgoing.url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    headers = {"Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close", **outgoing.headers}
    # A body without a length is none to some servers.
    if outgoing.body or outgoing.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(len(outgoing.body))
    try:
        connection.request(outgoing.method, target, outgoing.body or None, headers)
        found = connection.getresponse()
        blocks = _blocks(connection, found, limits.max_bytes)
        length = found.length  # None where it comes in chunks, whatever Content-Length says
        first = next(blocks, b"") if (length or 0) <= limits.max_bytes else None
    except TimeoutError:
        raise NotForwarded(f"The Proxy URL did not answer within {limits.seconds:g} seconds.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotForwarded(f"The Proxy URL's answer cannot be read ({type(error).__name__}).") from None
    except CutOff as cut:
        raise NotForwarded(f"The Proxy URL's answer cannot be shown: {cut}") from None
    if first is None:
        raise NotForwarded(f"The Proxy URL's answer is larger than {limits.max_bytes:,} bytes.")
    if not 200 <= found.status < 600:
        raise NotForwarded(f"The Proxy URL answered with status {found.status}, which is not that of an answer.")
    return Answer(found.status, found.getheaders(), _from(first, blocks), length)


def _from(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others  # closes them as it is closed


def _blocks(connection: http.client.HTTPConnection, found: http.client.HTTPResponse, max_bytes: int) -> Iterator[bytes]:
    told, count = found.length, 0
    with closing(connection), closing(found):
        while True:
            try:
                block = found.read1(_BLOCK)
            except TimeoutError:
                raise CutOff("it took too long.") from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise CutOff(f"it broke off ({type(error).__name__}).") from None
            if not block:
                break
            count += len(block)
            if count > max_bytes:
                raise CutOff(f"it is larger than {max_bytes:,} bytes.")
            yield block
        if told is not None and count < told:
            raise CutOff("it broke off before its end.")
