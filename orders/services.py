"""What a person may ask of an order. Each locks the order, checks it, writes rows and says who it was.

The parts that suppliers have are seen to by suppliers.services, which calls these.
"""

from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from hemi.lib import queue
from orders import readiness, timeline
from orders.models import Order


class Refused(Exception):
    """A person's wish that cannot be fulfilled now; its text is a sentence for that person."""


def hold(*, order: Order, reason: str, by: Any) -> Order:
    """Keep the order from going out until it is released. Raises Refused."""
    with transaction.atomic():
        order = locked(order.pk)
        if order.held_at:
            raise Refused("The order is on hold already.")
        if order.state == Order.State.CANCELLED:
            raise Refused("The order is cancelled; there is nothing to hold.")
        order.held_at, order.hold_reason = timezone.now(), _reason(reason)
        timeline.record(order, "held", f"Put on hold: {order.hold_reason}", actor=by)
        return _changed(order, "held_at", "hold_reason")


def release(*, order: Order, by: Any) -> Order:
    """Let an order on hold go on. Raises Refused."""
    with transaction.atomic():
        order = locked(order.pk)
        if not order.held_at:
            raise Refused("The order is not on hold.")
        order.held_at, order.hold_reason = None, ""
        timeline.record(order, "released", "Released from hold.", actor=by)
        return _changed(order, "held_at", "hold_reason")


def cancel(*, order: Order, reason: str, by: Any) -> Order:
    """Cancel the order at Hemi; the store is not told. Raises Refused."""
    with transaction.atomic():
        order = locked(order.pk)
        if order.stopped_at:
            raise Refused("The order is cancelled already.")
        order.stopped_at, order.stop_reason = timezone.now(), _reason(reason)
        timeline.record(order, "cancelled", f"Cancelled by staff: {order.stop_reason}", actor=by)
        return _changed(order, "stopped_at", "stop_reason")


def lift_source_filter(*, order: Order, by: Any) -> Order:
    """Let an order out that the source name filter holds back. Raises Refused."""
    with transaction.atomic():
        order = locked(order.pk)
        if order.state != Order.State.FILTERED:
            raise Refused("The source name filter does not hold this order back.")
        order.is_filter_lifted = True
        timeline.record(order, "filter_lifted", "Released from the source name filter.", actor=by)
        return _changed(order, "is_filter_lifted")


def route_again(*, order: Order, by: Any) -> Order:
    """Ask the routing rules again for the lines that nobody has. Raises Refused."""
    with transaction.atomic():
        order = locked(order.pk)
        if order.state != Order.State.READY:
            raise Refused(f"The order does not go out: {order.state_reason}")
        timeline.record(order, "route_again", "Routing asked for again.", actor=by)
        return _changed(order)


def refresh_account(account_id: int) -> None:
    """Look again at the orders of an account whose settings changed; bounded to what can still go out."""
    open_states = [Order.State.UNPAID, Order.State.FILTERED, Order.State.TOO_OLD]
    for pk in Order.objects.filter(account_id=account_id, state__in=open_states).values_list("pk", flat=True)[:5000]:
        with transaction.atomic():
            settle(locked(pk))


def locked(pk: int) -> Order:
    """Return the order, locked until the transaction ends (SQLite's transactions lock the whole database anyway)."""
    return Order.objects.select_for_update(of=("self",)).select_related("account").get(pk=pk)


def settle(order: Order) -> Order:
    """Work out the locked order's state; where it changed, say so, save it and ask for routing."""
    before = (order.state, order.state_reason)
    sendable = order.lines.aggregate(pieces=Sum("sendable"))["pieces"] or 0
    order.state, order.state_reason = readiness.state(order, sendable)
    if (order.state, order.state_reason) != before:
        if order.state != Order.State.READY:
            timeline.record(order, "not_sent", f"Not going out: {order.state_reason}")
        _changed(order)
    return order


def ask_for_routing(order: Order) -> None:
    """Mark the locked order for routing and hint; the caller saves the fields returned by `ROUTING_FIELDS`."""
    order.needs_routing, order.attempts, order.next_attempt_at = True, 0, timezone.now()
    queue.kick("suppliers.route")


ROUTING_FIELDS = ("needs_routing", "attempts", "next_attempt_at", "state", "state_reason")


def _changed(order: Order, *fields: str) -> Order:
    sendable = order.lines.aggregate(pieces=Sum("sendable"))["pieces"] or 0
    order.state, order.state_reason = readiness.state(order, sendable)
    ask_for_routing(order)
    order.save(update_fields=[*fields, *ROUTING_FIELDS])
    return order


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused("Give a reason; whoever looks at the order next will want to know.")
    return text.strip()[:300]
