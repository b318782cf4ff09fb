"""What a person may ask of an order as far as its suppliers are concerned."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from orders import services, settlement, timeline
from orders.models import Order, OrderLine
from orders.services import Refused
from suppliers import parts
from suppliers.models import Delivery, Supplier, SupplierOrder
from suppliers.services import ground


def hold(*, order: Order, reason: str, by: Any) -> Order:
    """Hold an order and every file of it that can still be stopped. Raises Refused."""
    with transaction.atomic():
        order = services.hold(order=order, reason=reason, by=by)
        _refuse_if_over(order)
        for part in (*_unsent(order), *_waiting_again(order)):
            if not parts.stop(part):
                timeline.record(order, "too_late", ground.too_late(part), reference=part.reference)
        return order


def release(*, order: Order, reason: str, by: Any) -> Order:
    """Let a held order go on; its files follow within seconds. Raises Refused."""
    with transaction.atomic():
        order = services.release(order=order, reason=reason, by=by)
        for part in _waiting_again(order):
            parts.let_go(part)
        return order


def cancel(*, order: Order, reason: str, by: Any) -> Order:
    """Cancel an order and every file of it that can still be stopped. Raises Refused."""
    with transaction.atomic():
        order = services.cancel(order=order, reason=reason, by=by)
        _refuse_if_over(order)
        for part in _unsent(order):
            parts.cancel(part, reason, by=by)
        return order


def route_again(*, order: Order, by: Any) -> Order:
    """Ask the rules again for the lines that nobody has, or that their supplier rejects. Raises Refused."""
    order = services.route_again(order=order, by=by)  # on its own: the reason of a refusal stays on the order
    with transaction.atomic():
        order = settlement.locked(order.pk)
        if parts.take_back_rejected(order.lines.all(), by=by):
            settlement.settle(order)  # a router that was quicker did not find them free
        return order


def send_to_supplier(*, order: Order, lines: Iterable[OrderLine], supplier: Supplier, by: Any) -> SupplierOrder:
    """Give lines to a supplier by hand, whatever the rules say. Raises Refused."""
    with transaction.atomic():
        order, supplier = settlement.locked(order.pk), Supplier.objects.get(pk=supplier.pk)
        if order.state != Order.State.READY:
            raise Refused(f"The order does not go out: {order.state_reason}")
        if supplier.is_live == order.is_test:
            kind = "test" if order.is_test else "real"
            raise Refused(f"This is a {kind} order, and {supplier} is {supplier.get_mode_display()}")
        free = list(parts.free_lines(order).filter(pk__in=[line.pk for line in lines]))
        if not free:
            raise Refused("None of these lines is free: each is with a supplier, fulfilled or removed.")
        parts.take_back_rejected(free, by=by)
        part = parts.allocate(order, supplier, free, by=by)
        settlement.settle(order)
        return part


def why_over(order: Order) -> str:
    """Say why nothing of the order can be stopped or cancelled at its supplier any more; "" if something can."""
    over = (SupplierOrder.Status.CANCELLED, SupplierOrder.Status.REPLACED)
    live = order.supplier_orders.exclude(status__in=over)
    told = live.exclude(supplier__amendments=Supplier.Amendments.PERSON).exclude(status=SupplierOrder.Status.SHIPPED)
    if not live.exists() or live.filter(status__in=SupplierOrder.CANCELLABLE).exists() or told.exists():
        return ""
    if _waiting_again(order).exists():
        return ""
    free = order.lines.filter(sendable__gt=0).exclude(allocations__is_live=True)
    is_over = not free.exclude(routing=OrderLine.Routing.SET_ASIDE).exists()
    return "Everything of this order is with its suppliers already; tell them directly." if is_over else ""


def _refuse_if_over(order: Order) -> None:
    if reason := why_over(order):
        raise Refused(reason)


def _waiting_again(order: Order) -> QuerySet[SupplierOrder]:
    """Return the parts whose file a person wants sent once more, and that was not yet."""
    again = order.supplier_orders.filter(delivery__status=Delivery.Status.DUE, delivery__resends__gt=0)
    return again.select_related("order", "supplier")


def _unsent(order: Order) -> list[SupplierOrder]:
    return list(order.supplier_orders.filter(status__in=SupplierOrder.UNSENT).select_related("order", "supplier"))
