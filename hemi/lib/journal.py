"""Journals: append-only lines in files of their own, outside the database, on the disk before anybody acts on them.

A file a day and machine, so that copies of several machines fit into one folder. Each line begins with its checksum,
and each append with an empty line: a line that was torn by a power cut spoils no other. Many processes and threads
append to one file at once, for the system puts each append whole behind the last (O_APPEND).
"""

import hashlib
import json
import os
import re
import socket
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Line = dict[str, Any]
_PLACE, _ANCHOR = "place.json", "anchor"
_MACHINE_ID = Path("/etc/machine-id")
_NAME = re.compile(r"[a-z]+-(\d{4}-\d\d-\d\d)\..+\.log")


class Journal:
    """The lines of one kind in `folder`; files older than `days` are removed as new ones are begun."""

    def __init__(self, folder: Path, kind: str, days: int) -> None:
        self._folder, self._kind, self._days = folder, kind, days
        self._lock = threading.Lock()
        self._handle = -1
        self._day = ""

    def append(self, lines: Iterable[Line], *, is_urgent: bool = True) -> None:
        """Append `lines`, each with its time; wait until they are on the disk where that is urgent. Raises OSError."""
        now = datetime.now(UTC)
        data = b"\n" + b"".join(_encode({"at": now.isoformat(), **line}) for line in lines)
        with self._lock:
            handle = self._open(f"{now:%Y-%m-%d}")
            if os.write(handle, data) != len(data):  # the disk is full: what was begun counts as torn
                raise OSError(f"{self._folder} took only a part of what was to be written.")
            if is_urgent:
                os.fdatasync(handle)

    def _open(self, day: str) -> int:
        is_there = self._handle >= 0 and os.fstat(self._handle).st_nlink
        if is_there and day == self._day:
            return self._handle
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        settle(self._folder)
        host = re.sub(r"[^\w-]", "_", socket.gethostname()) or "here"
        path = self._folder / f"{self._kind}-{day}.{host}.log"
        is_new = not path.exists()
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._day = day
        if is_new:
            _sync_folder(self._folder)
            thin(self._folder, self._days)
        return self._handle


@dataclass
class Reading:
    """What was read of a journal's files; `damaged` counts whole lines whose checksum is wrong, and no torn ones."""

    damaged: int = 0
    files: int = 0
    ends_at: datetime | None = None


def read(folders: Iterable[Path], kind: str, since: datetime, reading: Reading) -> Iterator[Line]:
    """Return the lines of all files of `kind` that were written since then, file by file; count in `reading`."""
    for folder in folders:
        for path in sorted(folder.glob(f"{kind}-*.log")):
            found = _NAME.fullmatch(path.name)
            if found and found[1] >= f"{since:%Y-%m-%d}":
                reading.files += 1
                yield from _lines(path, since, reading)


def settle(folder: Path) -> None:
    """Make the folder and note where it is, unless that is done: a copy elsewhere can then be told from it."""
    if (folder / _PLACE).exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _ANCHOR).touch(mode=0o600)
    draft = folder / f".{_PLACE}-{os.getpid()}-{threading.get_ident()}"
    draft.write_text(json.dumps(_place(folder)))
    draft.replace(folder / _PLACE)


def is_in_place(folder: Path) -> bool:
    """Tell whether this is the folder that was written to, and not a copy that may end too early."""
    try:
        return json.loads((folder / _PLACE).read_text()) == _place(folder)
    except (OSError, ValueError):
        return False


def adopt(folder: Path) -> None:
    """From now on a copied folder is the place itself."""
    for name in (_PLACE, _ANCHOR):
        (folder / name).unlink(missing_ok=True)
    settle(folder)


def thin(folder: Path, days: int) -> int:
    """Remove the files that are older than so many days; return how many."""
    oldest = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"
    old = [path for path in folder.glob("*.log") if (found := _NAME.fullmatch(path.name)) and found[1] < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def copy(folder: Path, target: Path) -> int:
    """Append to the copies in `target` what is new in the files of `folder`; return how many bytes that were."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    copied = 0
    for path in sorted(folder.glob("*.log")):
        with path.open("rb") as source, (target / path.name).open("ab") as copy_of:
            source.seek(copy_of.tell())
            while data := source.read(1 << 20):
                copied += copy_of.write(data)
            copy_of.flush()
            os.fsync(copy_of.fileno())
    _sync_folder(target)
    return copied


def _lines(path: Path, since: datetime, reading: Reading) -> Iterator[Line]:
    with path.open("rb") as file:
        for raw in file:
            text = raw.rstrip(b"\n")
            if not text:
                continue
            line = _decode(text)
            if line is None:
                reading.damaged += text.endswith(b"}")  # any other was torn before anybody acted on it
                continue
            at = datetime.fromisoformat(line["at"])
            reading.ends_at = max(reading.ends_at or at, at)
            if at >= since:
                yield line


def _encode(line: Line) -> bytes:
    body = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _decode(text: bytes) -> Line | None:
    checksum, _, body = text.partition(b" ")
    return json.loads(body) if checksum == b"%08x" % zlib.crc32(body) else None


def _place(folder: Path) -> dict[str, Any]:
    machine = _MACHINE_ID.read_text().strip() if _MACHINE_ID.exists() else socket.gethostname()
    # No copy keeps a file's number and the time of its last change of state, whatever it keeps otherwise.
    anchor = (folder / _ANCHOR).stat()
    place = f"{machine} {anchor.st_ino} {anchor.st_ctime_ns}"
    return {"place": hashlib.sha256(place.encode()).hexdigest()}


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
