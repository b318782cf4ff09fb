"""A newer file in place of one that was sent: the whole order again, a change, or a cancellation."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from hemi.lib import queue
from orders import timeline
from orders.models import Order, OrderLine
from suppliers import composing, parts
from suppliers.models import Amendment, SupplierOrder, SupplierOrderLine

Status, Kind = SupplierOrder.Status, SupplierOrder.Kind
_SENT = {
    Kind.REVISION: "The whole order is sent again",
    Kind.CHANGE: "A change is sent",
    Kind.CANCELLATION: "A cancellation is sent",
}


def revise(
    part: SupplierOrder, *, kind: str, reason: str, by: Any = None, added: Iterable[OrderLine] = ()
) -> SupplierOrder:
    """Make the revision that replaces `part` of a locked order once it is sent, and ask for its document.

    What is live of `part` and not rejected moves to it, as the order wants it today; `added` lines join it.
    """
    newer = parts.next_revision(part.order, part.supplier, kind=kind, replaces=part)
    for allocation in (
        part.lines.filter(is_live=True).exclude(reply_status=Status.REJECTED).select_related("order_line")
    ):
        quantity = composing.wanted(allocation)
        allocation.is_live = False
        allocation.save(update_fields=["is_live"])
        if quantity and kind != Kind.CANCELLATION:
            _allocate(newer, allocation.order_line, quantity, shipped=allocation.shipped)
    for line in added:
        _allocate(newer, line, line.sendable)
        line.routing, line.routing_note = OrderLine.Routing.ROUTED, ""
        line.save(update_fields=["routing", "routing_note"])
    parts.ask_for_document(newer)
    text = f"{_SENT[Kind(kind)]} to {part.supplier} in place of {part.reference}. {reason}"
    timeline.record(part.order, "revised", text.strip(), newer.reference, by)
    return newer


def took_effect(part_ids: Iterable[int]) -> None:
    """Let revisions that were just sent take the place of the former ones, and have what waited for them looked at."""
    is_amended = Exists(Amendment.objects.filter(supplier_order=OuterRef("pk"), status=Amendment.Status.OPEN))
    rows = SupplierOrder.objects.filter(pk__in=list(part_ids)).filter(Q(replaces__isnull=False) | is_amended)
    parts_with_news = list(rows)
    for part in parts_with_news:
        if part.replaces_id is None:
            continue
        status = Status.CANCELLED if part.kind == Kind.CANCELLATION else Status.REPLACED
        former = SupplierOrder.objects.filter(pk=part.replaces_id)
        former.update(status=status)
        former.exclude(lines__is_live=True, lines__reply_status=Status.REJECTED).update(attention="")
    look_again({part.order_id for part in parts_with_news})


def look_again(order_ids: Iterable[int]) -> None:
    """Have orders looked at again whose files came to something else than was expected of them."""
    if orders := set(order_ids):
        now = timezone.now()
        Order.objects.filter(pk__in=orders).update(needs_routing=True, attempts=0, next_attempt_at=now)
        queue.kick("suppliers.route")


def _allocate(part: SupplierOrder, line: OrderLine, quantity: int, *, shipped: int = 0) -> None:
    SupplierOrderLine.objects.create(
        supplier_order=part, order_line=line, quantity=quantity, ordered_then=line.current, shipped=shipped
    )
