"""One session with an FTP server (RFC 959, 2428, 3659, 4217): binary, passive, every wait limited.

No method repeats anything. What a failure means is said by the TransportError's kind.
"""

import contextlib
import ftplib
import re
from collections.abc import Iterator

from suppliers.transports import channels, ftp_login, ftp_refusals, listings, names
from suppliers.transports.control import ControlConnection
from suppliers.transports.errors import IdentityRefused, Kind, ListingTooLarge, TooLarge, TransportError
from suppliers.transports.session import Entry, Seen, Server

LISTING_LIMIT = 5_000_000
_NOT_IMPLEMENTED = ("500", "502", "504")
_MOST_TIMES = 100  # files of a listing without times that are asked for theirs, a command each


class FtpSession:
    """A logged-in session. Once `is_broken` it can only be closed.

    `wire`, `step` and `open_channel` are for whoever sends several commands at once.
    """

    def __init__(self, server: Server) -> None:
        self.is_broken = False
        self.seen = Seen()
        self.server = server
        self.waiting_port: int | None = None  # asked for ahead of the transfer that is to use it
        self.missing: set[str] = set() if server.profile.has_size else {"SIZE", "MLST"}
        self.wire = ControlConnection(timeout=server.connect_timeout, encoding=server.name_encoding)
        try:
            ftp_login.check(server)
            with self.step("connect"):
                ftp_login.connect(self.wire, server, self.seen)
            with self.step("login"), self.wire.within(2 * server.connect_timeout):
                ftp_login.log_in(self.wire, server, self.seen)
        except TransportError:
            self.wire.close()
            raise
        self._wait_at_most(server.data_timeout)

    def upload(self, path: str, content: bytes) -> None:
        """Store `content` at `path`; returns after the server has said that it is complete."""
        self.check(path)
        with self.step("upload"), self.limited(), self.open_channel() as channel:
            self.wire.send(f"STOR {path}")
            self.wire.expect("1")
            try:
                channel.secure(self.wire, self.seen)
                channel.send(content)
            except OSError:
                self.wire.voidresp()  # the server may say why, such as 452
                raise
            self.wire.voidresp()

    def size(self, path: str) -> int | None:
        """Return the size of the file at `path`, or None where there is no such file."""
        self.check(path)
        for command, pattern in (("SIZE", r"213 +(\d{1,18})\b"), ("MLST", r"(?is).*\bsize=(\d{1,18});")):
            if command in self.missing:
                continue
            with self.step("size"):
                reply = self._ask(command, path)
            if reply is None:
                return None
            if match := re.match(pattern, reply):
                return int(match[1])
        return self._listed_size(path)

    def expected_size(self, path: str) -> int | None:
        """Return the size of a file that should be there: where SIZE knows nothing of it, the listing is asked.

        A 550 to SIZE means missing or not allowed. A server that lists what it denied is asked by listing from then on.
        """
        if (size := self.size(path)) is not None or not self.server.profile.can_list:
            return size
        if (size := self._listed_size(path)) is not None:
            self.missing |= {"SIZE", "MLST"}
        return size

    def rename(self, old: str, new: str) -> None:
        """Rename; kind uncertain means that the server may have done it."""
        self.check(old)
        self.check(new)
        with self.step("rename"):
            self.wire.send(f"RNFR {old}")
            self.wire.expect("350")
        with self.step("rename", lost=Kind.UNCERTAIN):
            self.wire.send(f"RNTO {new}")
            self.wire.expect("250")

    def delete(self, path: str) -> None:
        """Delete; a file that is not there is fine."""
        self.check(path)
        with self.step("delete"):
            try:
                self.wire.voidcmd(f"DELE {path}")
            except ftplib.error_perm as error:
                # 550 means missing or not allowed, only a look tells which.
                if not str(error).startswith("550") or self.size(path) is not None:
                    raise

    def listing(self, folder: str) -> dict[str, Entry]:
        """Return the files in `folder`, by name. Where the listing has no times, each file is asked for its own."""
        return self._with_times(folder, self._files(folder))

    def read(self, path: str, limit: int) -> bytes:
        """Return the content of the file at `path`; more than `limit` bytes is an error of kind file."""
        self.check(path)
        with self.step("read"):
            content, has_end = self._retrieve(f"RETR {path}", limit)
        if not has_end and self.size(path) != len(content):
            raise TransportError(Kind.TEMPORARY, "The server ended the file too early.", "read")
        return content

    def make_folder(self, path: str) -> None:
        """Make a folder; one that is there is fine."""
        self.check(path)
        with self.step("make folder"):
            try:
                self.wire.voidcmd(f"MKD {path}")
            except ftplib.error_perm:
                if not self._can_enter(path):
                    raise

    def has_folder(self, path: str) -> bool:
        """Tell whether there is such a folder."""
        self.check(path)
        with self.step("list"):
            return not path or self._can_enter(path)

    def noop(self) -> None:
        """Ask whether the session still lives."""
        with self.step("noop"):
            self._wait_at_most(self.server.connect_timeout)
            self.wire.voidcmd("NOOP")
            self._wait_at_most(self.server.data_timeout)

    def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to, and close."""
        with contextlib.suppress(*ftplib.all_errors):
            if not self.is_broken:
                self._wait_at_most(1)
                self.wire.quit()
        self.is_broken = True
        self.wire.close()

    def limited(self) -> contextlib.AbstractContextManager[None]:
        """Let all replies that are read inside take no longer than a transfer may."""
        return self.wire.within(2 * self.server.data_timeout)

    def open_channel(self) -> channels.DataChannel:
        """Return a data channel for the next transfer; inside a `step`."""
        self.waiting_port = None  # the server gives it up for the next one
        return channels.open_channel(self.wire, self.server, self.missing)

    def check(self, path: str) -> None:
        """Raise a TransportError of kind file for a name that cannot be said to the server."""
        names.encoded(path, self.server.name_encoding)

    @contextlib.contextmanager
    def step(self, step: str, lost: Kind = Kind.TEMPORARY) -> Iterator[None]:
        """Turn what goes wrong inside into a TransportError; `lost` is its kind where the connection is lost."""
        if self.is_broken:
            raise TransportError(Kind.TEMPORARY, f"The connection was lost before ({step}).", step)
        try:
            yield
        except IdentityRefused:  # of a data channel; the server's reply to the command is still to come
            self.is_broken = True
            raise
        except (ftplib.error_temp, ftplib.error_perm) as error:
            words = self.server.masked(str(error))
            self.is_broken = self.is_broken or words.startswith("421")
            raise ftp_refusals.refusal(words, step) from None
        except (ftplib.Error, OSError, EOFError) as error:
            self.is_broken = True
            words = self.server.masked(str(error)) or "the connection was closed"
            raise TransportError(lost, f"The connection failed ({step}): {words}", step) from None

    def _wait_at_most(self, seconds: float) -> None:
        self.wire.timeout = seconds
        if self.wire.sock:
            self.wire.sock.settimeout(seconds)

    def _ask(self, command: str, path: str) -> str | None:
        try:
            return self.wire.sendcmd(f"{command} {path}")
        except ftplib.error_perm as error:
            code = str(error)[:3]
            if code == "550":
                return None
            if code not in _NOT_IMPLEMENTED:
                raise
            self.missing.add(command)
            return ""

    def _listed_size(self, path: str) -> int | None:
        if not self.server.profile.can_list:
            raise TransportError(
                Kind.ENDPOINT,
                "The server tells neither the sizes of files nor which there are, so nobody could say whether a file "
                "arrived whole. Ask the supplier to allow SIZE or a listing.",
                "size",
            )
        folder, _, name = path.rpartition("/")
        entry = self._files(folder).get(name)
        return entry.size if entry else None

    def _files(self, folder: str) -> dict[str, Entry]:
        self.check(folder)
        for command, read in (("MLSD", listings.from_mlsd), ("LIST", listings.from_list)):
            if command in self.missing:
                continue
            with self.step("list"):
                try:
                    content, _ = self._retrieve(f"{command} {folder}".strip(), LISTING_LIMIT)
                except ftplib.error_perm as error:
                    if command == "LIST" or str(error)[:3] not in _NOT_IMPLEMENTED:
                        raise
                    self.missing.add(command)
                    continue
                except TooLarge:
                    raise ListingTooLarge(folder, LISTING_LIMIT) from None
            return read(listings.lines(content.decode(self.server.name_encoding, "surrogateescape")))
        raise AssertionError("LIST is never missing")

    def _with_times(self, folder: str, files: dict[str, Entry]) -> dict[str, Entry]:
        timeless = [name for name, entry in files.items() if entry.modified_at is None and self._can_say(name)]
        with self.step("list"), self.limited():
            for name in timeless[:_MOST_TIMES]:
                path = f"{folder.rstrip('/')}/{name}" if folder else name
                if "MDTM" in self.missing:
                    break
                reply = self._ask("MDTM", path) or ""
                files[name] = Entry(files[name].size, listings.moment(reply[4:]))
        return files

    def _can_say(self, name: str) -> bool:
        try:
            self.check(name)
        except TransportError:
            return False
        return True

    def _can_enter(self, path: str) -> bool:
        # Some servers list what is not there, or a file, as if it were an empty folder: only going there tells.
        here = ftplib.parse257(self.wire.sendcmd("PWD"))  # noqa: S321
        self.check(here)
        try:
            self.wire.sendcmd(f"CWD {path}")
        except ftplib.error_perm:
            return False
        try:
            self.wire.voidcmd(f"CWD {here}")
        except ftplib.error_perm:  # from elsewhere, every path of this session would lead elsewhere
            self.is_broken = True
        return True

    def _retrieve(self, command: str, limit: int) -> tuple[bytes, bool]:
        with self.limited():
            with self.open_channel() as channel:
                self.wire.sendcmd(command)
                channel.secure(self.wire, self.seen)
                try:
                    content = channel.receive(limit)
                except TransportError:
                    self.is_broken = True  # the transfer stops in its middle
                    raise
            self.wire.voidresp()
        return content, channel.has_end
