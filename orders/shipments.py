"""Take what a supplier says it has shipped: one shipment for each despatch, told once, to be told to the store."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from hemi.lib import queue
from integrations.models import WebhookEvent
from orders import reachable, timeline
from orders.models import Fulfilment, Order, Shipment

UNCERTAIN = (
    "Shopify was asked to record it and did not answer, and what the store shows now does not tell whether it did. "
    "Compare the order in the store, then choose Settle."
)
ADD_TRACKING = (
    "Tracking came after the store was told, and which of its fulfilments it belongs to is not known. Add it in the "
    "store ({}), then choose Settle."
)
MISSING_SCOPE = "Mend the account's access, then try again."
OF_A_SAMPLE = "Hemi made this order to try a supplier with; no store knows it."


def record(
    order: Order,
    *,
    reference: str,
    despatch: str,
    carrier: str = "",
    numbers: Sequence[str] = (),
    urls: Sequence[str] = (),
    quantities: Mapping[int, int],
) -> Shipment | None:
    """Keep one despatch of a supplier order, in the caller's transaction and under the order's lock.

    `quantities` are pieces by Shopify's line id; `numbers` and `urls` are paired by position. Return None, and change
    nothing, where this despatch is known already or holds no piece.
    """
    said = {**_tracking(order, carrier, numbers, urls), "quantities": _stored(quantities)}
    if not said["quantities"]:
        return None
    fate = {"status": Shipment.Status.NOTHING, "note": OF_A_SAMPLE} if order.is_sample else {}
    shipment, is_new = Shipment.objects.get_or_create(
        reference=reference[:60], despatch=despatch[:200], defaults={"order": order, **said, **fate}
    )
    if not is_new:
        return None
    timeline.record(order, "shipped", _sentence(shipment), reference=shipment.reference)
    if not order.is_sample:
        queue.kick("orders.fulfil")
    return shipment


def known(reference: str, despatch: str, quantities: Mapping[int, int], numbers: Sequence[str]) -> Shipment | None:
    """Return the shipment of this number, in the caller's transaction and under the order's lock.

    One of the same pieces that was told without a number and without tracking is taken for it, and gets the number;
    one of the same pieces and tracking numbers is taken for it, too: a parcel has one number.
    """
    rows = Shipment.objects.filter(reference=reference).select_related("order__account")
    if found := rows.filter(despatch=despatch[:200]).first():
        return found
    alike = [shipment for shipment in rows if shipment.quantities == _stored(quantities)]
    for shipment in alike:
        if shipment.despatch.startswith(f"{reference}/") and not any(shipment.numbers):
            shipment.despatch = despatch[:200]
            shipment.save(update_fields=["despatch"])
            return shipment
    told = set(filter(None, numbers))
    return next((shipment for shipment in alike if told and told == set(filter(None, shipment.numbers))), None)


def add_tracking(shipment: Shipment, carrier: str, numbers: Sequence[str], urls: Sequence[str]) -> bool:
    """Keep tracking numbers that come later than their shipment, and have the store told. False: there are none.

    Numbers that contradict the first ones are not taken. Under the order's lock.
    """
    said = _tracking(shipment.order, carrier, numbers, urls)
    if not set(filter(None, shipment.numbers)) < set(filter(None, said["numbers"])):
        return False
    shipment.carrier = said["carrier"] or shipment.carrier
    shipment.numbers, shipment.urls = said["numbers"], said["urls"]
    shipment.save(update_fields=["carrier", "numbers", "urls"])
    timeline.record(shipment.order, "tracked", f"Tracking was added. {_sentence(shipment)}", shipment.reference)
    if shipment.status != Shipment.Status.NOTHING:
        shipment.fulfilments.exclude(status=Fulfilment.Status.DUE).update(is_tracking_due=True)
        if shipment.status == Shipment.Status.TOLD:
            again = {"status": Shipment.Status.WAITING, "attempts": 0, "next_attempt_at": timezone.now()}
            Shipment.objects.filter(pk=shipment.pk).update(**again)
        queue.kick("orders.fulfil")
    return True


def pieces(shipment: Shipment) -> int:
    """Return how many pieces the shipment holds."""
    return sum(shipment.quantities.values())


def _tracking(order: Order, carrier: str, numbers: Sequence[str], urls: Sequence[str]) -> dict[str, Any]:
    return {
        "carrier": " ".join(carrier.split())[:100],
        "numbers": [" ".join(number.split())[:200] for number in numbers],
        "urls": [] if order.redacted_at else [url.strip()[:2000] for url in urls],
    }


def _stored(quantities: Mapping[int, int]) -> dict[str, int]:
    return {str(line): int(count) for line, count in quantities.items() if int(count) > 0}


def _sentence(shipment: Shipment) -> str:
    count = pieces(shipment)
    by = f" by {shipment.carrier}" if shipment.carrier else ""
    tracking = (
        f", tracking {', '.join(number for number in shipment.numbers if number)}" if any(shipment.numbers) else ""
    )
    return f"Shipment {shipment.despatch}: {count} {'piece' if count == 1 else 'pieces'}{by}{tracking}."


def left(shipment: Shipment) -> dict[int, int]:
    """Return the pieces that the store was not told of yet, by Shopify's line id."""
    wanted = {int(line): count for line, count in shipment.quantities.items()}
    for row in shipment.fulfilments.filter(status=Fulfilment.Status.DONE):
        for line in row.lines:
            wanted[line["line"]] = wanted.get(line["line"], 0) - line["quantity"]
    return {line: count for line, count in wanted.items() if count > 0}


def accounted(order: Order) -> set[int]:
    """Return Shopify's ids of the fulfilments that shipments of the order stand for."""
    rows = Fulfilment.objects.filter(shipment__order=order, status=Fulfilment.Status.DONE)
    return {number for number in rows.values_list("shopify_id", flat=True) if number}


def account_for(shipment: Shipment, wanted: Mapping[int, int], shopify_id: int | None, note: str) -> None:
    """Record pieces that the store knows of otherwise than by Hemi's call."""
    lines = [{"line": line, "quantity": count} for line, count in wanted.items()]
    told = {"status": Fulfilment.Status.DONE, "done_at": timezone.now(), "shopify_id": shopify_id, "note": note[:500]}
    Fulfilment.objects.create(shipment=shipment, lines=lines, **told)


def close_as_told(shipment: Shipment, note: str, *, by: Any = None) -> None:
    """Record that the store knows of the whole shipment. Under the order's lock."""
    if shipment.fulfilments.filter(is_tracking_due=True).exists():  # it came while the store was told
        wait(shipment, timedelta(), "")
        return
    _close(shipment, Shipment.Status.TOLD, note, told_at=timezone.now())
    count = pieces(shipment)
    said = note or f"{count} {'piece' if count == 1 else 'pieces'} told to {shipment.order.account.domain}."
    timeline.record(shipment.order, "told", f"Shipment {shipment.despatch}: {said}", shipment.reference, by)


def block(shipment: Shipment, note: str) -> None:
    """Have a person look, with what stands in the way and what to do. Under the order's lock."""
    is_news = shipment.note != note[:500]
    _close(shipment, Shipment.Status.BLOCKED, note)
    if is_news:
        said = f"Shipment {shipment.despatch} was not told to the store: {note}"
        timeline.record(shipment.order, "not_told", said, shipment.reference)


def wait(shipment: Shipment, pause: timedelta, why: str) -> None:
    """Let it come again after a pause."""
    shipment.claim_token, shipment.lease_until, shipment.last_error = "", None, why
    shipment.next_attempt_at = timezone.now() + pause
    shipment.save(update_fields=["claim_token", "lease_until", "last_error", "next_attempt_at"])


def look_again(order: Order) -> None:
    """Try the shipments again that something in the store stood against, for the order changed there."""
    blocked = order.shipments.filter(status=Shipment.Status.BLOCKED)
    try_again(blocked.exclude(fulfilments__status=Fulfilment.Status.UNCERTAIN))


def take_scopes(event: WebhookEvent) -> None:
    """Try the shipments again that a missing scope may have stood against: the app was granted others."""
    try_again(
        Shipment.objects.filter(
            status=Shipment.Status.BLOCKED, order__account=event.account, note__endswith=MISSING_SCOPE
        )
    )


def try_again(rows: QuerySet[Shipment]) -> int:
    """Make blocked shipments due; return how many."""
    due = {"status": Shipment.Status.WAITING, "attempts": 0, "next_attempt_at": timezone.now(), "last_error": ""}
    if count := Shipment.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(**due):
        queue.kick("orders.fulfil")
    return count


def why_it_waits(shipment: Shipment) -> str:
    """Say what keeps a shipment back besides its turn; empty if nothing does."""
    return why_not_yet(shipment) or shipment.last_error if shipment.status == Shipment.Status.WAITING else ""


def why_not_yet(shipment: Shipment) -> str:
    """Say why the store cannot be told of anything now; blank if it can."""
    account = shipment.order.account
    return "The account is paused. Resume it first." if account.paused_at else reachable.why_not(account)


def _close(shipment: Shipment, status: str, note: str, **more: object) -> None:
    values = {"status": status, "note": note[:500], "claim_token": "", "lease_until": None, "last_error": "", **more}
    for name, value in values.items():
        setattr(shipment, name, value)
    shipment.save(update_fields=[*values])
