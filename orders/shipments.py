"""Take what a supplier says it has shipped: one shipment for each despatch, told once, to be told to the store."""

from collections.abc import Mapping, Sequence

from hemi.lib import queue
from orders import timeline
from orders.models import Order, Shipment

OF_A_SAMPLE = "Hemi made this order to try a supplier with; no store knows it."


def record(
    order: Order,
    *,
    reference: str,
    despatch: str,
    carrier: str = "",
    numbers: Sequence[str] = (),
    urls: Sequence[str] = (),
    quantities: Mapping[int | str, int],
) -> Shipment | None:
    """Keep one despatch of a supplier order, in the caller's transaction and under the order's lock.

    `quantities` are pieces by Shopify's line id; `numbers` and `urls` are paired by position. Return None, and change
    nothing, where this despatch is known already or holds no piece.
    """
    said = {
        "carrier": " ".join(carrier.split())[:100],
        "numbers": [" ".join(number.split())[:200] for number in numbers],
        "urls": [url.strip()[:2000] for url in urls],
        "quantities": {str(line): int(count) for line, count in quantities.items() if int(count) > 0},
    }
    if not said["quantities"]:
        return None
    fate = {"status": Shipment.Status.NOTHING, "note": OF_A_SAMPLE} if order.is_sample else {}
    shipment, is_new = Shipment.objects.get_or_create(
        reference=reference[:60], despatch=despatch[:200], defaults={"order": order, **said, **fate}
    )
    if not is_new:
        _note_difference(shipment, said)
        return None
    timeline.record(order, "shipped", _sentence(shipment), reference=shipment.reference)
    if not order.is_sample:
        queue.kick("orders.fulfil")
    return shipment


def pieces(shipment: Shipment) -> int:
    """Return how many pieces the shipment holds."""
    return sum(shipment.quantities.values())


def _note_difference(shipment: Shipment, said: dict[str, object]) -> None:
    if any(getattr(shipment, name) != value for name, value in said.items()):
        text = f"The supplier told shipment {shipment.despatch} again with other contents; the first ones count."
        if not shipment.order.events.filter(kind="shipped_otherwise", text=text).exists():
            timeline.record(shipment.order, "shipped_otherwise", text, reference=shipment.reference)


def _sentence(shipment: Shipment) -> str:
    count = pieces(shipment)
    by = f" by {shipment.carrier}" if shipment.carrier else ""
    tracking = (
        f", tracking {', '.join(number for number in shipment.numbers if number)}" if any(shipment.numbers) else ""
    )
    return f"Shipment {shipment.despatch}: {count} {'piece' if count == 1 else 'pieces'}{by}{tracking}."
