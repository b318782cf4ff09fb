"""One session with an SFTP server: password or key, the server's key pinned, every wait limited.

No method repeats anything. What a failure means is said by the TransportError's kind.
"""

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence

from paramiko.ssh_exception import SSHException

from suppliers.transports import names, sftp_login, sftp_names, sftp_refusals
from suppliers.transports import sftp_wire as wire
from suppliers.transports.errors import Kind, ListingTooLarge, TooLarge, TransportError
from suppliers.transports.session import Entry, Seen, Server
from suppliers.transports.sftp_wire import Refused, Reply, SftpWire

LISTING_LIMIT = 5_000_000  # bytes of names
_BLOCK = 32_768  # what every server takes in one request
_AHEAD = 64  # requests whose replies are waited for later


class SftpSession:
    """A logged-in session. Once `is_broken` it can only be closed.

    `wire`, `step` and `encoded` are for whoever sends several requests at once.
    """

    def __init__(self, server: Server) -> None:
        self.is_broken = False
        self.seen = Seen()
        self.server = server
        with self.step("connect"):
            self._transport = sftp_login.connect(server, self.seen)
        try:
            with self.step("login"), sftp_login.Limit(self._transport, 2 * server.connect_timeout):
                self.wire = SftpWire(sftp_login.log_in(self._transport, server), server.connect_timeout)
        except TransportError:
            self._transport.close()
            raise
        self.seen.features = self.wire.extensions
        self.wire.timeout = server.data_timeout

    def upload(self, path: str, content: bytes) -> None:
        """Store `content` at `path`; returns after the server has confirmed every block and the end."""
        self.encoded(path)
        with self.step("upload"), self.limited():
            self.write(self.opened(self.begin_upload(path)), content)

    def begin_upload(self, path: str) -> int:
        """Ask for a file to write to; return the request's number. To be called inside `step`, like all that follow."""
        flags = wire.OPEN_WRITE | wire.OPEN_CREATE | wire.OPEN_TRUNCATE
        return self.wire.send(wire.OPEN, self.encoded(path), flags, wire.NO_ATTRIBUTES)

    def opened(self, number: int) -> bytes:
        """Return the handle that a request to open brought."""
        return self.wire.reply(number).expect(wire.HANDLE).get_binary()

    def write(self, handle: bytes, content: bytes, looks: Sequence[str] = ()) -> list[Reply]:
        """Write the blocks, not waiting for each reply, then close; the first refusal counts.

        Return the replies to requests for the attributes of paths, which leave with the last block.
        """
        waiting: deque[int] = deque()
        refused: Refused | None = None
        for start in range(0, len(content), _BLOCK):
            if len(waiting) >= _AHEAD:
                refused = self._confirmed(waiting.popleft(), refused)
            if refused:
                break
            waiting.append(self.wire.send(wire.WRITE, handle, wire.wide(start), content[start : start + _BLOCK]))
        waiting.append(self.wire.send(wire.CLOSE, handle))
        looking = [self.wire.send(wire.STAT, self.encoded(path)) for path in looks]
        for number in waiting:
            refused = self._confirmed(number, refused)
        looked = [self.wire.reply(number) for number in looking]
        if refused:
            raise refused
        return looked

    @staticmethod
    def attributes(reply: Reply) -> sftp_names.Attributes | None:
        """Return what the reply to a request for attributes tells; None where there is no such file."""
        try:
            return sftp_names.attributes(reply.expect(wire.ATTRS))
        except Refused as refused:
            if refused.code != wire.NO_SUCH_FILE:
                raise
            return None

    def size(self, path: str) -> int | None:
        """Return the size of the file at `path`, or None where there is no such file."""
        self.encoded(path)
        if not self.server.profile.has_size:
            return self._listed_size(path)
        with self.step("size"):
            found = self._stat(path)
        if found is None or found.is_folder:
            return None
        return found.size if found.size is not None else self._listed_size(path)

    def expected_size(self, path: str) -> int | None:
        """Return the size of a file that should be there; where it is not found the listing is asked, too."""
        size = self.size(path)
        return self._listed_size(path) if size is None and self.server.profile.can_list else size

    def rename(self, old: str, new: str) -> None:
        """Rename; kind uncertain means that the server may have done it. An existing name is never replaced."""
        arguments = (self.encoded(old), self.encoded(new))
        with self.step("rename", lost=Kind.UNCERTAIN):
            self.confirm_rename(self.wire.send(wire.RENAME, *arguments), old, new)

    def confirm_rename(self, number: int, old: str, new: str) -> None:
        """Read the reply to a rename; where the server has no such request, ask for it in another way."""
        try:
            self.wire.reply(number).confirm()
        except Refused as refused:
            if refused.code != wire.UNSUPPORTED or "posix-rename@openssh.com" not in self.wire.extensions:
                raise
            if self._stat(new) is not None:  # this way to rename would replace it
                raise
            arguments = (self.encoded(old), self.encoded(new))
            self.wire.ask(wire.EXTENDED, b"posix-rename@openssh.com", *arguments).confirm()

    def delete(self, path: str) -> None:
        """Delete; a file that is not there is fine."""
        name = self.encoded(path)
        with self.step("delete"):
            try:
                self.wire.ask(wire.REMOVE, name).confirm()
            except Refused as refused:
                if refused.code != wire.NO_SUCH_FILE:
                    raise

    def listing(self, folder: str) -> dict[str, Entry]:
        """Return the files in `folder`, by name."""
        name = self.encoded(folder or ".")
        with self.step("list"), self.limited():
            handle = self.wire.ask(wire.OPENDIR, name).expect(wire.HANDLE).get_binary()
            with self._closing(handle):
                return self._entries(handle, folder)

    def read(self, path: str, limit: int) -> bytes:
        """Return the content of the file at `path`; more than `limit` bytes is an error of kind file."""
        name = self.encoded(path)
        with self.step("read"), self.limited():
            opened = self.wire.ask(wire.OPEN, name, wire.OPEN_READ, wire.NO_ATTRIBUTES)
            handle = opened.expect(wire.HANDLE).get_binary()
            with self._closing(handle):
                return self._content(handle, limit)

    def make_folder(self, path: str) -> None:
        """Make a folder; one that is there is fine."""
        name = self.encoded(path)
        with self.step("make folder"):
            try:
                self.wire.ask(wire.MKDIR, name, wire.NO_ATTRIBUTES).confirm()
            except Refused:
                found = self._stat(path)
                if found is None or not found.is_folder:
                    raise

    def has_folder(self, path: str) -> bool:
        """Tell whether there is such a folder."""
        with self.step("list"):
            found = self._stat(path or ".")
        return found is not None and found.is_folder

    def noop(self) -> None:
        """Ask whether the session still lives."""
        with self.step("noop"):
            self.wire.timeout = self.server.connect_timeout
            self.wire.ask(wire.REALPATH, b".").expect(wire.NAME)
            self.wire.timeout = self.server.data_timeout

    def close(self) -> None:
        """Close the connection."""
        self.is_broken = True
        self._transport.close()

    def encoded(self, path: str) -> bytes:
        """Return the path as this server wants it. Raises a TransportError of kind file."""
        return names.encoded(path, self.server.name_encoding)

    @contextlib.contextmanager
    def step(self, step: str, lost: Kind = Kind.TEMPORARY) -> Iterator[None]:
        """Turn what goes wrong inside into a TransportError; `lost` is its kind where the connection is lost."""
        if self.is_broken:
            raise TransportError(Kind.TEMPORARY, f"The connection was lost before ({step}).", step)
        try:
            yield
        except Refused as refused:
            raise sftp_refusals.refusal(refused, step, self.server.masked(refused.words)) from None
        except (SSHException, OSError, EOFError) as error:
            self.is_broken = True
            words = self.server.masked(str(error)) or "the connection was closed"
            raise TransportError(lost, f"The connection failed ({step}): {words}", step) from None

    def limited(self) -> contextlib.AbstractContextManager[None]:
        """Let all that is done inside take no longer than a transfer may."""
        return self.wire.within(2 * self.server.data_timeout)

    def _stat(self, path: str) -> sftp_names.Attributes | None:
        return self.attributes(self.wire.ask(wire.STAT, self.encoded(path)))

    def _listed_size(self, path: str) -> int | None:
        if not self.server.profile.can_list:
            raise TransportError(
                Kind.ENDPOINT, "The server tells neither the sizes of files nor which there are.", "size"
            )
        folder, _, name = path.rpartition("/")
        entry = self.listing(folder).get(name)
        return entry.size if entry else None

    def _confirmed(self, number: int, refused: Refused | None) -> Refused | None:
        try:
            self.wire.reply(number).confirm()
        except Refused as another:
            return refused or another
        return refused

    @contextlib.contextmanager
    def _closing(self, handle: bytes) -> Iterator[None]:
        try:
            yield
        except (Refused, TransportError):
            self.wire.ask(wire.CLOSE, handle)
            raise
        self.wire.ask(wire.CLOSE, handle)

    def _entries(self, handle: bytes, folder: str) -> dict[str, Entry]:
        files: dict[str, Entry] = {}
        length = 0
        while True:
            try:
                fields = self.wire.ask(wire.READDIR, handle).expect(wire.NAME)
            except Refused as refused:
                if refused.code != wire.EOF:
                    raise
                return files
            length += len(fields.asbytes())
            if length > LISTING_LIMIT:
                raise ListingTooLarge(folder, LISTING_LIMIT)
            files.update(sftp_names.entries(fields, self.server.name_encoding))

    def _content(self, handle: bytes, limit: int) -> bytes:
        size = sftp_names.attributes(self.wire.ask(wire.FSTAT, handle).expect(wire.ATTRS)).size or 0
        content = bytearray()
        while size <= limit and len(content) <= limit:
            before = len(content)
            content += self._ahead(handle, before, max(size - before, _BLOCK))
            if len(content) == before:
                return bytes(content)
        raise TooLarge(limit)

    def _ahead(self, handle: bytes, offset: int, length: int) -> bytes:
        """Return what lies at `offset`, by many requests at once; up to `length`, or less before a short block."""
        starts = list(range(offset, offset + length, _BLOCK))[:_AHEAD]
        numbers = [self.wire.send(wire.READ, handle, wire.wide(start), _BLOCK) for start in starts]
        replies = [self.wire.reply(number) for number in numbers]
        content, is_whole = bytearray(), True
        for block in map(self._block, replies):
            if is_whole:
                content += block
            is_whole = is_whole and len(block) == _BLOCK
        return bytes(content)

    @staticmethod
    def _block(reply: Reply) -> bytes:
        try:
            return reply.expect(wire.DATA).get_binary()
        except Refused as refused:
            if refused.code != wire.EOF:
                raise
            return b""
