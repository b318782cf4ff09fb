"""Plan the calls that tell a store of a shipment, under the order's lock and all in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Q
from django.utils import timezone

from integrations.shopify.fulfilments import StoreOrder
from orders import matching, placing, shipments, tracking
from orders.models import Fulfilment, Shipment

BUSY = timedelta(seconds=2)
ELSEWHERE = "The store was told of it by somebody else; Hemi recorded that and told nothing."
_Status = Fulfilment.Status


@dataclass(frozen=True)
class Sight:
    """What was seen in the store, and since when."""

    found: StoreOrder
    strangers: Sequence[matching.Stranger]
    read_at: datetime


@dataclass(frozen=True)
class Plan:
    """Rows by call; `was_refused` says that Shopify refused a call of this shipment before."""

    calls: list[list[Fulfilment]]
    was_refused: bool


def plan(shipment: Shipment, sight: Sight) -> Plan | None:
    """Write down what will be called; None where nothing is to be called now, and the shipment says why."""
    if why := _why_later(shipment, sight.read_at):
        shipments.wait(shipment, BUSY, why)
        return None
    if shipment.fulfilments.filter(status__in=[_Status.CALLING, _Status.UNCERTAIN]).exists():
        shipments.block(shipment, shipments.UNCERTAIN)
        return None
    was_refused = bool(shipment.fulfilments.filter(status=_Status.BLOCKED).delete()[0])
    shipment.fulfilments.filter(status=_Status.DUE).delete()
    wanted = shipments.left(shipment)
    if not wanted:
        shipments.close_as_told(shipment, "")
        return None
    placement = placing.place(sight.found, wanted, _place(shipment), _titles(shipment))
    if _is_told_already(shipment, wanted, sight, has_room=not placement.obstacle):
        return None
    if placement.obstacle:
        shipments.block(shipment, placement.obstacle)
        return None
    rows = [
        Fulfilment(shipment=shipment, fulfillment_order_id=order.id, shopify_location_id=order.location_id, lines=lines)
        for order, lines in placement.rows.items()
    ]
    return Plan(by_location(Fulfilment.objects.bulk_create(rows)), was_refused)


def by_location(rows: Iterable[Fulfilment]) -> list[list[Fulfilment]]:
    """Group rows into calls: one for each location, as Shopify wants it."""

    def location(row: Fulfilment) -> int:
        return row.shopify_location_id or 0

    return [list(group) for _, group in groupby(sorted(rows, key=location), key=location)]


def _why_later(shipment: Shipment, read_at: datetime) -> str:
    """Say why another shipment of the order comes first: what the store shows must tell whose call it was."""
    others = Fulfilment.objects.filter(shipment__order=shipment.order_id).exclude(shipment=shipment.pk)
    if others.filter(status=_Status.UNCERTAIN).exists():
        return "Another shipment of the order is uncertain. Settle that one first."
    under_way = Q(status=_Status.CALLING) | Q(status=_Status.DUE, shipment__lease_until__gt=timezone.now())
    is_busy = others.filter(under_way | Q(done_at__gte=read_at)).exists()
    return "Another shipment of the order is being told first." if is_busy else ""


def _is_told_already(shipment: Shipment, wanted: Mapping[int, int], sight: Sight, *, has_room: bool) -> bool:
    since = shipment.created_at if has_room else None
    numbers = tracking.of(shipment).numbers
    is_told, shopify_id = matching.already(wanted, sight.strangers, numbers, since)
    if is_told:
        shipments.account_for(shipment, wanted, shopify_id, ELSEWHERE)
        shipments.close_as_told(shipment, ELSEWHERE)
    return is_told


def _place(shipment: Shipment) -> placing.Place:
    location = shipment.order.account.location
    done = shipment.fulfilments.filter(status=_Status.DONE).values_list("fulfillment_order_id", flat=True)
    taken = frozenset(number for number in done if number)
    if location is None:
        return placing.Place(None, taken=taken)
    return placing.Place(location.shopify_id, location.name, taken)


def _titles(shipment: Shipment) -> dict[int, str]:
    return dict(shipment.order.lines.values_list("shopify_id", "title"))
