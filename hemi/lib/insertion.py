"""One look-up and one insert for each request of a machine, as fast as the database gives them.

The statements are made once: building them anew by the ORM costs more than running them.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error, OperationalError, connection
from django.db.models import Field, Model

# SQLite's own wait sleeps up to a tenth of a second at a time, whoever else gets the lock meanwhile. Those who insert
# therefore take turns: the threads of a process at this lock, the processes at a locked file.
_turn = threading.Lock()
_patience = threading.local()


def first_row(statement: str, values: Sequence[Any]) -> tuple | None:
    """Run a statement that may run twice. On a kept connection it is the health check too, which saves a round trip."""
    is_kept = connection.connection is not None and not connection.in_atomic_block
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _row(statement, values)
    except Error:
        if not is_kept or connection.is_usable():
            raise
    connection.close()
    return _row(statement, values)


def insert(model: type[Model], values: dict[str, Any], seconds: float) -> int:
    """Insert a new row, outside of any transaction, and return its key; what `values` leaves out gets its default.

    A unique constraint makes it safe to repeat: where the first try was lost with its connection but did arrive, the
    second raises IntegrityError. SQLite's write lock is waited for `seconds`, PostgreSQL's as its connection says.
    """
    fields, statement = _statement(model)
    given = (values[name] if name in values else field.get_default() for name, field in fields.items())
    ready = [field.get_db_prep_save(value, connection) for field, value in zip(fields.values(), given, strict=True)]
    if connection.vendor == "sqlite":
        return _insert_in_turn(statement, ready, seconds)
    created = first_row(f"{statement} RETURNING {connection.ops.quote_name(str(model._meta.pk.column))}", ready)
    assert created
    return created[0]


def _insert_in_turn(statement: str, values: Sequence[Any], seconds: float) -> int:
    if not _turn.acquire(timeout=seconds):
        raise OperationalError("database is locked: the threads of this process wait for it in a row")
    try:
        _be_patient(seconds)
        with connection.cursor() as cursor, _other_processes_waiting():
            cursor.execute(statement, values)
            return cursor.lastrowid
    finally:
        _turn.release()


@contextmanager
def _other_processes_waiting() -> Iterator[None]:
    file = _turn_file(os.getpid())
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


@cache
def _turn_file(_pid: int) -> int:
    # Of each process its own: what was opened before a fork is one lock for both.
    return os.open(settings.VAR_DIR / "insert.lock", os.O_CREAT | os.O_WRONLY, 0o600)


def _be_patient(seconds: float) -> None:
    """Limit SQLite's wait on this thread's connection, once for each: saying it costs as much as a query."""
    connection.ensure_connection()
    wanted = (connection.connection, seconds)
    if getattr(_patience, "said", None) != wanted:
        connection.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        _patience.said = wanted


def _row(statement: str, values: Sequence[Any]) -> tuple | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


@cache
def _statement(model: type[Model]) -> tuple[dict[str, Field], str]:
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in model._meta.local_concrete_fields if not field.primary_key}
    columns = ", ".join(quote(str(field.column)) for field in fields.values())
    places = ", ".join(["%s"] * len(fields))
    return fields, f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
