"""The SQLite that is moved: nobody else may have it open meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

PATIENCE_MILLISECONDS = 3000
_IN_USE = (
    "The database is in use{who}. Stop everything of Hemi first: end `make run`, or on an installed server\n"
    "  systemctl stop hemi-web.socket hemi-web hemi-worker hemi-delivery hemi-beat\n"
    "and Hemi's timers. Nothing was changed."
)


@contextmanager
def held() -> Iterator[None]:
    """Keep everybody else out of the database, readers as well, until the block ends. Raises CommandError.

    Every process of Hemi keeps its connection open, and on a database in WAL mode an open connection is a lock.
    https://www.sqlite.org/pragma.html#pragma_locking_mode
    """
    if connection.vendor != "sqlite":
        raise CommandError("DATABASE_URL names no SQLite: there is nothing to move from.")
    path = Path(str(connection.settings_dict["NAME"]))
    if not path.exists():
        raise CommandError(f"There is no database at {path}.")
    connection.close()
    try:
        _lock()
    except OperationalError:
        connection.close()
        raise CommandError(_IN_USE.format(who=_users(path))) from None
    try:
        yield
    finally:
        connection.close()


def check_migrated() -> None:
    """Raise CommandError unless the tables are those of this code."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database waits for migrations. Run `manage.py migrate` first. Nothing was changed.")


def last_numbers() -> dict[str, int]:
    """Return the greatest id that each table ever gave away, deleted rows included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        return dict(cursor.fetchall())


def names() -> set[str]:
    """Return the names of the tables that are there."""
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MILLISECONDS}")
        cursor.execute("PRAGMA locking_mode=EXCLUSIVE")
        cursor.execute("BEGIN EXCLUSIVE")  # the lock stays when the transaction ends
        cursor.execute("SELECT count(*) FROM sqlite_master")
        cursor.execute("COMMIT")


def _users(path: Path) -> str:
    """Name the processes that have the file open, as far as this user may see them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_user = any(os.readlink(handle) == str(path) for handle in (process / "fd").iterdir())
            if is_user and process.name != str(os.getpid()):
                found.append(f"{process.name} ({(process / 'comm').read_text().strip()})")
        except OSError:  # it ended, or is another user's
            continue
    return f" by process {', '.join(sorted(found))}" if found else ""


ALIAS = DEFAULT_DB_ALIAS
