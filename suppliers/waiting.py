"""Why a delivery that waits does not go, and what to do about it."""

from suppliers.models import Delivery, SupplierOrder


def reason(delivery: Delivery) -> str:
    """Say what keeps a delivery back besides its turn; empty if nothing does."""
    if delivery.status not in Delivery.RETRYABLE:
        return ""
    if delivery.endpoint.stopped_at:
        return "The endpoint is stopped. Mend what stopped it and restart it."
    if delivery.endpoint.closed_at:
        return "A restore closed the outbox of the endpoint. Open it there, once orders were fetched again."
    if not delivery.endpoint.is_active:
        return "The endpoint is not active. Make it active again first."
    part = delivery.supplier_order
    if part.supplier.paused_at:
        return f"{part.supplier} is paused. Resume it first."
    if part.order.account.paused_at:
        return "The account is paused. Resume it first."
    if delivery.step == Delivery.Step.RENAMING:
        return ""
    return _of_the_other_mode(delivery) or _after_another(part)


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
