"""One session with an FTP server (RFC 959, 2428, 3659): binary, passive, every wait limited.

No method repeats anything. What a failure means is said by the TransportError's kind.
"""

import contextlib
import ftplib
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from suppliers.transports import addresses, listings
from suppliers.transports.control import ControlConnection
from suppliers.transports.errors import Kind, TransportError

LISTING_LIMIT = 5_000_000
_NOT_IMPLEMENTED = ("500", "502", "504")
_OF_THE_FILE = ("501", "553")
# Servers say 530 also when too many are connected; that passes.
_CROWDED = re.compile(r"too many|maximum|limit", re.IGNORECASE)
_FORBIDDEN = re.compile("[\r\n\0]")


@dataclass(frozen=True)
class Server:
    """Where to connect and as whom; times are in seconds."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    connect_timeout: float = 10
    data_timeout: float = 30
    is_plain_accepted: bool = False


class FtpSession:
    """A logged-in session. Once `is_broken` it can only be closed."""

    def __init__(self, server: Server) -> None:
        self.is_broken = False
        self._server = server
        self._missing: set[str] = set()
        self._client = ControlConnection(timeout=server.connect_timeout)
        try:
            self._connect()
            self._log_in()
        except TransportError:
            self._client.close()
            raise
        self._client.timeout = server.data_timeout
        self._wait_at_most(server.data_timeout)

    def upload(self, path: str, content: bytes) -> None:
        """Store `content` at `path`; returns after the server has said that it is complete."""
        self._check(path)
        with self._step("upload"):
            connection = self._client.transfercmd(f"STOR {path}")
            try:
                with connection:
                    connection.sendall(content)
            except OSError:
                self._client.voidresp()  # the server may say why, such as 452
                raise
            self._client.voidresp()

    def size(self, path: str) -> int | None:
        """Return the size of the file at `path`, or None where there is no such file."""
        self._check(path)
        for command, pattern in (("SIZE", r"213 +(\d+)"), ("MLST", r"(?is).*\bsize=(\d+);")):
            if command in self._missing:
                continue
            with self._step("size"):
                reply = self._ask(command, path)
            if reply is None:
                return None
            if match := re.match(pattern, reply):
                return int(match[1])
        folder, _, name = path.rpartition("/")
        return self.listing(folder).get(name)

    def expected_size(self, path: str) -> int | None:
        """Return the size of a file that should be there: where SIZE knows nothing of it, the listing is asked.

        A 550 to SIZE means missing or not allowed. A server that lists what it denied is asked by listing from then on.
        """
        if (size := self.size(path)) is not None:
            return size
        folder, _, name = path.rpartition("/")
        if (size := self.listing(folder).get(name)) is not None:
            self._missing |= {"SIZE", "MLST"}
        return size

    def rename(self, old: str, new: str) -> None:
        """Rename; kind uncertain means that the server may have done it."""
        self._check(old)
        self._check(new)
        with self._step("rename"):
            self._client.sendcmd(f"RNFR {old}")
        with self._step("rename", lost=Kind.UNCERTAIN):
            self._client.voidcmd(f"RNTO {new}")

    def delete(self, path: str) -> None:
        """Delete; a file that is not there is fine."""
        self._check(path)
        with self._step("delete"):
            try:
                self._client.voidcmd(f"DELE {path}")
            except ftplib.error_perm as error:
                # 550 means missing or not allowed, only a look tells which.
                if not str(error).startswith("550") or self.size(path) is not None:
                    raise

    def listing(self, folder: str) -> dict[str, int]:
        """Return the files in `folder` with their sizes."""
        self._check(folder)
        for command, read in (("MLSD", listings.from_mlsd), ("LIST", listings.from_list)):
            if command in self._missing:
                continue
            with self._step("list"):
                try:
                    content = self._retrieve(f"{command} {folder}".strip(), LISTING_LIMIT)
                except ftplib.error_perm as error:
                    if command == "LIST" or str(error)[:3] not in _NOT_IMPLEMENTED:
                        raise
                    self._missing.add(command)
                    continue
            return read(content.decode("utf-8", "surrogateescape").splitlines())
        raise AssertionError("LIST is never missing")

    def read(self, path: str, limit: int) -> bytes:
        """Return the content of the file at `path`; more than `limit` bytes is an error of kind file."""
        self._check(path)
        with self._step("read"):
            return self._retrieve(f"RETR {path}", limit)

    def noop(self) -> None:
        """Ask whether the session still lives."""
        with self._step("noop"):
            self._wait_at_most(self._server.connect_timeout)
            self._client.voidcmd("NOOP")
            self._wait_at_most(self._server.data_timeout)

    def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to, and close."""
        with contextlib.suppress(*ftplib.all_errors):
            if not self.is_broken:
                self._wait_at_most(1)
                self._client.quit()
        self.is_broken = True
        self._client.close()

    def _wait_at_most(self, seconds: float) -> None:
        if self._client.sock:
            self._client.sock.settimeout(seconds)

    def _connect(self) -> None:
        found = addresses.resolve(self._server.host, self._server.port)
        if not self._server.is_plain_accepted:
            found = [address for address in found if address.ip.is_loopback]
        if not found:
            raise TransportError(
                Kind.ENDPOINT,
                "Plain FTP shows the password and every order to whoever listens on the way. "
                "If the supplier offers nothing else, tick “send in plain text over the network”.",
                "connect",
            )
        with self._step("connect"):
            self._client.attach(self._open(found))

    def _open(self, found: list[addresses.Address]) -> socket.socket:
        for address in found:
            connection = socket.socket(address.family, socket.SOCK_STREAM)
            connection.settimeout(self._server.connect_timeout)
            try:
                connection.connect(address.sockaddr)
            except OSError:
                connection.close()
                if address is found[-1]:
                    raise
            else:
                return connection
        raise AssertionError("resolve never returns an empty list")

    def _log_in(self) -> None:
        if _FORBIDDEN.search(self._server.username + self._server.password):
            raise TransportError(Kind.ENDPOINT, "The user or the password contains a line break.", "login")
        with self._step("login"):
            self._client.login(self._server.username, self._server.password)
            with contextlib.suppress(ftplib.error_perm, ftplib.error_temp):
                self._client.sendcmd("OPTS UTF8 ON")  # IIS needs it, others answer 5xx
            self._client.voidcmd("TYPE I")

    def _ask(self, command: str, path: str) -> str | None:
        try:
            return self._client.sendcmd(f"{command} {path}")
        except ftplib.error_perm as error:
            code = str(error)[:3]
            if code == "550":
                return None
            if code not in _NOT_IMPLEMENTED:
                raise
            self._missing.add(command)
            return ""

    def _retrieve(self, command: str, limit: int) -> bytes:
        deadline = time.monotonic() + 2 * self._server.data_timeout
        content = bytearray()
        with self._client.transfercmd(command) as connection:
            while block := connection.recv(65536):
                content += block
                if len(content) > limit:
                    self.is_broken = True  # the transfer stops in its middle
                    raise TransportError(Kind.FILE, f"It is larger than {limit:,} bytes.", "read")
                if time.monotonic() > deadline:
                    raise TimeoutError("the server sends too slowly")
        self._client.voidresp()
        return bytes(content)

    def _check(self, path: str) -> None:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise TransportError(Kind.FILE, "The name cannot be written in UTF-8.", "name") from None
        if _FORBIDDEN.search(path):
            raise TransportError(Kind.FILE, "The name contains a line break or a NUL character.", "name")

    @contextlib.contextmanager
    def _step(self, step: str, lost: Kind = Kind.TEMPORARY) -> Iterator[None]:
        if self.is_broken:
            raise TransportError(Kind.TEMPORARY, f"The connection was lost before ({step}).", step)
        try:
            yield
        except (ftplib.error_temp, ftplib.error_perm) as error:
            words = self._words(error)
            self.is_broken = self.is_broken or words.startswith("421")
            raise TransportError(_kind(words, step), f"The server refused ({step}): {words}", step) from None
        except (ftplib.Error, OSError, EOFError) as error:
            self.is_broken = True
            words = self._words(error) or "the connection was closed"
            raise TransportError(lost, f"The connection failed ({step}): {words}", step) from None

    def _words(self, error: Exception) -> str:
        words = " ".join(str(error).split())
        return (words.replace(self._server.password, "•••") if self._server.password else words)[:300]


def _kind(words: str, step: str) -> Kind:
    code = words[:3]
    if step == "login":
        return Kind.ENDPOINT if code.startswith("5") and not _CROWDED.search(words) else Kind.TEMPORARY
    return Kind.FILE if code in _OF_THE_FILE else Kind.TEMPORARY
