"""What a person may ask of a supplier's part of an order."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from orders import settlement, timeline
from orders.models import Order, OrderLine
from orders.services import Refused
from suppliers import amendments, parts
from suppliers.concerns import Concerns
from suppliers.models import SupplierOrder
from suppliers.services import ground


def hold(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Hold one supplier's part. Raises Refused when its file can no longer be stopped."""
    with transaction.atomic():
        part = ground.locked(supplier_order)
        if part.held_at:
            raise Refused("This part is on hold already.")
        if part.status not in SupplierOrder.UNSENT or not parts.stop(part):
            raise Refused(ground.too_late(part))
        part.held_at, part.hold_reason = timezone.now(), ground.reason(reason)
        part.save(update_fields=["held_at", "hold_reason"])
        timeline.record(part.order, "part_held", f"Put on hold: {part.hold_reason}", part.reference, by)
        return part


def release(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Let a held part go on. Raises Refused."""
    with transaction.atomic():
        part = ground.locked(supplier_order)
        if not part.held_at:
            raise Refused("This part is not on hold.")
        text = f"Released from hold: {ground.reason(reason)}"
        part.held_at, part.hold_reason = None, ""
        part.save(update_fields=["held_at", "hold_reason"])
        if part.order.state == Order.State.READY:
            parts.let_go(part)
        timeline.record(part.order, "part_released", text, part.reference, by)
        return part


def cancel(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Cancel one supplier's unsent or rejected part; its lines are free to be sent elsewhere. Raises Refused."""
    with transaction.atomic():
        part = ground.locked(supplier_order)
        lines = list(OrderLine.objects.filter(allocations__supplier_order=part, allocations__is_live=True))
        if not parts.cancel(part, ground.reason(reason), by=by):
            raise Refused(ground.too_late(part))
        amendments.leave_to_person(part, reason.strip())
        # What a cancelled revision held counts with the file before it again, and is not free.
        OrderLine.objects.filter(pk__in=[line.pk for line in lines]).exclude(allocations__is_live=True).update(
            routing=OrderLine.Routing.WITHDRAWN, routing_note=f"Taken back from {part.supplier}. Send it by hand."
        )
        settlement.settle(part.order)
        return part


def deal_with(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Take a part off “needs attention” once a person has seen to it. Raises Refused."""
    with transaction.atomic():
        part = ground.locked(supplier_order)
        if not part.attention or part.status == SupplierOrder.Status.BLOCKED:
            raise Refused("There is nothing here that a word could settle.")
        text = f"Dealt with: {ground.reason(reason)} (It was: {part.attention})"
        ground.clear_attention(part)
        if Concerns.of(part).change:
            amendments.settle_open(part, reason=ground.reason(reason), by=by)
        timeline.record(part.order, "dealt_with", text, part.reference, by)
        settlement.settle(part.order)  # what it rejected may have been what the order needed attention for
        return part


def make_document_again(*, supplier_order: SupplierOrder, by: Any) -> SupplierOrder:
    """Try again to make a document that could not be made. Raises Refused."""
    with transaction.atomic():
        part = ground.locked(supplier_order)
        if part.status != SupplierOrder.Status.BLOCKED:
            raise Refused("The document was made; there is nothing to try again.")
        parts.ask_for_document(part)
        timeline.record(part.order, "document_again", "Document asked for again.", part.reference, by)
        return part
