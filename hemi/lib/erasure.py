"""Deleted means gone: SQLite leaves what was overwritten in its file and its journal until it is told otherwise.

https://www.sqlite.org/pragma.html#pragma_secure_delete and https://www.sqlite.org/lang_vacuum.html
PostgreSQL's autovacuum reuses the space by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import OperationalError, connection

BUSY_MEGABYTES = 500  # rewriting a larger file holds writers up for longer than webhooks can wait
QUIET_HOURS = range(1, 5)  # UTC


@contextmanager
def thorough() -> Iterator[None]:
    """Overwrite with zeros whatever this connection deletes inside the block."""
    if connection.vendor != "sqlite":
        yield
        return
    before = _pragma("secure_delete")
    _pragma("secure_delete=ON")
    try:
        yield
    finally:
        _pragma(f"secure_delete={before[0]}")


def is_quiet(now: datetime) -> bool:
    """Tell whether the database file may be rewritten now: it is small, or it is night."""
    if connection.vendor != "sqlite":
        return True
    size = Path(str(connection.settings_dict["NAME"])).stat().st_size
    return size <= BUSY_MEGABYTES * 1_000_000 or now.hour in QUIET_HOURS


def close_traces() -> bool:
    """Rewrite the file, so that copies which moved rows left behind go as well, and empty the journal.

    False: somebody was reading; try again a moment later.
    """
    if connection.vendor != "sqlite":
        return True
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
        return not _pragma("wal_checkpoint(TRUNCATE)")[0]
    except OperationalError:  # locked for longer than Hemi waits
        return False


def _pragma(text: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        return cursor.fetchone() or (0,)
