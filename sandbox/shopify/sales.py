"""What buyers and merchants do with orders, each step announced by webhook."""

import random
from copy import deepcopy
from datetime import UTC, datetime

from sandbox.shopify.orders import make_order
from sandbox.shopify.publishing import Publisher
from sandbox.shopify.state import State


class Sales:
    """The orders of all shops; numbers run through the sandbox, so that no id comes twice."""

    def __init__(self, state: State, publisher: Publisher, seed: int, first_number: int) -> None:
        self._state = state
        self._publisher = publisher
        self._rng = random.Random(seed)
        self._next_number = first_number

    def place_order(self, shop: str, variant: str = "plain", announce: bool = True, **changes: object) -> dict:
        """Let somebody buy: the order is stored, orders/create (and orders/paid) go out."""
        with self._state.lock:
            number, self._next_number = self._next_number, self._next_number + 1
            order = make_order(number, variant, self._rng, datetime.now(UTC)) | changes
            self._state.shops[shop].orders[order["id"]] = order
        if announce:
            self._publisher.emit("orders/create", shop, order)
            if order["financial_status"] == "paid":
                self._publisher.emit("orders/paid", shop, order)
        return deepcopy(order)

    def update_order(self, shop: str, order_id: int, topics: tuple[str, ...] = (), **changes: object) -> dict:
        """Change fields of an order; orders/updated goes out after the `topics`."""
        with self._state.lock:
            orders = self._state.shops[shop].orders
            order = orders[order_id] = orders[order_id] | {"updated_at": _now()} | changes
        for topic in (*topics, "orders/updated"):
            self._publisher.emit(topic, shop, order)
        return deepcopy(order)

    def pay_order(self, shop: str, order_id: int) -> dict:
        """Mark an order as paid; orders/paid goes out."""
        return self.update_order(shop, order_id, ("orders/paid",), financial_status="paid", total_outstanding="0.00")

    def cancel_order(self, shop: str, order_id: int, reason: str = "customer") -> dict:
        """Cancel an order; orders/cancelled goes out."""
        was_paid = self._state.shops[shop].orders[order_id]["financial_status"] == "paid"
        changes = {
            "cancelled_at": _now(),
            "cancel_reason": reason,
            "financial_status": "refunded" if was_paid else "voided",
        }
        return self.update_order(shop, order_id, ("orders/cancelled",), **changes)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
