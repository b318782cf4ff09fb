"""A supplier's part of an order under the order's lock: make it, stop it, let it go again.

The lock order is: order, supplier order, delivery. The outbox takes it for many orders at once (suppliers/turns.py).
What it and a person both touch is decided by one conditional UPDATE of the Delivery all the same, so that exactly one
of "stopped" and "being handed over" is true.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from hemi.lib import queue
from orders import timeline
from orders.models import Order, OrderLine
from suppliers import composing
from suppliers.concerns import Concerns
from suppliers.models import Amendment, Delivery, SentBefore, Supplier, SupplierOrder, SupplierOrderLine

Status = SupplierOrder.Status
_REJECTED = Status.REJECTED
_STILL_REJECTED = Q(reply_status=_REJECTED) | Q(confirmed__gt=0, confirmed__lt=F("quantity"))
# Until the rename is recorded a file can be stopped; a dead letter has stopped already.
_STOPPABLE = Q(status__in=[Delivery.Status.DUE, Delivery.Status.DEAD]) & ~Q(
    step__in=[Delivery.Step.RENAMING, Delivery.Step.SIGNALLING]
)

# After a restore nobody knows what of it was sent before the outbox is opened.
_LOOKED_UP = Q(endpoint__closed_at=None)


def allocate(order: Order, supplier: Supplier, lines: Iterable[OrderLine], *, by: Any = None) -> SupplierOrder:
    """Give `lines` of the locked order to `supplier`, as part of a document not yet tried or as the next revision."""
    part, given = _open_part(order, supplier), list(lines)
    if part:
        ask_for_document(part)
    else:
        part = next_revision(order, supplier)
        queue.kick("suppliers.render")
    SupplierOrderLine.objects.bulk_create(
        SupplierOrderLine(supplier_order=part, order_line=line, quantity=line.sendable, ordered_then=line.current)
        for line in given
    )
    if unmarked := [line.pk for line in given if line.routing != OrderLine.Routing.ROUTED]:
        order.lines.filter(pk__in=unmarked).update(routing=OrderLine.Routing.ROUTED)
    timeline.record(order, "routed", f"Given to {supplier}.", reference=part.reference, actor=by)
    return part


def ask_for_document(part: SupplierOrder) -> None:
    """Have the document made (again); allowed only before anybody saw it."""
    part.status, part.attempts, part.next_attempt_at, part.attention = Status.WAITING, 0, timezone.now(), ""
    part.claim_token, part.lease_until = "", None  # a renderer at work must not save what is now out of date
    part.save(update_fields=["status", "attempts", "next_attempt_at", "attention", "claim_token", "lease_until"])
    queue.kick("suppliers.render")


def follow(part: SupplierOrder) -> bool:
    """Bring what a part holds whose file nobody saw in line with its locked order. True: something of it moved.

    A reply is weighed against these quantities, so that they must be those of the file.
    """
    moved = 0
    for allocation in part.lines.filter(is_live=True).select_related("order_line"):
        line = allocation.order_line
        quantity = line.sendable if part.kind == SupplierOrder.Kind.ORDER else composing.wanted(allocation)
        if not quantity:
            allocation.delete()
        elif quantity != allocation.quantity:
            allocation.quantity, allocation.ordered_then = quantity, line.current
            allocation.save(update_fields=["quantity", "ordered_then"])
        else:
            continue
        moved += 1
    return bool(moved)


def withdraw_document(part: SupplierOrder) -> bool:
    """Take back a document that nobody saw, to make it anew. False: it is being handed over or is with the supplier."""
    delivery = Delivery.objects.filter(supplier_order=part)
    if not delivery.exists():
        return part.status in (Status.WAITING, Status.BLOCKED)
    unseen = delivery.filter(first_claimed_at=None, status=Delivery.Status.DUE, claim_token="", resends=0)
    # One that was made anew knows of a temporary file, and of what was tried before.
    if unseen.filter(temporary_name="", attempt_rows=None).delete()[0]:
        return True
    # A run that is at work finds its claim gone, removes its temporary file and stops.
    free = {"claim_token": "", "lease_until": None}
    return bool(delivery.filter(_STOPPABLE, resends=0).update(is_held=True, **free))


def cancel(part: SupplierOrder, reason: str, *, by: Any = None) -> bool:
    """Cancel a part of the locked order. False: its file is being handed over or is, or may be, with the supplier."""
    if part.status not in SupplierOrder.CANCELLABLE:
        return False
    deliveries = Delivery.objects.filter(supplier_order=part)
    is_unsent = part.status != Status.REJECTED and deliveries.exists()
    stoppable = deliveries.filter(_STOPPABLE & _LOOKED_UP)
    if is_unsent and not stoppable.update(status=Delivery.Status.CANCELLED, is_held=True):
        return False
    part.status, part.cancel_reason, part.attention = Status.CANCELLED, reason[:300], ""
    part.save(update_fields=["status", "cancel_reason", "attention"])
    part.lines.update(is_live=False)
    if part.replaces_id:
        _give_back(part)
    timeline.record(part.order, "part_cancelled", f"{part.supplier}'s part cancelled: {reason}", part.reference, by)
    return True


def stop_resend(part: SupplierOrder) -> None:
    """Keep a file that its supplier was sent, and that a person wants sent again, from going out once more."""
    again = Delivery.objects.filter(_STOPPABLE, supplier_order=part, resends__gt=0)
    sent = {"status": Delivery.Status.SENT, "step": Delivery.Step.SENT, "claim_token": "", "lease_until": None}
    # Of what is being uploaded something lies on the server, which is removed of cancelled ones.
    is_stopped = again.filter(step=Delivery.Step.NONE).update(**sent)
    if is_stopped or again.update(status=Delivery.Status.CANCELLED, is_held=True):
        timeline.record(part.order, "resend_stopped", "Not sent again: nothing of it is wanted.", part.reference)


def free_lines(order: Order) -> QuerySet[OrderLine]:
    """Return the lines that are still to be sent and that nobody has, or that their supplier rejects."""
    taken = SupplierOrderLine.objects.filter(is_live=True, order_line=OuterRef("pk")).exclude(reply_status=_REJECTED)
    return order.lines.filter(~Exists(taken), sendable__gt=0)


def take_back_rejected(lines: Iterable[OrderLine], *, by: Any = None) -> int:
    """Free those of the lines that their supplier rejects; the part keeps them as history. Return how many."""
    rejected = SupplierOrderLine.objects.filter(order_line__in=lines, is_live=True, reply_status=_REJECTED)
    freed = list(rejected.select_related("supplier_order__supplier", "supplier_order__order"))
    rejected.update(is_live=False)
    for part in {row.supplier_order for row in freed}:
        count = sum(row.supplier_order == part for row in freed)
        told = Concerns.of(part)
        if told.rejection and not part.lines.filter(_STILL_REJECTED, is_live=True).exists():
            SupplierOrder.objects.filter(pk=part.pk).update(attention=replace(told, rejection="").text())
        text = f"{count} rejected {'line' if count == 1 else 'lines'} taken back from {part.supplier}."
        timeline.record(part.order, "lines_taken_back", text, part.reference, by)
    return len(freed)


def stop(part: SupplierOrder) -> bool:
    """Keep a part's file from going out. False: it is being handed over or is with the supplier."""
    deliveries = Delivery.objects.filter(supplier_order=part)
    if deliveries.exists():
        return bool(deliveries.filter(_STOPPABLE).update(is_held=True))
    return part.status in SupplierOrder.UNSENT


def let_go(part: SupplierOrder) -> None:
    """Undo `stop`, unless the part or its order is still on hold."""
    if part.held_at or part.order.state == Order.State.HELD:
        return
    held = Delivery.objects.filter(supplier_order=part, is_held=True).exclude(status=Delivery.Status.CANCELLED)
    if held.update(is_held=False, next_attempt_at=timezone.now()):
        queue.kick("suppliers.sweep_deliveries")


def next_revision(order: Order, supplier: Supplier, **values: Any) -> SupplierOrder:
    """Make the supplier's next part of the locked order, with nothing in it yet."""
    latest = order.supplier_orders.filter(supplier=supplier).aggregate(latest=Max("revision"))["latest"] or 0
    return SupplierOrder.objects.create(
        order=order,
        supplier=supplier,
        revision=latest + 1,
        reference=_reference(order, f"-{supplier.code}-{latest + 1}"),
        webhook_event=order.event_id,
        **values,
    )


def _reference(order: Order, ending: str) -> str:
    """Make a part's reference, or take that which an order had before a restore: its supplier knows no other."""
    sent = SentBefore.objects.filter(shopify_id=order.shopify_id, reference__endswith=ending)
    if (former := sent.first()) and not SupplierOrder.objects.filter(reference=former.reference).exists():
        return former.reference
    return f"HM{order.pk:06d}{ending}"


def _give_back(part: SupplierOrder) -> None:
    """Let the part that a cancelled revision was to replace count again."""
    rows = SupplierOrderLine.objects.filter(supplier_order=part.replaces_id)
    rows.exclude(order_line__allocations__is_live=True).update(is_live=True)
    Amendment.objects.filter(sent_as=part, status=Amendment.Status.SENT).update(
        status=Amendment.Status.OPEN, sent_as=None, settled_at=None
    )


def _open_part(order: Order, supplier: Supplier) -> SupplierOrder | None:
    unsent = order.supplier_orders.filter(supplier=supplier, status__in=SupplierOrder.UNSENT)
    for part in unsent.exclude(kind=SupplierOrder.Kind.CANCELLATION).order_by("-revision"):
        if withdraw_document(part):
            return part
    return None
