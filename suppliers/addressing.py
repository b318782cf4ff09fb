"""Where a file goes that nobody has seen: as its supplier and its endpoint want it today, not when it was made.

Nothing of such a file lies on any server, so that a folder or a name that was wrong, or a supplier that has moved, does
not keep it for ever where it cannot arrive.
"""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from hemi.lib import queue
from orders import timeline
from orders.timeline import Happening
from suppliers import naming, turns
from suppliers.models import Delivery, Endpoint

BATCH = 200  # deliveries in one transaction
_UNSEEN = Q(status__in=Delivery.RETRYABLE, temporary_name="", claim_token="", redacted_at=None) & ~Delivery.HANDED_OVER
# After a restore a file may have gone under the name that it has; the journal knows it by that.
_LOOKED_UP = Q(endpoint__closed_at=None)


def follow(deliveries: QuerySet[Delivery]) -> int:
    """Take those of the deliveries that nobody has seen to where they are wanted; return how many that moved."""
    found = list(deliveries.filter(_UNSEEN, _LOOKED_UP).values_list("pk", "supplier_order__order"))
    return sum(_follow(dict(found[start : start + BATCH])) for start in range(0, len(found), BATCH))


def destination(delivery: Delivery) -> Endpoint:
    """Return the endpoint to which a delivery would go if a person asked for it now."""
    wanted = delivery.supplier_order.supplier.endpoint
    if wanted == delivery.endpoint:
        return wanted
    return wanted if Delivery.objects.filter(_UNSEEN, _LOOKED_UP, pk=delivery.pk).exists() else delivery.endpoint


def of_locked(pks: Iterable[int]) -> int:
    """The same of deliveries whose orders are locked: nobody claims one while its address changes."""
    rows = Delivery.objects.filter(_UNSEEN, _LOOKED_UP, pk__in=list(pks)).select_related(
        "endpoint", "supplier_order__supplier__endpoint", "supplier_order__order"
    )
    moved = [row for row in rows if _move(row)]
    timeline.record_all(_told(delivery) for delivery in moved)
    for endpoint_id in {delivery.endpoint_id for delivery in moved}:
        queue.kick("suppliers.deliver", endpoint_id)
    return len(moved)


def _follow(orders: dict[int, int]) -> int:
    counts = []

    def write(locked: set[int]) -> None:
        counts.append(of_locked([pk for pk, order_id in orders.items() if order_id in locked]))

    turns.each(orders.values(), write)
    return sum(counts)


def _move(delivery: Delivery) -> bool:
    part = delivery.supplier_order
    endpoint = part.supplier.endpoint
    try:
        name = naming.final_name(endpoint, part, delivery.final_name.rpartition(".")[2])
    except naming.InvalidName:
        return False
    wanted = {"endpoint": endpoint, "folder": endpoint.orders_folder, "final_name": name}
    wanted["done_name"] = naming.done_name(endpoint, name)
    if all(getattr(delivery, column) == value for column, value in wanted.items()):
        return False
    for column, value in wanted.items():
        setattr(delivery, column, value)
    return bool(Delivery.objects.filter(_UNSEEN, pk=delivery.pk).update(**wanted))


def _told(delivery: Delivery) -> Happening:
    part = delivery.supplier_order
    folder = f", “{delivery.folder}”" if delivery.folder else ""
    text = f"Its file goes to {delivery.endpoint}{folder} now, as {delivery.final_name}."
    return Happening(part.order, "readdressed", text, part.reference)
