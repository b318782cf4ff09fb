"""The files of a journal: begun, told from copies, found missing, copied, removed when they are old.

The first line of a file names its place: the number and time of the folder's anchor and the number of the file itself,
which no copy keeps, whatever it keeps otherwise. The folder's list names each file that was begun.
"""

import hashlib
import json
import os
import re
import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

Line = dict[str, Any]
PLACE = "place"
_ANCHOR, _LIST = "anchor", "begun"
_NAME = re.compile(r"([a-z]+)-(\d{4}-\d\d-\d\d)\..+\.log")
_HEAD_BYTES = 1000


def encoded(line: Line) -> bytes:
    """Return a line with its checksum."""
    body = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decoded(text: bytes) -> Line | None:
    """Read a line; None: it is not as it was written."""
    checksum, _, body = text.partition(b" ")
    return json.loads(body) if checksum == b"%08x" % zlib.crc32(body) else None


def of_today(folder: Path, kind: str, day: str) -> tuple[Path, bool]:
    """Return the file of this day and machine and whether it is new. A copy that lies there is left. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    host = re.sub(r"[^\w-]", "_", socket.gethostname()) or "here"
    for number in count(1):
        path = folder / f"{kind}-{day}.{host}{f'.{number}' if number > 1 else ''}.log"
        is_new = not path.exists() and path.name not in _begun(folder)
        if is_new:
            _begin(path)
        if is_own(path):
            return path, is_new
    raise AssertionError


def is_own(path: Path) -> bool:
    """Tell whether a file lies where it was begun, and is no copy, which may end too early."""
    try:
        with path.open("rb") as file:
            line = decoded(file.readline(_HEAD_BYTES).rstrip(b"\n"))
            return line is not None and line.get(PLACE) == _place(path.parent, file.fileno())
    except (OSError, ValueError):
        return False


def of_days(folder: Path, kind: str, since: datetime) -> Iterator[tuple[str, Path]]:
    """Return the files of that day and later ones, each with its day."""
    for path in sorted(folder.glob(f"{kind}-*.log")):
        if day := _day(path.name, kind, since):
            yield day, path


def is_in_place(folder: Path, kind: str, since: datetime) -> bool:
    """Tell whether the files of that day and later ones were begun here, and there are such."""
    found = [is_own(path) for _, path in of_days(folder, kind, since) if path.stat().st_size]
    return bool(found) and all(found)


def missing(folder: Path, kind: str, since: datetime) -> list[str]:
    """Return the days since then of which a file was begun here that is gone."""
    wanted = {name: day for name in _begun(folder) if (day := _day(name, kind, since))}
    return sorted({day for name, day in wanted.items() if not (folder / name).exists()})


def thin(folder: Path, days: int) -> int:
    """Remove the files that are older than so many days; return how many."""
    oldest = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"
    old = [path for path in folder.glob("*.log") if (found := _NAME.fullmatch(path.name)) and found[2] < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def copy(folder: Path, target: Path) -> int:
    """Append to the copies in `target` what is new in the files of `folder`; return how many bytes that were."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    copied = 0
    for path in sorted(folder.glob("*.log")):
        there = target / path.name
        if not _is_continued_by(there, path):  # of another folder that was lost: both are wanted
            there.rename(there.with_suffix(f".until-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.log"))
        with path.open("rb") as source, there.open("ab") as copy_of:
            source.seek(copy_of.tell())
            while data := source.read(1 << 20):
                copied += copy_of.write(data)
            copy_of.flush()
            os.fsync(copy_of.fileno())
    _sync(target)
    return copied


def _begin(path: Path) -> None:
    """Begin a file with the line that names its place, unless another process was first."""
    _anchor(path.parent)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        line = {"at": datetime.now(UTC).isoformat(), PLACE: _place(path.parent, handle)}
        try:
            _write(file, encoded(line))
        except OSError:
            path.unlink()
            raise
    with open(path.parent / _LIST, "ab", opener=_private) as file:
        _write(file, f"{path.name}\n".encode())
    _sync(path.parent)


def _anchor(folder: Path) -> None:
    try:
        open(folder / _ANCHOR, "xb", opener=_private).close()  # touching it again would change its time
    except FileExistsError:
        return


def _place(folder: Path, handle: int) -> str:
    anchor = (folder / _ANCHOR).stat()
    place = f"{anchor.st_ino} {anchor.st_ctime_ns} {os.fstat(handle).st_ino}"
    return hashlib.sha256(place.encode()).hexdigest()


def _begun(folder: Path) -> list[str]:
    try:
        return (folder / _LIST).read_text(errors="replace").split()
    except FileNotFoundError:
        return []


def _day(name: str, kind: str, since: datetime) -> str:
    """Return a file's day if it is of that kind, and the day is that or later."""
    found = _NAME.fullmatch(name)
    return found[2] if found and found[1] == kind and found[2] >= f"{since:%Y-%m-%d}" else ""


def _is_continued_by(there: Path, path: Path) -> bool:
    if not there.exists() or not there.stat().st_size:
        return True
    with there.open("rb") as old, path.open("rb") as new:
        return path.stat().st_size >= there.stat().st_size and old.readline(_HEAD_BYTES) == new.readline(_HEAD_BYTES)


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
