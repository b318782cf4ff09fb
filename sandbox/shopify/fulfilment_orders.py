"""The fulfilment orders of an order: what is to be sent from which location, and what stands in the way."""

from copy import deepcopy
from datetime import UTC, datetime

from sandbox.shopify.publishing import Publisher
from sandbox.shopify.state import State

OPEN = ("OPEN", "IN_PROGRESS")
_ACTIONS = {
    "OPEN": ["CREATE_FULFILLMENT", "MOVE", "HOLD", "SPLIT"],
    "IN_PROGRESS": ["CREATE_FULFILLMENT", "MOVE"],
    "ON_HOLD": ["RELEASE_HOLD", "HOLD"],
    "SCHEDULED": ["MARK_AS_OPEN"],
}


def first_id(order: dict) -> int:
    """Return the id of an order's first fulfilment order."""
    return order["id"] + 500


def actions(row: dict) -> list[str]:
    """Return what can be done with a fulfilment order."""
    return _ACTIONS.get(row["status"], [])


class FulfilmentOrders:
    """Make an order's fulfilment orders when somebody looks at them, and keep them in line with the order."""

    def __init__(self, state: State, publisher: Publisher) -> None:
        self._state = state
        self._publisher = publisher

    def of(self, shop: str, order_id: int) -> list[dict]:
        """Return the fulfilment orders of an order, themselves and not a copy."""
        with self._state.lock:
            store = self._state.shops[shop]
            order = store.orders[order_id]
            rows = store.fulfilment_orders.setdefault(order_id, [])
            if not rows:
                rows.append(self._first(order, next(row["id"] for row in store.locations if row["isActive"])))
            _follow(rows, order)
            return rows

    def find(self, shop: str, number: int) -> dict | None:
        """Return a fulfilment order by its id."""
        with self._state.lock:
            store = self._state.shops[shop]
            is_first = number - 500 in store.orders
            order_ids = [number - 500] if is_first else list(store.fulfilment_orders)
            rows = [row for order_id in order_ids for row in self.of(shop, order_id)]
            return next((row for row in rows if row["id"] == number), None)

    def hold(self, shop: str, order_id: int, reason: str = "OTHER", words: str = "Waiting for stock") -> None:
        """Put what is open of an order on hold."""
        self._turn(shop, order_id, OPEN, "ON_HOLD", "placed_on_hold", [{"reason": reason, "words": words}])

    def release(self, shop: str, order_id: int) -> None:
        """Release what is on hold of an order."""
        self._turn(shop, order_id, ("ON_HOLD",), "OPEN", "hold_released", [])

    def close(self, shop: str, order_id: int) -> None:
        """Close what is open of an order, as a fulfilment service does with what it cannot send."""
        self._turn(shop, order_id, OPEN, "INCOMPLETE", "cancelled", [])

    def move(self, shop: str, order_id: int, location: int) -> None:
        """Move what is open of an order to another of the shop's locations, by its number from 0."""
        with self._state.lock:
            place = self._state.shops[shop].locations[location]["id"]
            rows = [row for row in self.of(shop, order_id) if row["status"] in OPEN]
            for row in rows:
                row["location_id"] = place
        for row in rows:
            body = {"original_fulfillment_order": _named(row), "moved_fulfillment_order": _named(row)}
            self._publisher.emit("fulfillment_orders/moved", shop, body)

    def split(self, shop: str, order_id: int, quantities: dict[int, int], location: int = 0) -> int:
        """Take pieces by line id out of an order's first fulfilment order into one of their own; return its id."""
        with self._state.lock:
            rows = self.of(shop, order_id)
            place = self._state.shops[shop].locations[location]["id"]
            made = {**deepcopy(rows[0]), "id": self._state.next_id(), "location_id": place, "lines": []}
            for line in rows[0]["lines"]:
                if count := quantities.get(line["line_id"], 0):
                    line["remaining"] -= count
                    line["total"] -= count
                    made["lines"].append({**line, "id": self._state.next_id(), "total": count, "remaining": count})
            rows[0]["lines"] = [line for line in rows[0]["lines"] if line["total"]]
            rows.append(made)
        return made["id"]

    def _first(self, order: dict, location_id: int) -> dict:
        lines = [
            {"id": self._state.next_id(), "line_id": line["id"], "total": count, "remaining": count}
            for line in order["line_items"]
            if (count := line["fulfillable_quantity"])
        ]
        named = {"id": first_id(order), "order_id": order["id"], "location_id": location_id}
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return {**named, "status": "OPEN", "holds": [], "lines": lines, "created_at": moment}

    def _turn(
        self, shop: str, order_id: int, before: tuple[str, ...], after: str, topic: str, holds: list[dict]
    ) -> None:
        with self._state.lock:
            rows = [row for row in self.of(shop, order_id) if row["status"] in before]
            for row in rows:
                row["status"], row["holds"] = after, holds
        for row in rows:
            self._publisher.emit(f"fulfillment_orders/{topic}", shop, {"fulfillment_order": _named(row)})


def _named(row: dict) -> dict:
    return {"id": f"gid://shopify/FulfillmentOrder/{row['id']}", "status": row["status"].lower()}


def _follow(rows: list[dict], order: dict) -> None:
    """Let no more be left to fulfil than the order's lines say, which edits, refunds and cancellations lower."""
    for line in order["line_items"]:
        left = 0 if order["cancelled_at"] else line["fulfillable_quantity"]
        for row in rows:
            for part in row["lines"]:
                if part["line_id"] == line["id"]:
                    part["remaining"] = min(part["remaining"], left)
                    left -= part["remaining"]
    for row in rows:
        if row["status"] in (*OPEN, "ON_HOLD") and not any(part["remaining"] for part in row["lines"]):
            row["status"] = "CANCELLED" if order["cancelled_at"] else "CLOSED"
