"""Fulfilments: what was sent, as an app tells it by fulfillmentCreate or the merchant's staff by hand."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.shopify.fulfilment_orders import FulfilmentOrders, actions
from sandbox.shopify.publishing import Publisher
from sandbox.shopify.sales import Sales
from sandbox.shopify.state import State


@dataclass
class Parcel:
    """What is sent: pieces by fulfilment order and its line, and how it can be followed."""

    lines: dict[int, dict[int, int]]
    company: str | None = None
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    is_buyer_told: bool = False


class Fulfilment:
    """Check what somebody wants to fulfil, carry it out, and tell the world."""

    def __init__(self, state: State, publisher: Publisher, sales: Sales, orders: FulfilmentOrders) -> None:
        self._state = state
        self._publisher = publisher
        self._sales = sales
        self._orders = orders

    def create(self, shop: str, parcel: Parcel) -> tuple[dict | None, str]:
        """Return the fulfilment, or None and why Shopify would not make it; nothing is changed then."""
        with self._state.lock:
            rows = {number: self._orders.find(shop, number) for number in parcel.lines}
            if error := _error(rows, parcel):
                return None, error
            found = [row for row in rows.values() if row]
            taken = _take(found, parcel)
            made = self._store(shop, found[0], taken, parcel)
        self._publisher.emit("fulfillments/create", shop, made)
        return deepcopy(made), ""

    def follow(self, shop: str, number: int, parcel: Parcel) -> dict | None:
        """Give a fulfilment the parcel's tracking; None if there is no such fulfilment."""
        with self._state.lock:
            store = self._state.shops[shop]
            rows = [(order, row) for order in store.orders.values() for row in order["fulfillments"]]
            order, row = next(((order, row) for order, row in rows if row["id"] == number), (None, None))
            if order is None or row is None:
                return None
            row.update(_tracking(parcel))
            if parcel.is_buyer_told:
                store.confirmations.append({"order": order["name"], "to": order["email"], "fulfilment": number})
            self._sales.update_order(shop, order["id"], (), fulfillments=order["fulfillments"])
            made = deepcopy(row)
        self._publisher.emit("fulfillments/update", shop, made)
        return made

    def by_hand(self, shop: str, order_id: int, quantities: dict[int, int] | None = None, **tracking: str) -> dict:
        """Let the merchant's staff mark pieces by line id as sent; all that is left, if they are not named."""
        wanted = dict(quantities) if quantities else None
        lines: dict[int, dict[int, int]] = {}
        with self._state.lock:
            for row in self._orders.of(shop, order_id):
                for line in row["lines"]:
                    count = (
                        line["remaining"] if wanted is None else min(line["remaining"], wanted.get(line["line_id"], 0))
                    )
                    if count:
                        lines.setdefault(row["id"], {})[line["id"]] = count
                        if wanted is not None:
                            wanted[line["line_id"]] -= count
            number = tracking.get("number")
            made, error = self.create(shop, Parcel(lines, tracking.get("company"), [number] if number else []))
        if made is None:
            raise ValueError(error)
        return made

    def _store(self, shop: str, row: dict, taken: dict[int, int], parcel: Parcel) -> dict:
        store = self._state.shops[shop]
        order = store.orders[row["order_id"]]
        made = _fulfilment(self._state.next_id(), order, row, taken, parcel)
        lines = [_sent(line, taken.get(line["id"], 0)) for line in order["line_items"]]
        left = sum(line["fulfillable_quantity"] for line in lines)
        changes = {
            "line_items": lines,
            "fulfillments": [*order["fulfillments"], made],
            "fulfillment_status": "partial" if left else "fulfilled",
        }
        if parcel.is_buyer_told:
            store.confirmations.append({"order": order["name"], "to": order["email"], "fulfilment": made["id"]})
        self._sales.update_order(
            shop, order["id"], ("orders/partially_fulfilled" if left else "orders/fulfilled",), **changes
        )
        for line in row["lines"]:
            if line["remaining"] and row["status"] == "OPEN":
                row["status"] = "IN_PROGRESS"
        self._orders.of(shop, order["id"])
        return made


def _error(rows: dict[int, dict | None], parcel: Parcel) -> str:
    found = [row for row in rows.values() if row]
    if not found or len(found) < len(rows):
        return "Fulfillment order does not exist."
    if len({row["order_id"] for row in found}) > 1:
        return "All fulfillment orders must belong to the same order."
    if len({row["location_id"] for row in found}) > 1:
        return "All fulfillment orders must be assigned to the same location."
    for row in found:
        if "CREATE_FULFILLMENT" not in actions(row):
            return f"Fulfillment order {row['id']} has an unfulfillable status= {row['status'].lower()}."
        left = {line["id"]: line["remaining"] for line in row["lines"]}
        wanted = parcel.lines[row["id"]] or left
        if any(not 0 < count <= left.get(line, 0) for line, count in wanted.items()):
            return "Invalid fulfillment order line item quantity requested."
    return ""


def _take(rows: Iterable[dict], parcel: Parcel) -> dict[int, int]:
    """Lower what is left to fulfil, and return the pieces by the order's line."""
    taken: dict[int, int] = {}
    for row in rows:
        wanted = parcel.lines[row["id"]] or {line["id"]: line["remaining"] for line in row["lines"]}
        for line in row["lines"]:
            count = wanted.get(line["id"], 0)
            line["remaining"] -= count
            if count:
                taken[line["line_id"]] = taken.get(line["line_id"], 0) + count
    return taken


def _sent(line: dict, count: int) -> dict:
    if not count:
        return line
    left = line["fulfillable_quantity"] - count
    return line | {"fulfillable_quantity": left, "fulfillment_status": "partial" if left else "fulfilled"}


def _fulfilment(number: int, order: dict, row: dict, taken: dict[int, int], parcel: Parcel) -> dict:
    """Return it as the webhook fulfillments/create carries it."""
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [line | {"quantity": taken[line["id"]]} for line in order["line_items"] if line["id"] in taken]
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{number}",
        "order_id": order["id"],
        "name": f"{order['name']}-F{len(order['fulfillments']) + 1}",
        "status": "success",
        "created_at": moment,
        "updated_at": moment,
        "service": "manual",
        "location_id": row["location_id"],
        "shipment_status": None,
        **_tracking(parcel),
        "receipt": {},
        "line_items": lines,
        "notify_customer": parcel.is_buyer_told,
    }


def _tracking(parcel: Parcel) -> dict:
    return {
        "tracking_company": parcel.company,
        "tracking_number": next(iter(parcel.numbers), None),
        "tracking_numbers": list(parcel.numbers),
        "tracking_url": next(iter(parcel.urls), None),
        "tracking_urls": list(parcel.urls),
    }
