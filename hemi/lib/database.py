"""Small things that SQLite and PostgreSQL say differently."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection


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
