"""What is asked of a session that brings many files: rename one, upload another, look at both names of the latter."""

from dataclasses import dataclass
from typing import Protocol

from suppliers.transports.errors import TransportError
from suppliers.transports.session import Session


@dataclass(frozen=True)
class Rename:
    """Paths; it is recorded that the rename may happen."""

    old: str
    new: str


@dataclass(frozen=True)
class Upload:
    """A file, the name that it gets first, and the one that must not exist yet."""

    temporary: str
    final: str
    content: bytes


@dataclass
class Done:
    """What became of a step."""

    rename_error: TransportError | None = None
    upload_error: TransportError | None = None
    size: int | None = None  # of the uploaded file, as the server tells it
    is_taken: bool = False  # a file lies under the final name
    is_rename_sent: bool = False


class Line(Protocol):
    """One session's way to bring file after file."""

    def step(self, rename: Rename | None, upload: Upload | None) -> Done:
        """Rename one file and upload another. Raises nothing: what went wrong is in what it returns."""


class PlainLine:
    """One thing after the other."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def step(self, rename: Rename | None, upload: Upload | None) -> Done:
        """Rename, then upload and look at both names."""
        done = Done()
        try:
            if rename:
                self._session.rename(rename.old, rename.new)
        except TransportError as error:
            done.rename_error = error
        try:
            if upload:
                self._session.upload(upload.temporary, upload.content)
                look(self._session, upload, done)
        except TransportError as error:
            done.upload_error = error
        return done


def look(session: Session, upload: Upload, done: Done) -> None:
    """Ask for both sizes in every way that the server offers. Raises TransportError."""
    done.size = session.expected_size(upload.temporary)
    done.is_taken = session.size(upload.final) is not None
