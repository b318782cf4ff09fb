"""What became of a call whose answer was lost, and whether the store had a shipment before Hemi told it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.shopify.fulfilments import StoreFulfilment, StoreOrder
from orders.models import Fulfilment


class Outcome(StrEnum):
    DONE = "done"
    UNTOUCHED = "untouched"  # the call was not carried out
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Stranger:
    """A fulfilment of the store that no shipment of Hemi accounts for, with its pieces by Shopify's line id."""

    fulfilment: StoreFulfilment
    pieces: Mapping[int, int]

    def has(self, numbers: Sequence[str]) -> bool:
        """Tell whether it carries all of these tracking numbers."""
        return bool(numbers) and set(numbers) <= set(self.fulfilment.numbers)

    def differs(self, numbers: Sequence[str]) -> bool:
        """Tell whether it is another parcel, as far as both have tracking numbers."""
        return bool(numbers and self.fulfilment.numbers) and not set(numbers) & set(self.fulfilment.numbers)


def pieces(rows: Sequence[Fulfilment]) -> dict[int, int]:
    """Return the pieces of fulfilments by Shopify's line id."""
    total: dict[int, int] = {}
    for row in rows:
        for line in row.lines:
            total[line["line"]] = total.get(line["line"], 0) + line["quantity"]
    return total


def outcome(
    rows: Sequence[Fulfilment], found: StoreOrder, strangers: Sequence[Stranger], numbers: Sequence[str]
) -> tuple[Outcome, int | None]:
    """Return what became of one call, and Shopify's id of the fulfilment where it can be told."""
    same = [stranger for stranger in strangers if stranger.pieces == pieces(rows)]
    for stranger in same:
        if stranger.has(numbers):
            return Outcome.DONE, stranger.fulfilment.id
    lines = [line for row in rows for line in row.lines]
    left = found.remaining
    if all(left.get(line["id"]) == line["remaining"] - line["quantity"] for line in lines):
        near = [stranger.fulfilment.id for stranger in same if not stranger.differs(numbers)]
        return Outcome.DONE, near[0] if len(near) == 1 else None
    if all(left.get(line["id"]) == line["remaining"] for line in lines):
        return Outcome.UNTOUCHED, None
    return Outcome.UNCLEAR, None


def already(
    wanted: Mapping[int, int], strangers: Sequence[Stranger], numbers: Sequence[str], since: datetime | None
) -> tuple[bool, int | None]:
    """Tell whether the store was told of these pieces by somebody else, and by which fulfilment.

    Where the store has room for them still, only what came after the supplier's word (`since`) counts, or bears the
    same tracking numbers; without `since` there is no room.
    """
    same = [stranger for stranger in strangers if stranger.pieces == wanted]
    for stranger in same:
        if stranger.has(numbers):
            return True, stranger.fulfilment.id
    for stranger in same:
        if not stranger.differs(numbers) and (since is None or stranger.fulfilment.created_at >= since):
            return True, stranger.fulfilment.id
    return since is None and _are_covered(wanted, strangers), None


def _are_covered(wanted: Mapping[int, int], strangers: Sequence[Stranger]) -> bool:
    covered: dict[int, int] = {}
    for stranger in strangers:
        for line, count in stranger.pieces.items():
            covered[line] = covered.get(line, 0) + count
    return all(covered.get(line, 0) >= count for line, count in wanted.items())
