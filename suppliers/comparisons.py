"""What a mapping that is not yet live changes over the last real orders of its supplier."""

import difflib
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from suppliers import drafting, previews
from suppliers.models import Mapping, Supplier, SupplierOrder

ORDERS = 20
_SECONDS = 20  # a person waits
_LINES = 400  # of one difference

SAME, CHANGED, FAILED, SKIPPED = "same", "changed", "failed", "skipped"


@dataclass(frozen=True)
class Row:
    """One order; `lines` are (kind, text) with kind one of add, remove, place, same."""

    part: SupplierOrder
    state: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """The orders, and what they were compared with."""

    basis: str
    rows: list[Row]

    @property
    def counts(self) -> dict[str, int]:
        """How many orders there are of each state."""
        return dict(Counter(row.state for row in self.rows))


def compare(mapping: Mapping) -> Comparison:
    """Make the documents of the last real orders with the mapping and as things are, and show the differences."""
    supplier, until = mapping.supplier, monotonic() + _SECONDS
    rows = []
    for part in _orders(supplier):
        is_late = monotonic() > until
        rows.append(Row(part, SKIPPED, note="There was no time for it.") if is_late else _row(part, mapping))
    return Comparison(_basis(supplier), rows)


def _orders(supplier: Supplier) -> list[SupplierOrder]:
    parts = SupplierOrder.objects.filter(supplier=supplier, order__is_test=False, order__redacted_at=None)
    return list(parts.select_related("order__account", "supplier", "replaces").order_by("-pk")[:ORDERS])


def _basis(supplier: Supplier) -> str:
    if supplier.format != Supplier.Format.OWN:
        return supplier.get_format_display()
    live = drafting.live_mapping(supplier)
    return f"version {live.version}, which is live" if live else "nothing: no version is live"


def _row(part: SupplierOrder, mapping: Mapping) -> Row:
    content = previews.said(part)
    before = drafting.draft(content, mapping.supplier)
    after = drafting.draft(content, mapping.supplier, mapping)
    if after.rendered is None:
        return Row(part, FAILED, note=after.fault)
    encoding = mapping.supplier.encoding
    lines = _difference(previews.shown(before, encoding), previews.shown(after, encoding))
    note = f"As things are it cannot be made: {before.fault}" if before.fault else ""
    if before.rendered and before.rendered.document != after.rendered.document and not lines:
        note = "Only spaces, line breaks or what is too far down to be shown differ."
        return Row(part, CHANGED, note=note)
    return Row(part, CHANGED if lines else SAME, lines, note)


def _difference(before: str, after: str) -> list[tuple[str, str]]:
    kinds = {"+": "add", "-": "remove", "@": "place"}
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    told = [(kinds.get(line[:1], "same"), line) for line in lines[:_LINES]]
    more = len(lines) - _LINES
    return [*told, ("place", f"{more} more lines differ.")] if more > 0 else told
