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
_MOST_WAITING = 200  # replies that nobody waits for yet; Hemi asks for 64 blocks ahead
_LARGEST = 300_000  # bytes of a reply; a data block is 32 kB, OpenSSH's largest packet 256 kB


class Refused(Exception):
    """A status that is not OK, with the server's words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(frozen=True)
class Reply:
    """A reply to one request."""

    kind: int
    fields: paramiko.Message

    def expect(self, kind: int) -> paramiko.Message:
        """Return the fields. Raises Refused for a status, ConnectionError for anything else."""
        if self.kind == kind:
            return self.fields
        if self.kind != STATUS:
            raise ConnectionError(f"the server answered with something unexpected ({self.kind})")
        code, words = self.fields.get_int(), self.fields.get_binary().decode("utf-8", "replace")
        raise Refused(code, words)

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
        self._waiting: dict[int, Reply] = {}
        self._begin()

    def send(self, kind: int, *fields: bytes | int) -> int:
        """Send a request and return its number; an int is sent in 32 bits, bytes with their length."""
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        body = b"".join(_packed(value) for value in fields)
        self._write(struct.pack(">BI", kind, number) + body)
        return number

    def reply(self, number: int) -> Reply:
        """Return the reply to a request. Raises TimeoutError and ConnectionError."""
        ends_at = min(time.monotonic() + self.timeout, self._ends_at)
        while number not in self._waiting:
            kind, content = self._packet(ends_at)
            fields = paramiko.Message(content)
            self._waiting[fields.get_int()] = Reply(kind, fields)
            if len(self._waiting) > _MOST_WAITING:
                raise ConnectionError("the server answers what nobody asked")
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

    def _begin(self) -> None:
        self._write(struct.pack(">BI", INIT, 3))
        kind, content = self._packet(time.monotonic() + self.timeout)
        if kind != VERSION:
            raise ConnectionError("the server does not speak SFTP")
        fields, names = paramiko.Message(content), []
        fields.get_int()
        while fields.get_remainder():
            names.append(fields.get_binary().decode("utf-8", "replace"))
            fields.get_binary()
        self.extensions = tuple(names)

    def _write(self, content: bytes) -> None:
        self._channel.settimeout(self.timeout)
        self._channel.sendall(struct.pack(">I", len(content)) + content)

    def _packet(self, ends_at: float) -> tuple[int, bytes]:
        (length,) = struct.unpack(">I", self._receive(4, ends_at))
        if not 1 <= length <= _LARGEST:
            raise ConnectionError("the server's reply has an impossible length")
        content = self._receive(length, ends_at)
        return content[0], content[1:]

    def _receive(self, count: int, ends_at: float) -> bytes:
        content = b""
        while len(content) < count:
            left = ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError("the server's reply did not come in time")
            self._channel.settimeout(left)
            try:
                block = self._channel.recv(count - len(content))
            except TimeoutError:
                raise TimeoutError("the server's reply did not come in time") from None
            if not block:
                raise ConnectionError("the connection was closed")
            content += block
        return content


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
