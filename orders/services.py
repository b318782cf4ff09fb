"""What a person may ask of an order. Each locks the order, checks it, writes rows and says who it was.

The parts that suppliers have are seen to by suppliers.services.orders, which calls these.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from orders import settlement, shipments, timeline
from orders.models import BY_A_PERSON, Fulfilment, Order, Shipment


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


def try_shipment_again(*, shipment: Shipment, by: Any) -> Shipment:
    """Have the store told of a shipment now that something stood against it. Raises Refused."""
    with transaction.atomic():
        settlement.locked(shipment.order_id)
        shipment = Shipment.objects.select_related("order__account").get(pk=shipment.pk)
        if why := why_no_new_try(shipment):
            raise Refused(why)
        shipments.try_again(Shipment.objects.filter(pk=shipment.pk))
        text = f"Shipment {shipment.despatch}: the store is asked again."
        timeline.record(shipment.order, "tried_again", text, shipment.reference, by)
        return shipment


def settle_shipment(*, shipment: Shipment, was_told: bool, reason: str, by: Any) -> Shipment:
    """Settle by a person's word whether the store knows of a shipment, or is to be told of it. Raises Refused."""
    with transaction.atomic():
        settlement.locked(shipment.order_id)
        shipment = Shipment.objects.select_related("order__account").get(pk=shipment.pk)
        if why := why_no_settling(shipment):
            raise Refused(why)
        text = _reason(reason)
        unclear = shipment.fulfilments.filter(status=Fulfilment.Status.UNCERTAIN)
        if was_told:
            unclear.update(status=Fulfilment.Status.DONE, done_at=timezone.now(), note=f"{BY_A_PERSON}{text}"[:500])
            if left := shipments.left(shipment):
                shipments.account_for(shipment, left, None, f"{BY_A_PERSON}{text}")
            shipment.fulfilments.update(is_tracking_due=False)
            shipments.close_as_told(shipment, f"{BY_A_PERSON}{text}", by=by)
        else:
            unclear.update(status=Fulfilment.Status.DUE)
            shipments.try_again(Shipment.objects.filter(pk=shipment.pk))
            said = f"Shipment {shipment.despatch}: settled, the store is told again: {text}"
            timeline.record(shipment.order, "settled", said, shipment.reference, by)
        return shipment


def why_no_new_try(shipment: Shipment) -> str:
    """Say why a shipment cannot be tried again; blank if it can."""
    if shipment.status == Shipment.Status.TOLD:
        return "The store was told of this shipment already."
    if shipment.status == Shipment.Status.NOTHING:
        return shipments.OF_A_SAMPLE
    if shipment.status == Shipment.Status.WAITING:
        is_due = shipment.next_attempt_at <= timezone.now()
        return shipments.why_not_yet(shipment) or ("It is on its way to the store." if is_due else "")
    if shipment.fulfilments.filter(status=Fulfilment.Status.UNCERTAIN).exists():
        return "What became of the last try is uncertain. Look at the order in the store, then choose Settle."
    return ""


def why_no_settling(shipment: Shipment) -> str:
    """Say why there is nothing for a person to settle; blank if there is."""
    if shipment.status == Shipment.Status.BLOCKED:
        return ""
    if shipment.status == Shipment.Status.WAITING:
        return "Hemi still tries by itself; there is nothing to settle yet."
    return why_no_new_try(shipment)


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused("Give a reason; whoever looks at the order next will want to know.")
    return text.strip()[:300]
