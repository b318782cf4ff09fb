"""Small things that SQLite and PostgreSQL say differently."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.db.models import Q


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Wait at most `seconds` for SQLite's write lock inside the block; on PostgreSQL lock_timeout is the connection's.

    Said to the driver directly: through Django's cursor it would cost as much as the query that it is for.
    """
    connection.ensure_connection()
    if connection.vendor != "sqlite":
        yield
        return
    driver = connection.connection
    driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout = {settings.SQLITE_TIMEOUT_SECONDS * 1000}")


def starts_with(column: str, text: str) -> Q:
    """Match what begins with `text`, in a way that an index serves.

    On PostgreSQL that is LIKE with the text index beside the plain one; SQLite's LIKE ignores case and every index.
    """
    if connection.vendor == "postgresql":
        return Q(**{f"{column}__startswith": text})
    return Q(**{f"{column}__gte": text, f"{column}__lt": f"{text}\U0010ffff"})
