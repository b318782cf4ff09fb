"""SFTP version 3 (draft-ietf-secsh-filexfer-02) on an SSH channel: requests out, replies in, each wait limited.

paramiko's own client drops the errors of pipelined writes and of closing a file, which is how a full disk is told; here
every request has its reply read.
"""

import contextlib
import math
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko

INIT, VERSION, STATUS, HANDLE, DATA, NAME, ATTRS = 1, 2, 101, 102, 103, 104, 105
OPEN, CLOSE, READ, WRITE, FSTAT, OPENDIR, READDIR, REMOVE = 3, 4, 5, 6, 8, 11, 12, 13
MKDIR, REALPATH, STAT, RENAME, EXTENDED = 14, 16, 17, 18, 200
OPEN_READ, OPEN_WRITE, OPEN_CREATE, OPEN_TRUNCATE = 0x01, 0x02, 0x08, 0x10
OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, UNSUPPORTED = 0, 1, 2, 3, 4, 8
_LARGEST = 300_000  # bytes of a reply; a data block is 32 kB, OpenSSH's largest packet 256 kB


class Refused(Exception):
    """A status that is not OK, with the server's words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Fields(paramiko.Message):
    """The fields of a reply. paramiko's own makes up zeros for what is missing: the status OK, and names of a MB."""

    def get_bytes(self, n: int) -> bytes:
        """Return so many bytes. Raises ConnectionError where the reply has fewer."""
        found = self.packet.read(n)
        if len(found) < n:
            raise ConnectionError("the server's reply is cut short")
        return found


@dataclass(frozen=True)
class Reply:
    """A reply to one request."""

    kind: int
    fields: Fields

    def expect(self, kind: int) -> Fields:
        """Return the fields. Raises Refused for a status, ConnectionError for anything else."""
        if self.kind == kind:
            return self.fields
        if self.kind != STATUS:
            raise ConnectionError(f"the server answered with something unexpected ({self.kind})")
        code = self.fields.get_int()
        words = self.fields.get_binary() if self.fields.get_remainder() else b""  # old servers say nothing
        raise Refused(code, words.decode("utf-8", "replace"))

    def confirm(self) -> None:
        """Raise Refused unless this is the status OK."""
        try:
            self.expect(-1)
        except Refused as refused:
            if refused.code != OK:
                raise


class SftpWire:
    """Send requests, several in a row if need be, and read their replies in any order."""

    def __init__(self, channel: paramiko.Channel, timeout: float) -> None:
        self.timeout = timeout
        self.extensions: tuple[str, ...] = ()
        self._channel = channel
        self._number = 0
        self._ends_at = math.inf
        self._asked: set[int] = set()  # requests that were not answered yet
        self._waiting: dict[int, Reply] = {}
        self._begin()

    def send(self, kind: int, *fields: bytes | int) -> int:
        """Send a request and return its number; an int is sent in 32 bits, bytes with their length."""
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        body = b"".join(_packed(value) for value in fields)
        self._asked.add(number)
        self._write(struct.pack(">BI", kind, number) + body)
        return number

    def reply(self, number: int) -> Reply:
        """Return the reply to a request. Raises TimeoutError and ConnectionError."""
        ends_at = self._limit()
        while number not in self._waiting:
            kind, content = self._packet(ends_at)
            fields = Fields(content)
            if (answered := fields.get_int()) not in self._asked:  # it may be the number of a request to come
                raise ConnectionError("the server answers what nobody asked")
            self._asked.remove(answered)
            self._waiting[answered] = Reply(kind, fields)
        return self._waiting.pop(number)

    def ask(self, kind: int, *fields: bytes | int) -> Reply:
        """Send one request and return its reply."""
        return self.reply(self.send(kind, *fields))

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let all replies that are asked for inside come within so many seconds together."""
        self._ends_at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._ends_at = math.inf

    def _limit(self) -> float:
        return min(time.monotonic() + self.timeout, self._ends_at)

    def _begin(self) -> None:
        self._write(struct.pack(">BI", INIT, 3))
        kind, content = self._packet(time.monotonic() + self.timeout)
        if kind != VERSION:
            raise ConnectionError("the server does not speak SFTP")
        fields, names = Fields(content), []
        fields.get_int()
        while fields.get_remainder():
            names.append(fields.get_binary().decode("utf-8", "replace"))
            fields.get_binary()
        self.extensions = tuple(names)

    def _write(self, content: bytes) -> None:
        """Send a packet; paramiko's own `sendall` would wait as long for every few bytes that the server takes."""
        ends_at, left = self._limit(), struct.pack(">I", len(content)) + content
        while left:
            self._channel.settimeout(self._left(ends_at, "the server takes the data too slowly"))
            try:
                sent = self._channel.send(left)
            except TimeoutError:
                raise TimeoutError("the server takes the data too slowly") from None
            if not sent:
                raise ConnectionError("the connection was closed")
            left = left[sent:]

    def _packet(self, ends_at: float) -> tuple[int, bytes]:
        (length,) = struct.unpack(">I", self._receive(4, ends_at))
        if not 1 <= length <= _LARGEST:
            raise ConnectionError("the server's reply has an impossible length")
        content = self._receive(length, ends_at)
        return content[0], content[1:]

    def _receive(self, count: int, ends_at: float) -> bytes:
        content = b""
        while len(content) < count:
            self._channel.settimeout(self._left(ends_at, "the server's reply did not come in time"))
            try:
                block = self._channel.recv(count - len(content))
            except TimeoutError:
                raise TimeoutError("the server's reply did not come in time") from None
            if not block:
                raise ConnectionError("the connection was closed")
            content += block
        return content

    @staticmethod
    def _left(ends_at: float, words: str) -> float:
        if (left := ends_at - time.monotonic()) <= 0:
            raise TimeoutError(words)
        return left


class Raw(bytes):
    """Bytes that are sent without their length."""


NO_ATTRIBUTES = Raw(struct.pack(">I", 0))


def wide(number: int) -> Raw:
    """Return a number in 64 bits, such as an offset."""
    return Raw(struct.pack(">Q", number))


def _packed(value: bytes | int) -> bytes:
    if isinstance(value, int):
        return struct.pack(">I", value)
    return bytes(value) if isinstance(value, Raw) else struct.pack(">I", len(value)) + value
