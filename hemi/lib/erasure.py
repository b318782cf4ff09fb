"""Deleted means gone: SQLite leaves what was overwritten in its file and its journal until it is told otherwise.

https://www.sqlite.org/pragma.html#pragma_secure_delete and https://www.sqlite.org/lang_vacuum.html
PostgreSQL keeps the old versions of a row until its tables are vacuumed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.db import OperationalError, connection

BUSY_MEGABYTES = 500  # rewriting a larger file holds writers up for longer than webhooks can wait
QUIET_HOURS = range(1, 5)  # UTC


@contextmanager
def thorough() -> Iterator[None]:
    """Overwrite with zeros what this connection deletes inside the block, and have the file rewritten by morning."""
    if connection.vendor != "sqlite":
        yield
        return
    before = _pragma("secure_delete")
    _pragma("secure_delete=ON")
    try:
        yield
    finally:
        _pragma(f"secure_delete={before[0]}")
        _reminder().touch()


def rewrite_by_night(now: datetime) -> None:
    """Close the traces of what was removed since they were closed last; something comes in late now and then."""
    if connection.vendor == "sqlite" and now.hour in QUIET_HOURS and _reminder().exists():
        close_traces()


def is_quiet(now: datetime) -> bool:
    """Tell whether the database file may be rewritten now: it is small, or it is night."""
    if connection.vendor != "sqlite":
        return True
    size = Path(str(connection.settings_dict["NAME"])).stat().st_size
    return size <= BUSY_MEGABYTES * 1_000_000 or now.hour in QUIET_HOURS


def close_traces() -> bool:
    """Rewrite the file, so that copies which moved rows left behind go as well, and empty the journal. On PostgreSQL
    vacuum the tables.

    False: somebody was reading; try again a moment later.
    """
    is_embedded = connection.vendor == "sqlite"
    tables = [] if is_embedded else [connection.ops.quote_name(model._meta.db_table) for model in apps.get_models()]
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {', '.join(tables)}")
        if is_embedded and _pragma("wal_checkpoint(TRUNCATE)")[0]:
            return False
    except OperationalError:  # locked for longer than Hemi waits
        return False
    if is_embedded:
        _reminder().unlink(missing_ok=True)
    return True


def _reminder() -> Path:
    return Path(f"{connection.settings_dict['NAME']}-to-rewrite")


def _pragma(text: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        return cursor.fetchone() or (0,)
