"""Copy table by table, and compare before it counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from hemi.move import proofs, source, tables, target
from hemi.move.proofs import Proof
from hemi.move.tables import Table

MOST_FAULTS = 20


@dataclass(frozen=True)
class Compared:
    """A table and what it holds on both sides."""

    name: str
    before: Proof
    after: Proof

    @property
    def is_same(self) -> bool:
        return self.before == self.after


Tell = Callable[[Compared], None]


def move(tell: Tell) -> list[Compared]:
    """Copy everything in one transaction, which ends only if both sides are the same. Raises CommandError."""
    moved, last = tables.moved(), source.last_numbers()
    with transaction.atomic(using=target.ALIAS):
        with target.without_foreign_keys():
            target.empty(moved)
            before = _copied(moved)
        target.count_on(moved, last)
        compared = _compare(moved, before, tell)
    target.analyze()
    return compared


def compare(tell: Tell) -> list[Compared]:
    """Read both sides, and change nothing. Raises CommandError."""
    moved = tables.moved()
    return _compare(moved, {table.name: proofs.of(source.ALIAS, table) for table in moved}, tell)


def _copied(moved: list[Table]) -> dict[str, Proof]:
    faults: list[str] = []
    before = {}
    for table in moved:
        before[table.name] = Proof()
        target.write(table, _sound(table, before[table.name], faults))
    if faults:
        raise CommandError(
            "PostgreSQL cannot hold what SQLite could. Mend these and start again; nothing was moved:\n  "
            + "\n  ".join(faults)
        )
    return before


def _sound(table: Table, proof: Proof, faults: list[str]) -> Iterator[list[Any]]:
    """Read the rows and take them into the proof; what cannot be moved is named and left out."""
    for row in proofs.rows(source.ALIAS, table):
        if len(faults) >= MOST_FAULTS:
            return
        try:
            data = proofs.canonical(table, row)
        except UnicodeEncodeError:
            faults.append(f"{_place(table, row)} holds half a character")
            continue
        pairs = zip(table.columns, row, data, strict=True)
        said = [f"{c.name} {why}" for c, value, text in pairs if text is not None and (why := c.why_not(value, text))]
        faults += [f"{_place(table, row)}: {why}" for why in said]
        if not said:
            proof.add(data)
            yield row


def _place(table: Table, row: list[Any]) -> str:
    keys = [value for column, value in zip(table.columns, row, strict=True) if column.field.primary_key]
    return f"{table.name} {keys[0]}"


def _compare(moved: list[Table], before: dict[str, Proof], tell: Tell) -> list[Compared]:
    found = []
    for table in moved:
        found.append(Compared(table.name, before[table.name], proofs.of(target.ALIAS, table)))
        tell(found[-1])
    if different := [one.name for one in found if not one.is_same]:
        raise CommandError(f"The two sides differ in {', '.join(different)}.")
    return found
