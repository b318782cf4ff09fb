"""SQLite: a copy of one moment while the system runs, and back."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hemi.backup.manifest import LEFT_OUT, BackupError, Tables

NAME = "sqlite"
_TIMEOUT = 60
_BESIDE = ("", "-wal", "-shm", "-to-rewrite")


def snapshot(database: dict[str, Any], target: Path) -> tuple[Tables, list[str]]:
    """Copy the database to `target`; return its tables and its migrations.

    VACUUM INTO reads one moment of a database that goes on being written, and leaves out free pages, in which removed
    data may still lie. https://www.sqlite.org/lang_vacuum.html#vacuuminto
    """
    path = Path(database["NAME"])
    if not path.exists():
        raise BackupError(f"There is no database at {path}.")
    with closing(sqlite3.connect(path, timeout=_TIMEOUT)) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    with closing(sqlite3.connect(target)) as copy:
        return _tables(copy), _migrations(copy)


def size(database: dict[str, Any]) -> int:
    """Return about how many bytes a copy takes."""
    path = Path(database["NAME"])
    return path.stat().st_size if path.exists() else 0


def tables(database: dict[str, Any]) -> Tables:
    """Return each table's rows and checksum."""
    with closing(sqlite3.connect(f"file:{database['NAME']}?mode=ro", uri=True)) as connection:
        return _tables(connection)


def is_empty(database: dict[str, Any]) -> bool:
    """Tell whether nothing is there that a restore would overwrite."""
    path = Path(database["NAME"])
    if not path.exists() or not path.stat().st_size:
        return True
    try:
        with closing(sqlite3.connect(path, timeout=_TIMEOUT)) as connection:
            return not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.DatabaseError:  # damaged: perhaps somebody wants to save what is left
        return False


def users(database: dict[str, Any]) -> int:
    """Return how many other processes have the database open, as far as this user may see."""
    files = {f"{database['NAME']}{ending}" for ending in _BESIDE}
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) in files:
                found.add(link.parts[2])
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return len(found - {str(os.getpid())})


def load(copy: Path, database: dict[str, Any], closed_at: datetime) -> None:
    """Close the outboxes in the unpacked `copy`, then put it into its place; what was there is kept beside it."""
    path = Path(database["NAME"])
    with closing(sqlite3.connect(copy)) as connection:
        if (said := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise BackupError(f"The database in the backup is damaged: {said}")
        connection.execute(
            "UPDATE suppliers_endpoint SET closed_at = ?", (closed_at.replace(tzinfo=None).isoformat(" "),)
        )
        connection.commit()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.restoring")
    shutil.move(copy, draft)  # it may come from another disk
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for ending in _BESIDE:  # the file before its journal: without that it would be an older state, with open outboxes
        former = Path(f"{path}{ending}")
        if former.exists():
            former.rename(f"{path}.replaced-{stamp}{ending}")
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # a power cut must not bring back what was replaced
    os.close(folder)


def _tables(connection: sqlite3.Connection) -> Tables:
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return {name: _digest(connection, name) for (name,) in connection.execute(names).fetchall()}


def _digest(connection: sqlite3.Connection, table: str) -> tuple[int, str]:
    columns = sorted(row[1] for row in connection.execute(f'PRAGMA table_info("{table}")'))
    wanted = ", ".join(f'"{name}"' for name in columns if name not in LEFT_OUT.get(table, ()))
    found, count = hashlib.sha256(), 0
    for row in connection.execute(f'SELECT {wanted} FROM "{table}" ORDER BY rowid'):  # noqa: S608
        found.update(repr(row).encode(errors="surrogatepass"))
        count += 1
    return count, found.hexdigest()


def _migrations(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
    return [name for (name,) in rows]
