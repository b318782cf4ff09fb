"""What the services begin and end with: the order's lock, a reason, and the attention that is no longer needed."""

from orders import settlement
from orders.services import Refused
from suppliers.models import SupplierOrder

OVER = "Its file is being handed over or is with the supplier already; tell {} directly."


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
