"""A trial of an endpoint's server: what it knows, what it left there, and how a step is told."""

import contextlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from suppliers import connections, naming
from suppliers.models import Endpoint
from suppliers.transports import opening, sessions
from suppliers.transports.errors import Crowded, Kind, TransportError
from suppliers.transports.session import Entry, Profile, Server, Session

CONTENT = b"A test of the connection. It is no order; please ignore it.\n"
_MOST_REOPENED = 3


class Outcome(StrEnum):
    """How a step went; `noted` is nothing wrong, but worth to be known."""

    PASSED = "passed"
    NOTED = "noted"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Told:
    """What is shown of a step."""

    outcome: Outcome
    text: str


def passed(text: str) -> Told:
    """It is as it should be."""
    return Told(Outcome.PASSED, text)


def noted(text: str) -> Told:
    """It works, in a way that is worth to be known."""
    return Told(Outcome.NOTED, text)


def failed(text: str) -> Told:
    """It does not work."""
    return Told(Outcome.FAILED, text)


def skipped(text: str) -> Told:
    """It was not tried."""
    return Told(Outcome.SKIPPED, text)


def counted(files: int) -> str:
    """Say how many files there are."""
    return "1 file" if files == 1 else f"{files:,} files"


@dataclass
class Trial:
    """One trial; `learned` is what goes into the endpoint's profile."""

    endpoint: Endpoint
    number: int  # part of the files' names, so that a second run clears away what a first one left
    may_write: bool = True
    is_resumed: bool = False  # a run that died may have left files of the same names
    learned: dict[str, Any] = field(default_factory=dict)
    refusal: TransportError | None = None  # the session could not be opened
    fault: str = ""  # why the file could not be written, or not under a name of full length
    entry: Entry | None = None
    has_file: bool = False
    is_short: bool = False
    written_at: Any = None
    _session: Session | None = None
    _left: set[str] = field(default_factory=set)
    _opened: int = 0

    @property
    def server(self) -> Server:
        """Return where to connect, as if nothing were known of the server."""
        known = connections.server(self.endpoint)
        return replace(known, profile=Profile(max_sessions=self.endpoint.max_sessions))

    @property
    def session(self) -> Session:
        """Return the session; one that was lost is opened again, a few times. Raises TransportError."""
        if self._session and self._session.is_broken:
            self._session.close()
            self._session = None
        if self._session is None:
            if self.refusal or self._opened >= _MOST_REOPENED:
                raise TransportError(Kind.TEMPORARY, "The connection was lost.", "connect")
            self._opened += 1
            self._session = opening.open_session(self.server)
        return self._session

    @property
    def is_lost(self) -> bool:
        """Tell whether what just failed took the connection along, which says nothing of what was asked."""
        return self._session is None or self._session.is_broken

    @property
    def is_ftp(self) -> bool:
        """Tell whether the server speaks FTP, with TLS or without."""
        return self.endpoint.protocol != Endpoint.Protocol.SFTP

    def open(self) -> None:
        """Open the session, once; kept ones of this process are closed first, as servers count them."""
        while kept := sessions.kept.take(self.endpoint.pk, connections.server(self.endpoint)):
            kept.close()
        try:
            _ = self.session
        except Crowded:
            raise
        except TransportError as error:
            self.refusal = error

    def name(self, letter: str, ending: str = "") -> str:
        """Return a path that bears the endpoint's temporary mark; `letter` tells the trial's files apart."""
        name = "TEST" if self.is_short else naming.longest_name(self.endpoint)
        path = naming.temporary_name(self.endpoint, name + ending, f"test{self.number % 10**7:07d}{letter}")
        return path if "/" in path else connections.path(self.endpoint.orders_folder, path)

    def expect(self, *paths: str) -> None:
        """Remember to remove files that may come to be there."""
        self._left.update(paths)

    def forget(self, *paths: str) -> None:
        """There are no such files any more."""
        self._left.difference_update(paths)

    def vacate(self, path: str) -> None:
        """Remove what a run that died left under this name, so that it tells nothing wrong of the server."""
        if self.is_resumed:
            with contextlib.suppress(TransportError):
                self.session.delete(path)

    def upload(self, path: str, content: bytes = CONTENT) -> None:
        """Write a file and remember to remove it. Raises TransportError."""
        self._left.add(path)
        self.session.upload(path, content)

    def rename(self, old: str, new: str) -> None:
        """Rename and remember to remove. Raises TransportError."""
        self._left.add(new)
        self.session.rename(old, new)
        self._left.discard(old)

    def delete(self) -> None:
        """Delete whatever this trial wrote, as far as it can be. Raises TransportError."""
        refusal: TransportError | None = None
        for path in sorted(self._left):
            try:
                self.session.delete(path)
                self._left.discard(path)
            except TransportError as error:
                if self.is_lost:
                    raise
                refusal = refusal or error
        if refusal:
            raise refusal

    def end(self) -> str:
        """Remove what is left and say goodbye; return why something stays, or nothing."""
        told = ""
        try:
            if self._left and self.learned.get("can_delete") is not False:
                self.delete()
        except TransportError as error:
            told = f"Files of this test may be left, such as {min(self._left)}. {error.message}"
        if self._session:
            with contextlib.suppress(TransportError):
                self._session.close()
        return told
