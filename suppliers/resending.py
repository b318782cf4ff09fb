"""Whether a sent file may be sent once more, and what its supplier may already have."""

from django.utils.formats import date_format

from orders.models import Order
from suppliers.models import Delivery, SupplierOrder

Status = SupplierOrder.Status
_OVER = {
    Status.CANCELLED: "This part is cancelled. Nothing of it is sent again.",
    Status.REPLACED: "A newer revision has replaced it. Send that one again.",
}


def why_not(delivery: Delivery) -> str:
    """Say why a delivery cannot be sent again; "" if it can."""
    if delivery.redacted_at:
        return "The customer's data was removed, and the document with it: it cannot be sent again."
    if delivery.status != Delivery.Status.SENT:
        return "Only a file that was sent can be sent again."
    part = delivery.supplier_order
    if part.order.state == Order.State.CANCELLED and part.kind != SupplierOrder.Kind.CANCELLATION:
        return f"The order is cancelled: {part.order.state_reason} Nothing of it is sent again."
    if newer := part.replaced_by:
        return f"{newer.reference} is on its way in its place."
    return _OVER.get(Status(part.status), "")


def why_no_correction(part: SupplierOrder) -> str:
    """Say why no new revision can take the place of the part's document; "" if one can."""
    if newer := part.replaced_by:
        return f"{newer.reference} is to replace it already."
    if part.kind == SupplierOrder.Kind.CANCELLATION:
        return "A cancellation has no revision."
    if not part.lines.filter(is_live=True).exists():
        return "None of its lines is with this supplier any more."
    if not part.may_go:
        return f"The order does not go out: {part.order.state_reason}"
    return ""


def what_they_have(delivery: Delivery) -> str:
    """Say what is known of whether the supplier has the file."""
    part = delivery.supplier_order
    sent_at = date_format(delivery.sent_at, "DATETIME_FORMAT") if delivery.sent_at else ""
    said = [f"The file was sent {sent_at}, so {part.supplier} may have it."]
    if delivery.resends:
        said.append(f"It was sent again {'once' if delivery.resends == 1 else f'{delivery.resends} times'} already.")
    if part.status == Status.SENT:
        said.append(f"{part.supplier} has not said that it took it.")
    elif part.replied_at:
        word = part.get_status_display()
        said.append(f"{part.supplier} has it: {word[0].lower()}{word[1:]}, {_time(part)}.")
    if part.supplier.endpoint_id != delivery.endpoint_id:
        where = f"{delivery.endpoint}; {part.supplier} uses {part.supplier.endpoint} now, where a correction goes"
        said.append(f"The same document would go to {where}.")
    if part.supplier_reference:
        said.append(f"The supplier calls it {part.supplier_reference}.")
    return " ".join(said)


def _time(part: SupplierOrder) -> str:
    return date_format(part.replied_at, "DATETIME_FORMAT") if part.replied_at else ""
