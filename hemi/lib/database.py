"""Small things that SQLite and PostgreSQL say differently."""

from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import GreaterThanOrEqual, LessThan, StartsWith

_LAST = "\U0010ffff"


def starts_with(column: str, text: str) -> Q:
    """Match what begins with `text`, in a way that an index serves.

    On PostgreSQL that is LIKE with the text index beside the plain one; SQLite's LIKE ignores case and every index.
    """
    if connection.vendor == "postgresql":
        return Q(**{f"{column}__startswith": text})
    return Q(**{f"{column}__gte": text, f"{column}__lt": f"{text}{_LAST}"})


def starts_with_in_any_case(column: str, text: str) -> Q:
    """The same whatever the case, by an index on the lower-cased column. SQLite lowers the letters of ASCII only."""
    folded = Lower(F(column))
    if connection.vendor == "postgresql":
        return Q(StartsWith(folded, text.lower()))
    return Q(GreaterThanOrEqual(folded, Lower(Value(text)))) & Q(LessThan(folded, Lower(Value(f"{text}{_LAST}"))))
