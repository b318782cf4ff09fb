"""What a person is asked to see to of a supplier's part, after its supplier has replied. Under the order's lock."""

from dataclasses import replace

from orders import settlement, timeline
from suppliers import concerns, named_lines, standing
from suppliers.concerns import Concerns
from suppliers.models import ReplyStatement, SupplierOrder, SupplierOrderLine
from suppliers.standing import Change

Status = SupplierOrder.Status
_ELSEWHERE = "From the order, route the lines again or send them elsewhere."
_MISSING = (
    "The supplier keeps the pieces that it accepts. Order the missing ones elsewhere or refund them in the store, then "
    "choose Dealt with: Hemi gives a line to one supplier only."
)


def heed(part: SupplierOrder, note: str) -> None:
    """Have a person look, beside what changed and what the supplier rejects."""
    _ask(part, replace(Concerns.of(part), doubt=note))
    timeline.record(part.order, "reply_doubtful", note, reference=part.reference)


def call_for_rejected(row: ReplyStatement, part: SupplierOrder, change: Change) -> None:
    """Have a person see to what a statement rejects."""
    what = ", ".join(change.rejected)
    if change.status == Status.REJECTED:
        what = f"all of it: {row.reason}" if row.reason else "all of it"
    is_whole = not change.lines or any(line.reply_status == Status.REJECTED for line in change.lines)
    _call_for(part, what, is_whole=is_whole, is_short=any(standing.is_short(line) for line in change.lines))


def keep_rejected(part: SupplierOrder, lines: list[SupplierOrderLine]) -> None:
    """Have a person see to all that is rejected by now, and to nothing that is shipped or accepted after all."""
    rejected = [line for line in lines if line.is_live and line.reply_status == Status.REJECTED]
    short = [line for line in lines if line.is_live and standing.is_short(line)]
    named = [standing.with_reason(named_lines.name(line), line.reply_reason) for line in rejected]
    what = ", ".join([*named, *(standing.missing(line, line.reply_reason) for line in short)])
    _call_for(part, what, is_whole=bool(rejected), is_short=bool(short))


def _call_for(part: SupplierOrder, what: str, *, is_whole: bool, is_short: bool) -> None:
    todo = [text for text, is_so in ((_ELSEWHERE, is_whole), (_MISSING, is_short)) if is_so]
    note = concerns.rejection(part, f"{what.rstrip('.')}. {' '.join(todo)}") if what else ""
    _ask(part, replace(Concerns.of(part), rejection=note))
    settlement.settle(part.order)  # routing counts the rejected lines among those that need attention


def _ask(part: SupplierOrder, told: Concerns) -> None:
    part.attention = told.text()
    part.save(update_fields=["attention"])
