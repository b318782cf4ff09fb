"""Why a delivery that waits does not go, and what to do about it."""

from django.utils import timezone

from suppliers import addressing
from suppliers.models import Delivery, SupplierOrder


def reason(delivery: Delivery) -> str:
    """Say what keeps a delivery back besides its turn; empty if nothing does."""
    if delivery.status not in Delivery.RETRYABLE:
        return ""
    endpoint = addressing.destination(delivery)
    if endpoint.stopped_at:
        return "The endpoint is stopped. Mend what stopped it and restart it."
    if endpoint.closed_at:
        return "A restore closed the outbox of the endpoint. Open it there, once orders were fetched again."
    if not endpoint.is_active:
        return f"The endpoint is not active. {_way_out(delivery)}"
    part = delivery.supplier_order
    if part.supplier.paused_at:
        return f"{part.supplier} is paused. Resume it first."
    if part.order.account.paused_at:
        return "The account is paused. Resume it first."
    if delivery.step == Delivery.Step.RENAMING:
        return ""
    return _of_the_other_mode(delivery) or _after_another(part)


def told(delivery: Delivery) -> str:
    """Say what keeps a delivery back, also where it passes by itself or waits for a person, and what to do."""
    if delivery.status == Delivery.Status.UNCERTAIN:
        return "Nobody knows whether the supplier has it. Look on the server or ask the supplier, then choose Settle."
    if delivery.status == Delivery.Status.DEAD:
        return reason(delivery) or "It was given up. Mend the cause, which the last error tells, then choose Retry now."
    if delivery.status != Delivery.Status.DUE:
        return ""
    return reason(delivery) or _kept(delivery) or _left_behind(delivery) or _passing(delivery)


def _left_behind(delivery: Delivery) -> str:
    former, wanted = delivery.endpoint, addressing.destination(delivery)
    if former == wanted or (former.is_active and not former.stopped_at):
        return ""
    return f"It is still for {former}, which takes no files now. Choose Retry now, and it goes to {wanted}."


def _kept(delivery: Delivery) -> str:
    part = delivery.supplier_order
    if not delivery.is_held:
        return ""
    if part.held_at:
        return f"This part is on hold: {part.hold_reason}"
    if part.status in (SupplierOrder.Status.WAITING, SupplierOrder.Status.BLOCKED):
        return f"Its document is to be made anew. {part.attention}".strip()
    return "" if part.may_go else f"The order does not go out: {part.order.state_reason}"


def _passing(delivery: Delivery) -> str:
    endpoint, order = delivery.endpoint, delivery.supplier_order.order
    if endpoint.opened_at:
        until = timezone.localtime(endpoint.next_attempt_at)
        when = f"left alone until {until:%H:%M}" if until > timezone.now() else "tried with one file now"
        return f"Files do not reach the endpoint: it is {when}. {endpoint.last_error}".strip()
    if order.needs_routing:
        return "The order has changed, or may have: its files are looked at first."
    return ""


def _way_out(delivery: Delivery) -> str:
    supplier = delivery.supplier_order.supplier
    if supplier.endpoint == addressing.destination(delivery):
        return f"Make it active again, or choose another one on the page of {supplier}."
    return "Something of the file may lie there: make it active again until it is sent, or cancel this part."


def _after_another(part: SupplierOrder) -> str:
    """Say which earlier file of the same order must be settled first."""
    earlier = Delivery.objects.filter(
        supplier_order__order=part.order_id,
        supplier_order__supplier=part.supplier_id,
        supplier_order__revision__lt=part.revision,
        status__in=[Delivery.Status.DUE, Delivery.Status.DEAD, Delivery.Status.UNCERTAIN],
    ).first()
    return (
        f"{earlier} of the same order comes first, and it is {earlier.get_status_display().lower()}." if earlier else ""
    )


def _of_the_other_mode(delivery: Delivery) -> str:
    part = delivery.supplier_order
    if part.order.is_test and part.supplier.is_live:
        return (
            f"This is a test order, and {part.supplier} is live. Cancel this part, or take the supplier back to test."
        )
    if not part.order.is_test and not part.supplier.is_live:
        return (
            f"This is a real order, and {part.supplier} is in test mode. Take the supplier live, or cancel this part."
        )
    return ""
