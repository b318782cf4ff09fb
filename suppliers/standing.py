"""What a supplier's part has come to, line by line, and what a statement changes in it: never downwards."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from orders.models import Shipment
from suppliers import named_lines
from suppliers.models import SupplierOrder, SupplierOrderLine
from suppliers.named_lines import FileLines
from suppliers.reply_formats.statements import DISPUTED, LineStatement, Statement

Status = SupplierOrder.Status
FIRST = "the store is told of the first"
_UNDECIDED = ("", Status.TAKEN)


@dataclass
class Change:
    """What a statement does to the lines of a part, which are changed in memory only."""

    lines: list[SupplierOrderLine] = field(default_factory=list)
    shipped: dict[int, int] = field(default_factory=dict)  # pieces by Shopify's line id
    rejected: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    status: str = ""
    file: FileLines = field(default_factory=lambda: FileLines({}, frozenset()))

    def note(self, line: SupplierOrderLine) -> None:
        """Remember that the line was changed."""
        if line not in self.lines:
            self.lines.append(line)


@dataclass(frozen=True)
class _Said:
    status: str
    quantity: int | None
    reason: str
    is_total: bool  # the quantity is what was shipped so far


def weigh(part: SupplierOrder, lines: list[SupplierOrderLine], said: Statement, known: Shipment | None) -> Change:
    """Change `lines` as the statement says and return what changed; a shipment that is `known` ships nothing more."""
    change, named = Change(file=FileLines.of(lines, said)), set()
    for row in _together(said):
        if row.status:
            named |= _weigh_row(change, lines, row, said, known)
    for line in lines:
        if said.status and line.pk not in named and not (known and said.status == Status.SHIPPED):
            _move(change, line, _Said(said.status, None, said.reason, not said.despatch))
    change.status = _status(part, lines) if lines else _status_alone(change, part, said)
    return change


def pieces(lines: Iterable[SupplierOrderLine]) -> str:
    """Say what came of the pieces where they fare differently; "" where the state says it all."""
    rows = list(lines)
    total, shipped = sum(row.quantity for row in rows), sum(row.shipped for row in rows)
    refused = sum(row.quantity - row.confirmed for row in rows if row.confirmed is not None)
    if not (shipped or refused) or total in (shipped, refused):
        return ""
    counts = [(shipped, "shipped"), (refused, "rejected"), (total - shipped - refused, "to come")]
    return f"Of {total} pieces: " + ", ".join(f"{count} {word}" for count, word in counts if count > 0) + "."


def told_pieces(lines: list[SupplierOrderLine], said: Statement) -> dict[int, int]:
    """Return the pieces that a statement calls shipped, by Shopify's line id, whatever was told before."""
    total: dict[int, int] = {}
    named: set[int] = set()
    file = FileLines.of(lines, said)
    for row in _together(said):
        found = named_lines.find(lines, row, file)
        named |= {line.pk for line in found}
        for line, quantity in named_lines.share(found, row.quantity, _goal) if row.status == Status.SHIPPED else ():
            key, all_of_it = line.order_line.shopify_id, line.confirmed or line.quantity
            total[key] = total.get(key, 0) + (all_of_it if quantity is None else quantity)
    rest = [line for line in lines if said.status == Status.SHIPPED and line.pk not in named]
    return total | {line.order_line.shopify_id: line.confirmed or line.quantity for line in rest}


def is_short(line: SupplierOrderLine) -> bool:
    """Tell whether the supplier accepts some pieces of a line, but not all."""
    return 0 < (line.confirmed or 0) < line.quantity


def missing(line: SupplierOrderLine, reason: str) -> str:
    """Name the pieces of a line that the supplier does not accept."""
    count = line.quantity - (line.confirmed or 0)
    return with_reason(f"{count} of {line.quantity} × {named_lines.name(line)}", reason)


def with_reason(text: str, reason: str) -> str:
    """Put the supplier's reason after what it is about."""
    return f"{text} ({reason})" if reason else text


def _together(said: Statement) -> list[LineStatement]:
    """Add up rows that speak of one line in the same way: it comes in several parcels, or on several days."""
    rows: dict[tuple[str, str, str], LineStatement] = {}
    for row in said.lines:
        key = (row.line, row.sku.casefold(), row.status)
        former = rows.get(key)
        if former and former.quantity is not None and row.quantity is not None and _adds_up(row, said):
            row = replace(former, quantity=former.quantity + row.quantity, reason=former.reason or row.reason)
        elif former:
            key = (*key[:2], f"{row.status} {len(rows)}")
        rows[key] = row
    return list(rows.values())


def _adds_up(row: LineStatement, said: Statement) -> bool:
    """Tell whether quantities of one line are parts of it; without a shipment's number they are what was shipped."""
    return row.status != Status.SHIPPED or bool(said.despatch)


def _weigh_row(
    change: Change, lines: list[SupplierOrderLine], row: LineStatement, said: Statement, known: Shipment | None
) -> set[int]:
    found = named_lines.find(lines, row, change.file)
    if other := named_lines.other_article(lines, found, row):
        change.doubts.append(f"It calls line {row.line} {row.sku}, and that is {other}; nothing was taken from it.")
        return {line.pk for line in found}
    if not found and row.line in change.file.gone:
        if row.status not in (Status.TAKEN, Status.ACCEPTED):
            change.doubts.append(f"It says {row.status} of line {row.line}, which is cancelled.")
    elif not found:
        change.doubts.append(f"It names a line that the file does not have ({row.line or row.sku}).")
    if row.status == DISPUTED:
        change.doubts += [f"{named_lines.name(line)}: {row.reason or 'disputed'}." for line in found]
        return {line.pk for line in found}
    for line, quantity in named_lines.share(found, row.quantity, _room(row, said, known)):
        if known and row.status == Status.SHIPPED:
            _compare(change, line, quantity, said, known)
        else:
            _move(change, line, _Said(row.status, quantity, row.reason, not said.despatch))
    return {line.pk for line in found}


def _room(row: LineStatement, said: Statement, known: Shipment | None) -> Callable[[SupplierOrderLine], int]:
    """Tell how many pieces of an article each of its lines takes: of a further parcel what the former ones left."""

    def held(line: SupplierOrderLine) -> int:
        return int(known.quantities.get(str(line.order_line.shopify_id), 0)) if known else 0

    def left(line: SupplierOrderLine) -> int:
        return max(0, _goal(line) - line.shipped)

    if row.status != Status.SHIPPED:
        return _ordered
    if not said.despatch:
        return _goal
    return held if known else left


def _ordered(line: SupplierOrderLine) -> int:
    return line.quantity


def _goal(line: SupplierOrderLine) -> int:
    """Tell how many pieces of a line are to be shipped: no more of one that is rejected or was taken back."""
    is_wanted = line.is_live and line.reply_status != Status.REJECTED
    return (line.confirmed or line.quantity) if is_wanted else line.shipped


def _compare(change: Change, line: SupplierOrderLine, quantity: int | None, said: Statement, known: Shipment) -> None:
    """Have a person ask where a shipment is told again as another one that may be meant."""
    first = known.quantities.get(str(line.order_line.shopify_id), 0)
    count, has_room = first if quantity is None else quantity, line.shipped < line.quantity
    if count < first or (count > first and has_room):
        change.doubts.append(
            f"{named_lines.name(line)}: {count} in shipment {said.despatch} now, "
            f"{first} when it was told first; {FIRST}."
        )
    elif known.despatch != said.despatch and line.shipped + count <= line.quantity:
        doubt = f"Shipment {said.despatch} has the pieces and the tracking of {known.despatch} and is taken for it."
        change.doubts += [doubt] if doubt not in change.doubts else []


def _move(change: Change, line: SupplierOrderLine, said: _Said) -> None:
    steps = {Status.TAKEN: _take, Status.ACCEPTED: _accept, Status.REJECTED: _reject, Status.SHIPPED: _ship}
    before = (line.reply_status, line.confirmed, line.shipped)
    steps[Status(said.status)](change, line, said)
    if (line.reply_status, line.confirmed, line.shipped) != before:
        line.reply_reason = said.reason or line.reply_reason
        change.note(line)


def _take(change: Change, line: SupplierOrderLine, said: _Said) -> None:
    line.reply_status = line.reply_status or Status.TAKEN


def _accept(change: Change, line: SupplierOrderLine, said: _Said) -> None:
    count = line.quantity if said.quantity is None else said.quantity
    if count > line.quantity:
        change.doubts.append(f"{named_lines.name(line)}: {count} accepted where {line.quantity} were ordered.")
        count = line.quantity
    if line.reply_status == Status.REJECTED:
        change.doubts.append(f"{named_lines.name(line)} is accepted after rejected.")
    elif count == 0:
        _reject(change, line, said)
    elif line.reply_status in _UNDECIDED:
        line.reply_status, line.confirmed = Status.ACCEPTED, count
        _note_short(change, line, said)
    elif line.confirmed is None:
        line.confirmed = max(count, line.shipped)
    elif said.quantity is not None and count < line.confirmed:
        change.doubts.append(f"{named_lines.name(line)}: only {count} accepted after {line.confirmed}.")
    elif said.quantity is not None:
        line.confirmed = count


def _reject(change: Change, line: SupplierOrderLine, said: _Said) -> None:
    # A reply that accepts no piece has the quantity 0, and rejects them all.
    count = line.quantity if not said.quantity or said.status == Status.ACCEPTED else said.quantity
    rest = max(line.quantity - count, 0)
    if line.reply_status == Status.REJECTED or line.confirmed == rest:
        return
    if line.confirmed is not None or line.reply_status == Status.SHIPPED:
        change.doubts.append(f"{named_lines.name(line)} is rejected after {line.reply_status}.")
        return
    line.confirmed = max(rest, line.shipped)
    if not line.confirmed:
        line.reply_status = Status.REJECTED
        change.rejected.append(with_reason(named_lines.name(line), said.reason))
        return
    line.reply_status = Status.SHIPPED if line.shipped >= line.confirmed else Status.ACCEPTED
    _note_short(change, line, said)


def _note_short(change: Change, line: SupplierOrderLine, said: _Said) -> None:
    if (line.confirmed or 0) < line.quantity:
        change.rejected.append(missing(line, said.reason))


def _ship(change: Change, line: SupplierOrderLine, said: _Said) -> None:
    goal = line.confirmed or line.quantity
    count = said.quantity if said.quantity is not None else goal - (0 if said.is_total else line.shipped)
    more = count - line.shipped if said.is_total else count
    if line.shipped + more > line.quantity:
        change.doubts.append(
            f"{named_lines.name(line)}: {line.shipped + more} shipped where {line.quantity} were ordered; "
            f"{line.quantity} are told to the store."
        )
        more = line.quantity - line.shipped
    if more <= 0:
        return
    if line.is_live:
        shopify_id = line.order_line.shopify_id
        change.shipped[shopify_id] = change.shipped.get(shopify_id, 0) + more
    else:
        change.doubts.append(f"{named_lines.name(line)}: shipped although it was taken back; the store is not told.")
    line.shipped += more
    if line.confirmed is not None:
        line.confirmed = max(line.confirmed, line.shipped)
    is_done = line.shipped >= (line.confirmed or line.quantity)
    line.reply_status = Status.SHIPPED if is_done else Status.ACCEPTED


def _status_alone(change: Change, part: SupplierOrder, said: Statement) -> str:
    """Move a part that has no lines, such as a cancellation."""
    if {part.status, said.status} == {Status.ACCEPTED, Status.REJECTED}:
        change.doubts.append(f"It is {said.status} after {part.status}.")
        return part.status
    if said.status == Status.REJECTED and part.status != Status.REJECTED:
        change.rejected.append(said.reference)
    return max(part.status, said.status or part.status, key=lambda status: SupplierOrder.RANK[Status(status)])


def _status(part: SupplierOrder, lines: list[SupplierOrderLine]) -> str:
    new = _derived(lines)
    return new if SupplierOrder.RANK[Status(new)] >= SupplierOrder.RANK[Status(part.status)] else part.status


def _derived(lines: list[SupplierOrderLine]) -> str:
    states = {line.reply_status for line in lines}
    if states == {Status.REJECTED}:
        return Status.REJECTED
    if states <= {Status.REJECTED, Status.SHIPPED}:
        return Status.SHIPPED
    if states & {Status.ACCEPTED, Status.SHIPPED}:
        return Status.ACCEPTED
    return Status.TAKEN if states - {""} else Status.SENT
