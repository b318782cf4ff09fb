"""Small things that SQLite and PostgreSQL say differently."""

from django.db import connection
from django.db.models import Q


def starts_with(column: str, text: str) -> Q:
    """Match what begins with `text`, in a way that an index serves.

    On PostgreSQL that is LIKE with the text index beside the plain one; SQLite's LIKE ignores case and every index.
    """
    if connection.vendor == "postgresql":
        return Q(**{f"{column}__startswith": text})
    return Q(**{f"{column}__gte": text, f"{column}__lt": f"{text}\U0010ffff"})
