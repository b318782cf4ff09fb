"""Where the pieces of a shipment go: which lines of which fulfilment orders, or what stands in the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from integrations.shopify.fulfilments import FulfilmentOrder, StoreOrder, ToFulfil

CANCELLED = (
    "The order was cancelled in the store, and the supplier has shipped all the same. Settle it with the store, then "
    "choose Settle."
)
_CLOSED = {"CLOSED", "CANCELLED", "INCOMPLETE"}


@dataclass(frozen=True)
class Place:
    """The account's location, by Shopify's id; None for every location. `taken` fulfilment orders are left alone."""

    location_id: int | None
    location: str = ""
    taken: frozenset[int] = frozenset()

    def takes(self, row: FulfilmentOrder) -> bool:
        """Tell whether a fulfilment order is at the account's location."""
        return self.location_id in (None, row.location_id)


@dataclass
class Placement:
    """`rows` by fulfilment order, in the shape of Fulfilment.lines; `obstacle` says why there are none."""

    rows: dict[FulfilmentOrder, list[dict[str, int]]] = field(default_factory=dict)
    obstacle: str = ""


def place(found: StoreOrder, wanted: Mapping[int, int], where: Place, titles: Mapping[int, str]) -> Placement:
    """Find a place for every piece; all of them or none, so that a shipment is told as what it is."""
    if found.is_cancelled:
        return Placement(obstacle=CANCELLED)
    placement, lacking = Placement(), {}
    for line, count in wanted.items():
        for row, part in _open(found, line, where):
            quantity = min(count, part.remaining)
            if quantity:
                entry = {"id": part.id, "line": line, "quantity": quantity, "remaining": part.remaining}
                placement.rows.setdefault(row, []).append(entry)
                count -= quantity
        if count:
            lacking[line] = count
    if not lacking:
        return placement
    said = [f"{count} × {titles.get(line, line)} {_why(found, line, where)}" for line, count in lacking.items()]
    return Placement(obstacle=" ".join(dict.fromkeys(said)))


def _parts(found: StoreOrder, line: int) -> Iterator[tuple[FulfilmentOrder, ToFulfil]]:
    for row in sorted(found.fulfilment_orders, key=lambda row: row.id):
        for part in row.lines:
            if part.line == line:
                yield row, part


def _open(found: StoreOrder, line: int, where: Place) -> Iterator[tuple[FulfilmentOrder, ToFulfil]]:
    for row, part in _parts(found, line):
        if row.can_fulfil and where.takes(row) and row.id not in where.taken:
            yield row, part


def _why(found: StoreOrder, line: int, where: Place) -> str:
    """Say what stands in the way of a line, and what to do about it."""
    rows = [row for row, part in _parts(found, line) if part.remaining]
    for row in rows:
        if row.status == "ON_HOLD":
            why = f" ({', '.join(row.holds)})" if row.holds else ""
            return f"is on hold in the store{why}. Release it there; Hemi then goes on by itself."
        if not where.takes(row):
            return (
                f"is at the location “{row.location}” in the store, and the account's Location is “{where.location}”. "
                "Move it there in Shopify, and Hemi goes on by itself; or change the account's Location and try again."
            )
        if row.status == "SCHEDULED":
            return "is scheduled for later in the store. Make it ready to fulfil there, then try again."
        if row.status in _CLOSED:
            return "is closed in the store. Reopen it there and try again, or settle it here."
        if not row.can_fulfil:
            return "may not be fulfilled by Hemi: the store gave it to a fulfilment service. Settle it with the store."
    if rows:
        return "is more than the store has left to fulfil. Compare both, then settle it here."
    if any(row.status in ("CANCELLED", "INCOMPLETE") for row, _ in _parts(found, line)):
        return "is closed in the store: nothing of it is left to fulfil there. Compare both, then settle it here."
    return (
        "is not left to fulfil in the store: fulfilled there otherwise, removed or refunded. Compare, then settle it."
    )
