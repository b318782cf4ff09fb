"""Journals: append-only lines in files of their own, outside the database, on the disk before anybody acts on them.

A file a day and machine, so that copies of several machines fit into one folder. Each line begins with its checksum,
and each append with an empty line: a line that was torn by a power cut spoils no other. Many processes and threads
append to one file at once, for the system puts each append whole behind the last (O_APPEND). The first line of a file
says where it was begun (journal_files.py).
"""

import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hemi.lib import journal_files
from hemi.lib.journal_files import Line, decoded, encoded


class Journal:
    """The lines of one kind in `folder`; files older than `days` are removed as new ones are begun."""

    def __init__(self, folder: Path, kind: str, days: int) -> None:
        self._folder, self._kind, self._days = folder, kind, days
        self._lock = threading.Lock()
        self._handle = -1
        self._path = folder
        self._day = ""

    def append(self, lines: Iterable[Line], *, is_urgent: bool = True) -> None:
        """Append `lines`, each with its time; wait until they are on the disk where that is urgent. Raises OSError."""
        now = datetime.now(UTC)
        data = b"\n" + b"".join(encoded({"at": now.isoformat(), **line}) for line in lines)
        with self._lock:
            handle = self._open(f"{now:%Y-%m-%d}")
            if os.write(handle, data) != len(data):  # the disk is full: what was begun counts as torn
                raise OSError(f"{self._folder} took only a part of what was to be written.")
            if is_urgent:
                os.fdatasync(handle)

    def _open(self, day: str) -> int:
        if self._handle >= 0:
            if day == self._day and self._is_still_there():
                return self._handle
            os.close(self._handle)
            self._handle = -1
        self._path, is_new = journal_files.of_today(self._folder, self._kind, day)
        self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._day = day
        if is_new:
            journal_files.thin(self._folder, self._days)
        return self._handle

    def _is_still_there(self) -> bool:
        """Tell whether the path still leads to the open file: it may be removed, or a disk be mounted over it."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._handle))
        except OSError:
            return False


@dataclass
class Reading:
    """What was read of a journal's files; `damaged` counts whole lines whose checksum is wrong, and no torn ones."""

    damaged: int = 0
    files: int = 0
    ends_at: datetime | None = None


def read(folders: Iterable[Path], kind: str, since: datetime, reading: Reading) -> Iterator[Line]:
    """Return the lines of all files of `kind` that were written since then, file by file; count in `reading`."""
    for folder in folders:
        for _, path in journal_files.of_days(folder, kind, since):
            reading.files += 1
            yield from _lines(path, since, reading)


def _lines(path: Path, since: datetime, reading: Reading) -> Iterator[Line]:
    last = datetime.min.replace(tzinfo=UTC)
    with path.open("rb") as file:
        for raw in file:
            text = raw.rstrip(b"\n")
            if not text:
                continue
            line = decoded(text)
            if line is None:
                reading.damaged += text.endswith(b"}")  # any other was torn before anybody acted on it
                continue
            if journal_files.PLACE in line:
                continue
            # What comes later was written later, even if the clock was put back meanwhile.
            last = max(last, datetime.fromisoformat(line["at"]))
            reading.ends_at = max(reading.ends_at or last, last)
            if last >= since:
                yield {**line, "at": last.isoformat()}
