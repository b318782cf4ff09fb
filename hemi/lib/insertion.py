"""One look-up and one insert for each request of a machine, as fast as the database gives them.

The statements are made once: building them anew by the ORM costs more than running them. What many threads want to
insert at a time goes in one statement, with one commit and one wait for the disk.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import ceil
from operator import itemgetter
from time import monotonic, sleep
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, IntegrityError, OperationalError, connection
from django.db.models import Field, Model, UniqueConstraint

from hemi.lib.together import NotDone, Piece, Together

Row = Sequence[Any]
Result = TypeVar("Result")
_TURN_SECONDS = 0.0005  # how soon to look again whether it is this process's turn: an insert takes about as long


def first_row(statement: str, values: Row) -> tuple | None:
    """Run a request's first query."""

    def run() -> tuple | None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()

    return _unchecked(run)


def insert(model: type[Model], values: dict[str, Any], seconds: float) -> int:
    """Insert a row of a model with a unique constraint, outside of any transaction, and return its key.

    What `values` leaves out gets its default. SQLite's write lock is waited for `seconds` at most, all turns together;
    PostgreSQL's as its connection says.
    """
    table = _table(model)
    given = (values[name] if name in values else field.get_default() for name, field in table.fields.items())
    fields = table.fields.values()
    row = [field.get_db_prep_save(value, connection) for field, value in zip(fields, given, strict=True)]
    try:
        return table.together.do(row, seconds)
    except NotDone as error:
        raise OperationalError("nobody got to insert it in time") from error


def _unchecked(run: Callable[[], Result]) -> Result:
    """Let `run` find out whether a kept connection still lives: asking before would be one more round trip.

    It may run twice. Where a row was inserted at the first time all the same, its unique constraint says so.
    """
    is_kept = connection.connection is not None and not connection.in_atomic_block
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return run()
    except Error:
        if not is_kept or connection.is_usable():
            raise
    connection.close()
    return run()


@dataclass
class _Table:
    """How rows of one model are inserted: `head VALUES place, place, ... tail`."""

    fields: dict[str, Field]
    head: str
    place: str
    tail: str
    unique: Callable[[Row], Any]

    def __post_init__(self) -> None:
        self.together: Together[Row] = Together(self._insert_batch)

    def _insert_batch(self, take: Callable[[], Sequence[Piece[Row]]], seconds: float) -> None:
        with _in_turn(seconds):
            # In one order in all processes: two that insert the same repeats would wait for each other for ever.
            batch = sorted(take(), key=lambda piece: self.unique(piece.work))
            for piece, outcome in zip(batch, self._outcomes([piece.work for piece in batch]), strict=True):
                piece.outcome = outcome

    def _outcomes(self, rows: Sequence[Row]) -> Sequence[int | Error]:
        try:
            return _unchecked(lambda: self._insert(rows))
        except IntegrityError as error:  # which of them is a repeat shows when each goes alone
            return [error] if len(rows) == 1 else [self._outcomes([row])[0] for row in rows]
        except Error as error:
            return [error] * len(rows)

    def _insert(self, rows: Sequence[Row]) -> list[int]:
        places = ", ".join([self.place] * len(rows))
        with connection.cursor() as cursor:
            cursor.execute(f"{self.head} VALUES {places}{self.tail}", [value for row in rows for value in row])
            if self.tail:
                return [key for (key,) in cursor.fetchall()]
            return list(range(cursor.lastrowid - len(rows) + 1, cursor.lastrowid + 1))


@cache
def _table(model: type[Model]) -> _Table:
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in model._meta.local_concrete_fields if not field.primary_key}
    columns = ", ".join(quote(str(field.column)) for field in fields.values())
    # SQLite counts the keys itself; having them returned would be one more step inside its lock.
    tail = "" if connection.vendor == "sqlite" else f" RETURNING {quote(str(model._meta.pk.column))}"
    place = f"({', '.join(['%s'] * len(fields))})"
    head = f"INSERT INTO {quote(model._meta.db_table)} ({columns})"  # noqa: S608
    return _Table(fields, head, place, tail, _unique(model, list(fields.values())))


def _unique(model: type[Model], fields: list[Field]) -> Callable[[Row], Any]:
    """Return what gives the part of a row that its constraint wants to be unique."""
    names = next(found.fields for found in model._meta.constraints if isinstance(found, UniqueConstraint))
    return itemgetter(*(index for index, field in enumerate(fields) if field.name in names))


@contextmanager
def _in_turn(seconds: float) -> Iterator[None]:
    """Let SQLite's writers here wait for each other at a locked file.

    Its own wait sleeps up to a tenth of a second at a time, whoever else gets its lock meanwhile.
    """
    if connection.vendor != "sqlite":
        yield
        return
    until, file = monotonic() + seconds, _turn_file(os.getpid())
    while not _is_locked(file):
        if monotonic() > until:
            raise OperationalError("database is locked: another process is inserting")
        sleep(_TURN_SECONDS)
    try:
        _be_patient(until - monotonic())
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
        _be_patient(settings.SQLITE_TIMEOUT_SECONDS)  # the next request of this thread may be a person's


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@cache
def _turn_file(_pid: int) -> int:
    # Of each process its own: what was opened before a fork is one lock for both.
    return os.open(settings.VAR_DIR / "insert.lock", os.O_CREAT | os.O_WRONLY, 0o600)


def _be_patient(seconds: float) -> None:
    """Limit SQLite's wait on this thread's connection."""
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA busy_timeout = {max(100, ceil(seconds * 1000))}")
