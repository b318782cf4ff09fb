"""Apply what a reply says of one order: find its part, move it upwards under the order's lock, tell who must know."""

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from orders import settlement, shipments, timeline
from orders.models import Shipment
from suppliers import attention, parts, redaction, repeats, standing
from suppliers.concerns import Concerns
from suppliers.models import Delivery, ReplyStatement, SupplierOrder, SupplierOrderLine, SupplierReply
from suppliers.reply_formats.statements import LineStatement, Statement
from suppliers.standing import Change

Status, State = SupplierOrder.Status, ReplyStatement.Status
IT_WAS = ". It was: "  # between a person's words and what stood on the list
_OVERTAKEN = "The supplier answered the former file first."


def row(reply: SupplierReply, position: int, said: Statement) -> ReplyStatement:
    """Make the row of a statement, not yet stored."""
    state = State.UNREADABLE if said.fault else State.WAITING
    return ReplyStatement(
        reply=reply,
        position=position,
        reference=said.reference,
        kind=said.kind,
        rest=said.status,
        status=state,
        lines=[asdict(line) for line in said.lines],
        supplier_reference=said.supplier_reference,
        despatch=said.despatch,
        carrier=said.carrier,
        numbers=list(said.numbers),
        urls=list(said.urls),
        reason=said.reason,
        note=said.fault[:500],
    )


def spoken(row: ReplyStatement) -> Statement:
    """Return what a row says."""
    return Statement(
        reference=row.reference,
        status=row.rest,
        lines=tuple(LineStatement(**line) for line in row.lines),
        supplier_reference=row.supplier_reference,
        reason=row.reason,
        despatch=row.despatch,
        carrier=row.carrier,
        numbers=tuple(row.numbers),
        urls=tuple(row.urls),
    )


def apply(row: ReplyStatement) -> None:
    """Apply a waiting statement and write what became of it."""
    part = _named(row)
    if part is None:
        set_aside(row, row.note)
        return
    with transaction.atomic():
        apply_to(row, locked(part))


def apply_to(row: ReplyStatement, part: SupplierOrder, *, by: Any = None) -> None:
    """Apply a statement to a part of a locked order."""
    row.supplier_order = part
    if part.order.redacted_at:  # the supplier writes of a customer whose data was removed
        redaction.silence(row)
    if part.status in SupplierOrder.RANK:
        _let_move(row, part, by)
    elif part.status in (Status.CANCELLED, Status.REPLACED):
        _too_late(row, part)
    elif getattr(part, "delivery", None) and part.delivery.first_claimed_at:
        close(row, State.WAITING, "The order is not recorded as sent yet; the reply waits for that.")
    else:
        set_aside(row, f"The file of {part.reference} was never sent.")


def set_aside(row: ReplyStatement, note: str) -> None:
    """Leave a statement to a person, unless an earlier file said the same and is on the list or was dealt with."""
    close(row, State.UNCHANGED if repeats.is_listed(row) else State.UNMATCHED, note)


def close(row: ReplyStatement, status: str, note: str) -> None:
    """Write what became of a statement."""
    row.status, row.note = status, note[:500]
    row.save(update_fields=["status", "note", "supplier_order", *redaction.SILENCED])


def pass_over(waiting: list[ReplyStatement]) -> list[ReplyStatement]:
    """Mark those that say nothing new, without any lock, and return the others: no state ever goes back."""
    account = waiting[0].reply.endpoint.account()
    found = {part.reference: part for part in _parts().filter(reference__in={row.reference for row in waiting})}
    rows = Shipment.objects.filter(reference__in=list(found))
    told = {(shipment.reference, shipment.despatch): shipment for shipment in rows}
    left, old = [], []
    for row in waiting:
        part = None if row.supplier_order_id else found.get(row.reference)
        is_ours = part and not account.isdisjoint(_endpoints(part))
        if part and is_ours and _is_old(row, part, told.get((part.reference, row.despatch))):
            row.supplier_order, row.status = part, State.UNCHANGED
            old.append(row)
        else:
            found.pop(row.reference, None)  # its lines were weighed in memory
            left.append(row)
    ReplyStatement.objects.bulk_update(old, ["supplier_order", "status"], batch_size=200)
    return left


def may_speak(reply: SupplierReply, part: SupplierOrder) -> bool:
    """Tell whether a reply of this endpoint may be about the part: no supplier speaks for another.

    Endpoints that are folders of one account may have their replies in one folder, which one of them reads for all.
    """
    known = _endpoints(part)
    return reply.endpoint_id in known or not known.isdisjoint(reply.endpoint.account())


def _endpoints(part: SupplierOrder) -> set[int]:
    delivery: Delivery | None = getattr(part, "delivery", None)
    return {part.supplier.endpoint_id, *([delivery.endpoint_id] if delivery else [])}


def locked(part: SupplierOrder) -> SupplierOrder:
    """Return the part as it is now, its order locked until the transaction ends."""
    order = settlement.locked(part.order_id)
    fresh = _parts().get(pk=part.pk)
    fresh.order = order
    return fresh


def _is_old(row: ReplyStatement, part: SupplierOrder, known: Shipment | None) -> bool:
    """Tell whether the row says nothing new, also not of the shipment that is told again."""
    if part.status not in SupplierOrder.RANK or not part.replied_at:
        return False
    said = spoken(row)
    change = standing.weigh(part, list(part.lines.all()), said, known)
    is_tracked = known is not None and not set(row.numbers) <= set(known.numbers)
    is_new = change.lines or change.doubts or is_tracked or change.status != part.status
    return not is_new and said.supplier_reference in ("", part.supplier_reference)


def _named(row: ReplyStatement) -> SupplierOrder | None:
    if row.supplier_order_id:  # a person matched it
        return row.supplier_order
    found = SupplierOrder.objects.select_related("supplier", "delivery")
    part = found.filter(reference=row.reference).first()
    if part is None:
        row.note = f"No order has the reference {row.reference}."
        return None
    if not may_speak(row.reply, part):
        row.note = f"{row.reference} belongs to {part.supplier}, and this file came from another account."
        return None
    return part


def _parts() -> QuerySet[SupplierOrder]:
    found = SupplierOrder.objects.select_related("supplier", "delivery")
    return found.prefetch_related(Prefetch("lines", SupplierOrderLine.objects.select_related("order_line")))


def _too_late(row: ReplyStatement, part: SupplierOrder) -> None:
    """Deal with a reply about a part that does not count any more: it is shown, and moves nothing."""
    if part.status == Status.CANCELLED:
        note = f"{part.supplier} says {row.kind} of a cancelled order. Tell the supplier that it is cancelled."
    else:
        newer = getattr(part, "replaced_by", None)
        note = f"{part.supplier} says {row.kind} of revision {part.revision}, which {newer} has replaced."
    is_for_a_newer = part.status == Status.REPLACED and row.kind in (Status.REJECTED, Status.SHIPPED)
    if repeats.is_listed(row) if is_for_a_newer else repeats.was_told(row, note):
        close(row, State.UNCHANGED, note)
        return
    if is_for_a_newer or part.status == Status.CANCELLED:
        SupplierOrder.objects.filter(pk=part.pk).update(attention=note[:500])
    timeline.record(part.order, "reply_too_late", note, reference=part.reference)
    if is_for_a_newer:  # the supplier may well mean the newer one: a person says so
        close(row, State.UNMATCHED, f"{note} Match it to that one if it holds for it.")
    else:
        close(row, State.APPLIED, note)


def _let_move(row: ReplyStatement, part: SupplierOrder, by: Any) -> None:
    """Move a part; a newer file that was not sent is a person's once the supplier made or refused the goods."""
    newer = part.replaced_by if row.kind in (Status.REJECTED, Status.SHIPPED) else None
    if newer is None:
        _move(row, part, by)
    elif parts.cancel(newer, _OVERTAKEN):
        _move(row, locked(part), by)
        settlement.settle(part.order)
    else:
        close(row, State.WAITING, f"{newer} is being handed over; the reply waits for that.")


def _move(row: ReplyStatement, part: SupplierOrder, by: Any) -> None:
    said = spoken(row)
    is_cancellation = part.kind == SupplierOrder.Kind.CANCELLATION
    lines = [] if is_cancellation else list(part.lines.all())
    known = _known(part, lines, said)
    change = standing.weigh(part, lines, said, known)
    is_tracked = known is not None and shipments.add_tracking(known, row.carrier, row.numbers, row.urls)
    doubts = " ".join(change.doubts + _other_tracking(row, known))
    is_news = bool(doubts) and not repeats.was_told(row, doubts[:500])
    is_new = bool(change.lines or change.status != part.status)
    _write(row, part, change)
    is_refused = is_cancellation and is_new and change.status in (Status.REJECTED, Status.SHIPPED)
    if is_refused:
        attention.heed(
            part, f"{part.supplier} says {change.status} to the cancellation. Call the supplier: the goods may come."
        )
    elif change.lines and Concerns.of(part).rejection:
        attention.keep_rejected(part, lines)
    elif change.rejected:
        attention.call_for_rejected(row, part, change)
    if is_news and not is_refused:
        attention.heed(part, f"{part.supplier}: {doubts} Ask the supplier which holds.")
    if is_new:
        _tell(row, part, change, by)
    state = State.APPLIED if is_new or is_tracked or is_news else State.UNCHANGED
    same = f"Nothing changed: it was {part.get_status_display().lower()} already."
    close(row, state, doubts or (same if state == State.UNCHANGED else ""))


def _known(part: SupplierOrder, lines: list[SupplierOrderLine], said: Statement) -> Shipment | None:
    """Return the shipment that is told again; one that had no number so far may get it now."""
    if not said.despatch:
        return None
    return shipments.known(part.reference, said.despatch, standing.told_pieces(lines, said), said.numbers)


def _other_tracking(row: ReplyStatement, known: Shipment | None) -> list[str]:
    now, first = set(filter(None, row.numbers)), set(filter(None, known.numbers if known else []))
    if known is None or now <= first:
        return []
    named = ", ".join(number for number in row.numbers if number)
    former = ", ".join(number for number in known.numbers if number)
    return [f"Shipment {row.despatch} has tracking {named} now, {former} when it was told first; {standing.FIRST}."]


def _write(row: ReplyStatement, part: SupplierOrder, change: Change) -> None:
    SupplierOrderLine.objects.bulk_update(change.lines, ["reply_status", "reply_reason", "confirmed", "shipped"])
    if row.reason and (change.lines or change.status != part.status):
        part.reply_reason = row.reason
    part.status, part.replied_at = change.status, timezone.now()
    part.supplier_reference = row.supplier_reference or part.supplier_reference
    part.save(update_fields=["status", "replied_at", "reply_reason", "supplier_reference"])
    if change.shipped:
        shipments.record(
            part.order,
            reference=part.reference,
            despatch=row.despatch or _next_despatch(part),
            carrier=row.carrier,
            numbers=row.numbers,
            urls=row.urls,
            quantities=change.shipped,
        )


def _next_despatch(part: SupplierOrder) -> str:
    """Name a shipment that the supplier gave no number, by those that were told before."""
    return f"{part.reference}/{Shipment.objects.filter(reference=part.reference).count() + 1}"


def _tell(row: ReplyStatement, part: SupplierOrder, change: Change, by: Any) -> None:
    said = f"{part.supplier} {'has taken' if row.kind == Status.TAKEN else row.kind} it"
    reason = row.reason or ", ".join(change.rejected)
    text = f"{said}: {reason}" if reason else f"{said}."
    counts = standing.pieces(part.lines.all())
    timeline.record(part.order, f"reply_{row.kind}", f"{text} {counts}".strip(), part.reference, by)
