"""Read columns of bytes as bytes: PostgreSQL writes them out as text twice as long unless it is asked not to."""

from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet


def rows(values: QuerySet) -> list[tuple[Any, ...]]:
    """Return the rows of a `values_list` of plain columns; its transaction is the caller's."""
    if connection.vendor != "postgresql":
        return list(values)
    sql, params = values.query.sql_with_params()
    connection.ensure_connection()
    # Django's own cursors put the parameters in by themselves, and so cannot ask for binary results.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, params, prepare=False, binary=True).fetchall()
