"""What the services begin and end with: the order's lock, a reason, and the attention that is no longer needed."""

from orders import settlement
from orders.services import Refused
from suppliers.models import Delivery, SupplierOrder


def locked(part: SupplierOrder) -> SupplierOrder:
    """Lock the part's order and return the part as it is now."""
    order = settlement.locked(part.order_id)
    fresh = SupplierOrder.objects.select_related("supplier").get(pk=part.pk)
    fresh.order = order
    return fresh


def clear_attention(part: SupplierOrder) -> None:
    """Take the part off “needs attention”."""
    SupplierOrder.objects.filter(pk=part.pk).exclude(attention="").update(attention="")


def reason(text: str) -> str:
    """Return the reason that a person gave. Raises Refused where there is none."""
    if not text.strip():
        raise Refused("Give a reason; whoever looks at this next will want to know.")
    return text.strip()[:300]


def too_late(part: SupplierOrder) -> str:
    """Say why the file of a part cannot be stopped, and what to do."""
    delivery = Delivery.objects.filter(supplier_order=part).select_related("endpoint").first()
    if part.status in SupplierOrder.UNSENT and delivery:
        if delivery.endpoint.closed_at and delivery.status in Delivery.RETRYABLE:
            return (
                f"A restore closed the outbox of {delivery.endpoint}: open it first, for its file may have been sent."
            )
        if delivery.status == Delivery.Status.UNCERTAIN:
            return "Nobody knows yet whether its file arrived. Look on the server, and settle the delivery first."
        if delivery.step == Delivery.Step.RENAMING:
            # One of a group that is renamed file by file; a look may find that this one was not.
            return (
                "Its file is being handed over; whether it can still be stopped shows in a moment. Look again, and if "
                f"it was sent tell {part.supplier} directly."
            )
    return f"Its file is with the supplier already; tell {part.supplier} directly."
