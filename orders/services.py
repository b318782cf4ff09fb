"""What a person may ask of an order. Each locks the order, checks it, writes rows and says who it was.

The parts that suppliers have are seen to by suppliers.services, which calls these.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from orders import settlement, timeline
from orders.models import Order


class Refused(Exception):
    """A person's wish that cannot be fulfilled now; its text is a sentence for that person."""


def hold(*, order: Order, reason: str, by: Any) -> Order:
    """Keep the order from going out until it is released. Raises Refused."""
    with transaction.atomic():
        order = settlement.locked(order.pk)
        if order.held_at:
            raise Refused("The order is on hold already.")
        if order.state == Order.State.CANCELLED:
            raise Refused("The order is cancelled; there is nothing to hold.")
        order.held_at, order.hold_reason = timezone.now(), _reason(reason)
        timeline.record(order, "held", f"Put on hold: {order.hold_reason}", actor=by)
        return settlement.settle(order, "held_at", "hold_reason")


def release(*, order: Order, reason: str, by: Any) -> Order:
    """Let an order on hold go on. Raises Refused."""
    with transaction.atomic():
        order = settlement.locked(order.pk)
        if not order.held_at:
            raise Refused("The order is not on hold.")
        text = f"Released from hold: {_reason(reason)}"
        order.held_at, order.hold_reason = None, ""
        timeline.record(order, "released", text, actor=by)
        return settlement.settle(order, "held_at", "hold_reason")


def cancel(*, order: Order, reason: str, by: Any) -> Order:
    """Cancel the order at Hemi; the store is not told. Raises Refused."""
    with transaction.atomic():
        order = settlement.locked(order.pk)
        if order.stopped_at:
            raise Refused("The order is cancelled already.")
        order.stopped_at, order.stop_reason = timezone.now(), _reason(reason)
        timeline.record(order, "cancelled", f"Cancelled by staff: {order.stop_reason}", actor=by)
        return settlement.settle(order, "stopped_at", "stop_reason")


def lift_source_filter(*, order: Order, by: Any) -> Order:
    """Let an order out that the source name filter holds back. Raises Refused."""
    with transaction.atomic():
        order = settlement.locked(order.pk)
        if order.state != Order.State.FILTERED:
            raise Refused("The source name filter does not hold this order back.")
        order.is_filter_lifted = True
        timeline.record(order, "filter_lifted", "Released from the source name filter.", actor=by)
        return settlement.settle(order, "is_filter_lifted")


def route_again(*, order: Order, by: Any) -> Order:
    """Look again at whether the order goes out, and ask the rules for the lines that nobody has. Raises Refused."""
    with transaction.atomic():
        order = settlement.settle(settlement.locked(order.pk))
        if order.state == Order.State.READY:
            timeline.record(order, "route_again", "Routing asked for again.", actor=by)
            return order
    # Only now, so that the reason of today stays on the order.
    raise Refused(f"The order does not go out: {order.state_reason}")


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused("Give a reason; whoever looks at the order next will want to know.")
    return text.strip()[:300]
