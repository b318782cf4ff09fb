"""What changes in an order after a supplier has its file: noticed, shown line by line, sent on or left to a person.

Everything here happens under the order's lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from orders import timeline
from orders.models import Order, OrderLine
from suppliers import composing, differences, parts, rendering, revisions
from suppliers.concerns import CHANGED, Concerns
from suppliers.documents import content as contents
from suppliers.models import Amendment, Delivery, DeliveryContent, Supplier, SupplierOrder

Status, Kind, State = SupplierOrder.Status, SupplierOrder.Kind, Order.State
_AGAIN = "The order changed again before it was sent."
# Only these may be changed by themselves; what was shipped or rejected is a person's to settle.
_CHANGEABLE = (Status.SENT, Status.TAKEN, Status.ACCEPTED)
_SETTLED = (Status.CANCELLED, Status.REPLACED, Status.REJECTED)


@dataclass
class _Case:
    """A part that its supplier has, and what the order wants of it today."""

    part: SupplierOrder
    rows: list[dict[str, Any]]
    is_gone: bool
    is_compared: bool  # False: nobody kept what the file says, so a change may be one of its format only
    added: list[OrderLine] = field(default_factory=list)


def look(order: Order, late: dict[int, list[OrderLine]]) -> None:
    """Bring what suppliers were sent in line with the locked order; `late` are lines that came too late for a file.

    A revision that is not sent yet and does not fit any more is taken back first.
    """
    if not order.redacted_at:
        for newer in _of(order).filter(status__in=SupplierOrder.UNSENT).exclude(replaces=None):
            _follow(order, newer, late)
    counting = _of(order).exclude(status__in=(*SupplierOrder.UNSENT, *_SETTLED)).exclude(kind=Kind.CANCELLATION)
    late = dict(late)
    for part in counting:
        if not part.replaced_by:  # the newest of a supplier's files takes the lines that came late
            _weigh(_case(order, part, late.pop(part.supplier_id, [])))
    for part in _of(order).filter(status=Status.READY, delivery__in=Delivery.objects.filter(Delivery.HANDED_OVER)):
        if part.kind != Kind.CANCELLATION:  # being handed over: looked at again when it is sent
            _weigh(_case(order, part, []))
    _close_what_is_over(order)


def send(amendment: Amendment, *, kind: str, reason: str, by: Any = None) -> SupplierOrder:
    """Send an open amendment of a locked order to the supplier."""
    part = amendment.supplier_order
    added = OrderLine.objects.filter(order=part.order, shopify_id__in=_new_lines(amendment))
    free = added.filter(sendable__gt=0).exclude(allocations__is_live=True)
    # A cancellation says nothing of new lines: they would seem to be sent.
    newer = revisions.revise(part, kind=kind, reason=reason, by=by, added=[] if kind == Kind.CANCELLATION else free)
    _close(amendment, Amendment.Status.SENT, reason=reason, by=by, sent_as=newer)
    return newer


def settle(amendment: Amendment, *, reason: str, by: Any) -> None:
    """Note that a person has seen to an open amendment in another way."""
    _close(amendment, Amendment.Status.SETTLED, reason=reason, by=by)


def why_not_sent(amendment: Amendment) -> str:
    """Say why an amendment cannot be sent; "" if it can."""
    part = amendment.supplier_order
    if amendment.status != Amendment.Status.OPEN:
        return "It does not wait any more."
    if part.status not in (*_CHANGEABLE, Status.SHIPPED):
        return f"The file of {part.reference} is not recorded as sent: {part.get_status_display().lower()}."
    if part.replaced_by:
        return f"{part.replaced_by} is on its way in its place already."
    if part.order.state != State.READY and not amendment.is_cancellation:
        return f"The order does not go out: {part.order.state_reason} Tell {part.supplier}, then settle this."
    return ""


def leave_to_person(newer: SupplierOrder, reason: str) -> None:
    """Have the changes that a person took back with their file wait, whatever was agreed with the supplier."""
    rows = Amendment.objects.filter(supplier_order=newer.replaces_id, status=Amendment.Status.OPEN)
    rows.update(reason=f"Taken back: {reason}"[:300])


def settle_open(part: SupplierOrder, *, reason: str, by: Any) -> None:
    """Settle what waits for a person at this part, if anything does."""
    for amendment in Amendment.objects.filter(supplier_order=part, status=Amendment.Status.OPEN):
        settle(amendment, reason=reason, by=by)


def _of(order: Order) -> Any:
    return order.supplier_orders.select_related("supplier", "replaces", "order__account").order_by("-revision")


def _case(order: Order, part: SupplierOrder, added: list[OrderLine]) -> _Case:
    part.order = order
    today, said = composing.compose(part), DeliveryContent.objects.filter(delivery__supplier_order=part).first()
    rejected = _rejected(part)
    wanted = [line.quantity for line in today.lines if line.shopify_id not in rejected]
    is_empty = bool(wanted or part.lines.exists()) and not any(wanted)
    is_gone = order.state == State.CANCELLED or (is_empty and not added)
    found = differences.between(contents.from_json(said.content), today) if said else _guess(part)
    rows = [row.as_row() for row in found if row.line not in rejected]
    if order.state == State.CANCELLED:
        rows.insert(0, {"line": None, "what": "The order", "before": "wanted", "after": order.state_reason})
    elif order.state == State.UNPAID:
        rows.append({"line": None, "what": "Payment", "before": "", "after": order.state_reason})
    elif is_gone and not rows:
        rows = [{"line": None, "what": "The order", "before": "wanted", "after": "nothing of it is wanted any more"}]
    rows += [differences.added(line.shopify_id, line.sku, line.title, line.sendable).as_row() for line in added]
    if order.redacted_at and not is_gone:
        rows = []
    return _Case(part, rows, is_gone, said is not None, added)


def _rejected(part: SupplierOrder) -> set[int]:
    """Shopify's ids of the lines that the supplier does not make, whatever becomes of them."""
    return set(part.lines.filter(reply_status=Status.REJECTED).values_list("order_line__shopify_id", flat=True))


def _guess(part: SupplierOrder) -> list[differences.Difference]:
    if not rendering.has_changed(part):
        return []
    return [differences.Difference("The order", "as in its file", "changed, or written in another way now: compare")]


def _new_lines(amendment: Amendment) -> list[int]:
    return [row["line"] for row in amendment.changes if row["line"] and not row["before"]]


def _follow(order: Order, newer: SupplierOrder, late: dict[int, list[OrderLine]]) -> None:
    """Take back an unsent revision if the order has moved on; a new one is made of what is wanted now."""
    newer.order = order
    amendment = Amendment.objects.filter(sent_as=newer).first()
    is_cancellation = newer.kind == Kind.CANCELLATION
    is_wanted = is_cancellation or (order.state in (State.READY, State.NOTHING) and _asks_for_something(newer))
    if amendment and is_wanted:
        is_same = differences.are_same(amendment.changes, _wanted_rows(order, newer))
        is_wanted = is_same and not late.get(newer.supplier_id) and not _is_overtaken(amendment)
    if is_wanted and not (newer.status == Status.READY and rendering.has_changed(newer)):
        return
    if is_wanted and parts.withdraw_document(newer):
        parts.ask_for_document(newer)
    elif not is_wanted and order.state != State.HELD:
        parts.cancel(newer, _AGAIN)


def _asks_for_something(newer: SupplierOrder) -> bool:
    return any(line.quantity for line in composing.compose(newer).lines)


def _is_overtaken(amendment: Amendment) -> bool:
    """Tell whether the supplier shipped or rejected before what nobody decided on was sent."""
    return amendment.settled_by_id is None and not _may_change(amendment.supplier_order)


def _may_change(part: SupplierOrder) -> bool:
    return part.status in _CHANGEABLE and not part.lines.filter(shipped__gt=0).exists()


def _wanted_rows(order: Order, newer: SupplierOrder) -> list[dict[str, Any]]:
    """Return the changes that the revision would be made for today."""
    if newer.replaces is None:
        return []
    if newer.kind == Kind.CANCELLATION:
        return _case(order, newer.replaces, []).rows
    today, rejected = composing.compose(newer), _rejected(newer.replaces)
    said = DeliveryContent.objects.filter(delivery__supplier_order=newer.replaces_id).first()
    found = differences.between(contents.from_json(said.content), today) if said else _guess(newer.replaces)
    return [row.as_row() for row in found if row.line not in rejected]


def _weigh(case: _Case) -> None:
    part = case.part
    amendment = Amendment.objects.filter(supplier_order=part, status=Amendment.Status.OPEN).first()
    if case.is_gone:
        parts.stop_resend(part)
    if not case.rows:
        if amendment and not part.order.redacted_at:
            _close(amendment, Amendment.Status.UNDONE)
            timeline.record(part.order, "change_undone", "The order is again as it was sent.", part.reference)
        return
    if amendment is None and _is_known(case):
        return
    is_news = amendment is None or not differences.are_same(amendment.changes, case.rows)
    amendment = _note(case, amendment or Amendment(supplier_order=part), is_news)
    if _goes_by_itself(case) and not amendment.reason:
        send(amendment, kind=_kind(case), reason=_summary(case.rows))
    elif is_news or not part.attention:  # what was told of a file under way went with its being sent
        _tell(case)


def _is_known(case: _Case) -> bool:
    """Tell whether a person has settled these very changes."""
    latest = Amendment.objects.filter(supplier_order=case.part).order_by("-pk").first()
    return bool(
        latest and latest.status == Amendment.Status.SETTLED and differences.are_same(latest.changes, case.rows)
    )


def _note(case: _Case, amendment: Amendment, is_news: bool) -> Amendment:
    amendment.supplier_order = case.part
    amendment.changes, amendment.is_cancellation = case.rows, case.is_gone
    amendment.reason = "" if is_news else amendment.reason  # what a person took back were other changes
    amendment.save()
    return amendment


def _goes_by_itself(case: _Case) -> bool:
    part, order = case.part, case.part.order
    if part.supplier.amendments == Supplier.Amendments.PERSON or not (case.is_compared or case.is_gone):
        return False
    may_go = order.state == State.READY or (case.is_gone and order.state in (State.CANCELLED, State.NOTHING))
    return may_go and not part.held_at and _may_change(part)


def _kind(case: _Case) -> str:
    if case.is_gone:
        return Kind.CANCELLATION
    return Kind.CHANGE if case.part.supplier.amendments == Supplier.Amendments.CHANGE else Kind.REVISION


def _summary(rows: Iterable[dict[str, Any]]) -> str:
    shown = [f"{row['what']}: {row['before'] or 'nothing'} → {row['after']}" for row in rows]
    more = f"; and {len(shown) - 3} more" if len(shown) > 3 else ""
    return "; ".join(shown[:3])[:300] + more


def _tell(case: _Case) -> None:
    part = case.part
    what = "cancelled. " if case.is_gone else f"{_summary(case.rows)}. "
    text = f"{CHANGED}{what}Send it on to {part.supplier}, or settle it."
    SupplierOrder.objects.filter(pk=part.pk).update(attention=replace(Concerns.of(part), change=text).text())
    timeline.record(part.order, "too_late", text[:500], reference=part.reference)


def _close(
    amendment: Amendment, status: str, *, reason: str = "", by: Any = None, sent_as: SupplierOrder | None = None
) -> None:
    amendment.status, amendment.reason, amendment.settled_by = status, reason[:300], by
    amendment.sent_as, amendment.settled_at = sent_as, timezone.now()
    amendment.save()
    rows = SupplierOrder.objects.filter(pk=amendment.supplier_order_id, attention__startswith=CHANGED)
    for part in rows.select_related("supplier"):
        SupplierOrder.objects.filter(pk=part.pk).update(attention=replace(Concerns.of(part), change="").text())


def _close_what_is_over(order: Order) -> None:
    """Take off the list what concerns a file that never went out, or that does not count any more."""
    for amendment in Amendment.objects.filter(supplier_order__order=order, status=Amendment.Status.OPEN):
        part = amendment.supplier_order
        is_out = Delivery.objects.filter(Delivery.HANDED_OVER, supplier_order=part).exists()
        if part.status in _SETTLED or (part.status in SupplierOrder.UNSENT and not is_out):
            _close(amendment, Amendment.Status.UNDONE)
