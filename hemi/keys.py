"""Every value that is stored encrypted: which key it needs, and how it gets a newer one while the system runs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import islice

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, models, transaction
from django.db.models.functions import Cast

from hemi.lib.fields import EncryptedTextField

BATCH = 200
SWAPS = 50  # in one transaction of a few milliseconds
PASSES = 5
MOST_NAMED = 20
_CANARY = "integrations.KeyCanary"


class Needs(Enum):
    """Which key reads a value."""

    FIRST = "the first key"
    OLDER = "an older key"
    LOST = "a key that is not there"


@dataclass
class Survey:
    """How many values need which key, by column; and the places of those that none reads."""

    counts: Counter[tuple[str, Needs]] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    def total(self, needs: Needs) -> int:
        """Return how many values need that key."""
        return sum(count for (_, key), count in self.counts.items() if key == needs)


class Ring:
    """The keys of FIELD_ENCRYPTION_KEY: the first encrypts, all decrypt."""

    def __init__(self) -> None:
        self._keys = [Fernet(key) for key in settings.FIELD_ENCRYPTION_KEY]

    @property
    def has_older(self) -> bool:
        return len(self._keys) > 1

    def needs(self, stored: str) -> Needs:
        """Tell which key a stored value needs."""
        for number, key in enumerate(self._keys):
            try:
                key.decrypt(stored.encode())
            except InvalidToken:
                continue
            return Needs.OLDER if number else Needs.FIRST
        return Needs.LOST

    def renewed(self, stored: str) -> str:
        """Return the same text under the first key, with the time at which it was encrypted first."""
        return self._all.rotate(stored.encode()).decode()

    @cached_property
    def _all(self) -> MultiFernet:
        return MultiFernet(self._keys)


@dataclass(frozen=True)
class Column:
    """A column of a model that holds encrypted texts."""

    model: type[models.Model]
    name: str
    column: str

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def values(self) -> Iterator[tuple[object, str]]:
        """Read the keys of its rows with what is stored, as it lies there; a few rows at a time."""
        rows = self.model._base_manager.annotate(stored=Cast(self.name, models.TextField())).order_by("pk")
        rows = rows.exclude(stored="").exclude(stored=None)
        batch = list(rows.values_list("pk", "stored")[:BATCH])
        while batch:
            yield from batch
            batch = list(rows.filter(pk__gt=batch[-1][0]).values_list("pk", "stored")[:BATCH])

    def swap(self, pk: object, before: str, after: str) -> bool:
        """Replace what is stored, if it still is that; False: somebody else wrote meanwhile, and that stays."""
        quote, meta = connection.ops.quote_name, self.model._meta
        column, key = quote(self.column), quote(str(meta.pk.column))
        statement = f"UPDATE {quote(meta.db_table)} SET {column} = %s WHERE {key} = %s AND {column} = %s"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, [after, meta.pk.get_db_prep_value(pk, connection), before])
            return cursor.rowcount == 1


def columns() -> list[Column]:
    """Return every encrypted column of every model, the canary's last.

    Its row keeps a process without the older key from starting until all else is done.
    """
    found = [
        Column(model, column.name, str(column.column))
        for model in apps.get_models(include_auto_created=True)
        for column in model._meta.local_concrete_fields
        if isinstance(column, EncryptedTextField) and not model._meta.proxy
    ]
    return sorted(found, key=lambda column: column.model._meta.label == _CANARY)


def survey() -> Survey:
    """Look at every value that is stored encrypted. Raises DatabaseError where a table is missing."""
    ring, found = Ring(), Survey()
    for column in columns():
        for pk, stored in column.values():
            needs = ring.needs(stored)
            found.counts[column.label, needs] += 1
            if needs == Needs.LOST and len(found.lost) < MOST_NAMED:
                found.lost.append(f"{column.label} of row {pk}")
    return found


def rotate() -> Counter[str]:
    """Bring every value under the first key, and return how many that were by column. It may run twice at once.

    What is written meanwhile, or locked, comes in the next pass.
    """
    ring, done = Ring(), Counter[str]()
    are_all_through = True
    for column in columns():
        if column.model._meta.label != _CANARY or are_all_through:
            are_all_through &= _through(column, ring, done)
    return done


def _through(column: Column, ring: Ring, done: Counter[str]) -> bool:
    """Bring a column's values under the first key; False: some still need another."""
    for _ in range(PASSES):
        found = (pair for pair in column.values() if ring.needs(pair[1]) == Needs.OLDER)
        left = 0
        while some := list(islice(found, SWAPS)):
            swapped = _swap(column, [(pk, stored, ring.renewed(stored)) for pk, stored in some])
            done[column.label] += swapped
            left += len(some) - swapped
        if not left:
            return True
    return False


def _swap(column: Column, some: list[tuple[object, str, str]]) -> int:
    # SQLite has one lock, and waiting for it takes longest; on PostgreSQL two locked rows might be somebody's deadlock.
    together = transaction.atomic() if connection.vendor == "sqlite" else nullcontext()
    swapped = 0
    try:
        with together:
            for pk, before, after in some:
                swapped += column.swap(pk, before, after)
    except OperationalError:  # locked for longer than Hemi waits
        return 0 if connection.vendor == "sqlite" else swapped
    return swapped
