"""Counts and checksums of tables, from values as Django reads them on either database; encrypted ones as they lie."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db import connections

from hemi.move.tables import Table

_MODULUS = 1 << 256


class Proof:
    """What is known of a table's content: the sum of its rows' checksums does not depend on their order."""

    def __init__(self) -> None:
        self.count = self._sum = 0

    def add(self, values: list[bytes | None]) -> None:
        """Take a row in, each value in its canonical form."""
        digest = hashlib.sha256()
        for data in values:
            if data is None:
                digest.update(b"-")
            else:
                digest.update(b"%d:" % len(data))
                digest.update(data)
        self._sum = (self._sum + int.from_bytes(digest.digest())) % _MODULUS
        self.count += 1

    @property
    def checksum(self) -> str:
        return f"{self._sum:064x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proof) and (self.count, self._sum) == (other.count, other._sum)

    __hash__ = None  # type: ignore[assignment]


def of(alias: str, table: Table) -> Proof:
    """Read a whole table for its proof."""
    proof = Proof()
    for row in rows(alias, table):
        proof.add(canonical(table, row))
    return proof


def canonical(table: Table, row: list[Any]) -> list[bytes | None]:
    """Return a row's values in the form that is the same on both databases."""
    pairs = zip(table.columns, row, strict=True)
    return [None if value is None else column.canonical(value) for column, value in pairs]


def rows(alias: str, table: Table) -> Iterator[list[Any]]:
    """Read a table with the database's own converters and without the fields': secrets stay as they are stored."""
    connection = connections[alias]
    quote = connection.ops.quote_name
    names = ", ".join(quote(column.name) for column in table.columns)
    converters = [
        (place, convert, expression)
        for place, expression in enumerate(column.field.get_col(table.name) for column in table.columns)
        for convert in connection.ops.get_db_converters(expression)
    ]
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {quote(table.name)}")  # noqa: S608 - names of our own models
        while batch := cursor.fetchmany(table.batch):
            for found in batch:
                row = list(found)
                for place, convert, expression in converters:
                    row[place] = convert(row[place], expression, connection)
                yield row
