"""The PostgreSQL that is moved to: connected, found empty, given its tables, filled in one transaction."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connections

from hemi.move import tables
from hemi.move.tables import Table

ALIAS = "target"
_LOCK = 0x48656D69  # "Hemi": one move at a time
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2
"""


@contextmanager
def connected(url: str) -> Iterator[None]:
    """Make the database known under the alias `target`, for one move at a time. Raises CommandError."""
    found = environ.Env.db_url_config(url)
    if not found.get("ENGINE", "").endswith("postgresql") or not found.get("NAME"):
        raise CommandError("The target must be a PostgreSQL, such as postgres://hemi:secret@localhost/hemi.")
    options = {**found.get("OPTIONS", {}), "options": "-c lock_timeout=10000"}
    own = {"OPTIONS": options, "CONN_MAX_AGE": None, "TEST": {}}
    connections.databases[ALIAS] = {**connections.databases["default"], **found, **own}
    try:
        if not _ask("SELECT pg_try_advisory_lock(%s)", _LOCK)[0][0]:
            raise CommandError("Another move to this database is running.")
        yield
    except DatabaseError as error:
        said = str(error).strip().splitlines()[0]  # the rest may quote a row
        raise CommandError(f"The database refused: {said}. Nothing was moved.") from error
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]


def check_empty() -> None:
    """Raise CommandError if there is anything but what `migrate` makes: a move that was killed leaves nothing else."""
    there = set(_names())
    if strange := sorted(there - tables.known()):
        raise CommandError(
            f"The target holds tables that are not Hemi's, such as {strange[0]}. Make an empty database."
        )
    for name in sorted(there - tables.FILLED_BY_MIGRATE):
        if _ask(f"SELECT EXISTS (SELECT 1 FROM {_quoted(name)})")[0][0]:  # noqa: S608 - a table's name
            raise CommandError(
                f"The target is not empty: {name} has rows. Make an empty database, or compare with --check."
            )


def check_complete() -> None:
    """Raise CommandError unless every table is there."""
    if missing := sorted(tables.known() - set(_names())):
        raise CommandError(f"The target has no table {missing[0]}: nothing was moved there.")


def migrate(url: str) -> None:
    """Make the tables, in a process of its own that knows no other database."""
    keys = {"SECRET_KEY": settings.SECRET_KEY, "FIELD_ENCRYPTION_KEY": ",".join(settings.FIELD_ENCRYPTION_KEY)}
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "--no-input", "--verbosity", "0"],
        env={**os.environ, **keys, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"The tables could not be made: {done.stderr.strip().splitlines()[-1]}")


@contextmanager
def without_foreign_keys() -> Iterator[None]:
    """Drop them and make them again: checking a whole table at once is quick, and takes no memory a row."""
    keys = _ask(_FOREIGN_KEYS)
    for table, name, _ in keys:
        _do(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in keys:
        _do(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def empty(moved: Iterable[Table]) -> None:
    """Take out what `migrate` put in: the source has it, too, with the ids that its rows refer to."""
    _do(f"TRUNCATE {', '.join(_quoted(table.name) for table in moved)}")


def write(table: Table, rows: Iterable[list[Any]]) -> None:
    """Write rows to a table."""
    names = ", ".join(_quoted(column.name) for column in table.columns)
    with (
        connections[ALIAS].cursor() as cursor,
        cursor.copy(f"COPY {_quoted(table.name)} ({names}) FROM STDIN") as copy,  # noqa: S608 - our own names
    ):
        for row in rows:
            copy.write_row(row)


def count_on(moved: Iterable[Table], last: dict[str, int]) -> None:
    """Let ids go on where the source's ended, so that no number is given twice, not even a deleted row's."""
    for table in moved:
        if table.key.get_internal_type() not in ("AutoField", "BigAutoField", "SmallAutoField"):
            continue
        column = _quoted(str(table.key.column))
        greatest = _ask(f"SELECT COALESCE(MAX({column}), 0) FROM {_quoted(table.name)}")[0][0]  # noqa: S608
        number = max(greatest, last.get(table.name, 0))
        where = (_quoted(table.name), str(table.key.column))
        _ask("SELECT setval(pg_get_serial_sequence(%s, %s), %s, %s)", *where, max(number, 1), number > 0)


def analyze() -> None:
    """Let the planner know what it has."""
    _do("ANALYZE")


def _names() -> list[str]:
    with connections[ALIAS].cursor() as cursor:
        return connections[ALIAS].introspection.table_names(cursor)


def _quoted(name: str) -> str:
    return connections[ALIAS].ops.quote_name(name)


def _do(statement: str) -> None:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(statement)


def _ask(question: str, *values: Any) -> list[tuple]:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(question, values or None)
        return cursor.fetchall()
