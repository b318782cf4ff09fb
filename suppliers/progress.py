"""What a shopper may know of an order: its numbered parts, their state in plain words, and how to follow them.

Nothing here says who makes a part, and nothing that suppliers wrote in words of their own.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from integrations.shopify import carriers
from orders import tracking
from orders.models import Order, OrderLine, Shipment
from suppliers.models import SupplierOrder, SupplierOrderLine
from suppliers.shown_order import ASIDE, Item, Link, Parcel, Part, Progress, State

Status = SupplierOrder.Status
# What is read of them: amounts and addresses would cost more than all the rest.
_OF_LINE = (
    *("order_id", "shopify_id", "position", "title", "variant_title", "quantity", "current", "sendable"),
    *("requires_shipping", "is_gift_card"),
)
_OF_SHIPMENT = ("order_id", "reference", "carrier", "numbers", "urls", "quantities", "created_at")
_DEEPEST = 50  # revisions of one part
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # stores let them through, and browsers draw boxes for them
_OF_STATUS = {
    Status.SENT: State.SENT,
    Status.TAKEN: State.SENT,
    Status.ACCEPTED: State.SENT,  # of a line that the acceptance did not name
    Status.REPLACED: State.SENT,
}


def of(orders: Sequence[Order]) -> list[Progress]:
    """Return the progress of each of the orders, in as many queries for ten as for one."""
    keys = [order.pk for order in orders]
    lines = _by_order(OrderLine.objects.filter(order__in=keys).only(*_OF_LINE).order_by("position"))
    rows = SupplierOrder.objects.filter(order__in=keys).only("order_id", "reference", "status", "replaces_id")
    parts = _by_order(rows.order_by("pk"))
    shipments = _by_order(Shipment.objects.filter(order__in=keys).only(*_OF_SHIPMENT).order_by("pk"))
    allocations: dict[int, list[SupplierOrderLine]] = {}
    for row in SupplierOrderLine.objects.filter(order_line__order__in=keys).order_by("pk"):
        allocations.setdefault(row.supplier_order_id, []).append(row)
    return [
        _Reading(order, lines.get(order.pk, []), parts.get(order.pk, []), allocations).progress(
            shipments.get(order.pk, [])
        )
        for order in orders
    ]


class _Reading:
    """One order's rows, put together."""

    def __init__(
        self,
        order: Order,
        lines: list[OrderLine],
        parts: list[SupplierOrder],
        allocations: dict[int, list[SupplierOrderLine]],
    ) -> None:
        self.order, self.lines = order, lines
        self.parts = {part.pk: part for part in parts}
        self.given = {
            (row.supplier_order_id, row.order_line_id): row for pk in self.parts for row in allocations.get(pk, [])
        }
        self.live = {row.order_line_id: row for row in self.given.values() if row.is_live}

    def progress(self, shipments: list[Shipment]) -> Progress:
        made: dict[tuple[int, int], Part] = {}
        for line in self.lines:
            allocation = self.live.get(line.pk)
            if allocation:
                key, item = (0, self._root(allocation.supplier_order_id)), self._given(line, allocation)
            else:
                item = self._free(line)
                key = (1, list(State).index(item.state))
            made.setdefault(key, Part()).items.append(item)
        for shipment in shipments:
            self._add_parcel(made, shipment)
        parts = _numbered([part for _, part in sorted(made.items(), key=lambda pair: pair[0])])
        order = self.order
        return Progress(order.number, order.placed_at, parts, order.state == Order.State.CANCELLED)

    def _root(self, part_id: int) -> int:
        """Return the first file of a part: later ones replace it and are no parts of their own."""
        for _revision in range(_DEEPEST):
            former = self.parts[part_id].replaces_id
            if former not in self.parts:
                break
            part_id = former
        return part_id

    def _given(self, line: OrderLine, row: SupplierOrderLine) -> Item:
        wanted, shipped = row.confirmed or row.quantity, row.shipped
        missing = 0 if row.confirmed is None else max(row.quantity - row.confirmed, 0)
        if (shipped and shipped >= wanted) or self._is_fulfilled(line):
            state = State.SHIPPED
        elif shipped:
            state = State.PARTLY_SHIPPED
        elif self._is_dropped(line):
            return _item(line, State.CANCELLED)
        elif row.reply_status == Status.REJECTED:
            return _item(line, State.UNAVAILABLE)
        else:
            state = self._state_of(row)
        is_part = state == State.PARTLY_SHIPPED or bool(missing)
        return _item(line, state, shipped=shipped if is_part else 0, unavailable=missing)

    def _state_of(self, row: SupplierOrderLine) -> State:
        """Say how far a line is; until a newer file is sent, what was said to the former one holds."""
        for _revision in range(_DEEPEST):
            part = self.parts[row.supplier_order_id]
            former = self.given.get((part.replaces_id, row.order_line_id)) if part.replaces_id else None
            if part.status not in SupplierOrder.UNSENT or former is None:
                break
            row = former
        if row.reply_status in (Status.ACCEPTED, Status.SHIPPED):
            return State.CONFIRMED
        return _OF_STATUS.get(Status(self.parts[row.supplier_order_id].status), State.RECEIVED)

    def _free(self, line: OrderLine) -> Item:
        """Return a line that no maker has."""
        if self._is_fulfilled(line):
            return _item(line, State.SHIPPED if line.requires_shipping else State.NOT_SHIPPED)
        if self._is_dropped(line):
            return _item(line, State.CANCELLED)
        if line.is_gift_card or not line.requires_shipping:
            return _item(line, State.NOT_SHIPPED)
        if line.sendable < line.current:
            return _item(line, State.PARTLY_SHIPPED, shipped=line.current - line.sendable)
        return _item(line, State.RECEIVED)

    def _is_fulfilled(self, line: OrderLine) -> bool:
        """Tell whether the store itself says that the line is done."""
        return bool(line.current) and not line.sendable and self.order.state != Order.State.CANCELLED

    def _is_dropped(self, line: OrderLine) -> bool:
        return not line.current or self.order.state == Order.State.CANCELLED

    def _add_parcel(self, made: dict[tuple[int, int], Part], shipment: Shipment) -> None:
        lines = {str(line.shopify_id): line for line in self.lines}
        contents = tuple(
            (count, _name(lines[key])) for key, count in shipment.quantities.items() if key in lines and count
        )
        parcel = Parcel(shipment.created_at, carriers.spelling(shipment.carrier), _links(shipment), contents)
        named = [part.pk for part in self.parts.values() if part.reference == shipment.reference]
        key = (0, self._root(named[0])) if named else (0, 0)
        if key not in made:  # shipped although the maker's part was taken back
            items = [_item(lines[name], State.SHIPPED) for name in shipment.quantities if name in lines]
            made[key] = Part(items)
        made[key].parcels.append(parcel)


def _numbered(parts: list[Part]) -> tuple[Part, ...]:
    """Number the parts; what stands aside is put together by its state, behind the others."""
    rows = [part for part in parts if not part.is_aside]
    for state in ASIDE:
        alike = [part for part in parts if part.state == state]
        if alike:
            items = [item for part in alike for item in part.items]
            rows.append(Part(items, [parcel for part in alike for parcel in part.parcels]))
    for number, part in enumerate(rows, start=1):
        part.number = number
    return tuple(rows)


def _item(line: OrderLine, state: State, *, shipped: int = 0, unavailable: int = 0) -> Item:
    quantity = line.current or line.quantity
    return Item(_plain(line.title), _plain(line.variant_title), quantity, state, shipped, unavailable)


def _name(line: OrderLine) -> str:
    title, variant = _plain(line.title), _plain(line.variant_title)
    return f"{title} ({variant})" if variant else title


def _plain(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _links(shipment: Shipment) -> tuple[Link, ...]:
    pairs = zip_longest(shipment.numbers, shipment.urls, fillvalue="")
    links = (Link(number, url if tracking.is_address(url) else "") for number, url in pairs)
    return tuple(link for link in links if link.number or link.url)


def _by_order(rows: Iterable) -> dict[int, list]:
    found: dict[int, list] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(row)
    return found
