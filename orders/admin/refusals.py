"""Why a button of an order is off, in the words in which the services refuse."""

from orders import readiness
from orders.models import Order
from suppliers import parts
from suppliers.services import orders as services

State = Order.State


def hold(order: Order) -> str:
    """Why it cannot be put on hold."""
    if order.held_at:
        return "The order is on hold already."
    if order.state == State.CANCELLED:
        return "The order is cancelled; there is nothing to hold."
    return services.why_over(order)


def release(order: Order) -> str:
    """Why it cannot be released."""
    return "" if order.held_at else "The order is not on hold."


def cancel(order: Order) -> str:
    """Why it cannot be cancelled."""
    return "The order is cancelled already." if order.stopped_at else services.why_over(order)


def route_again(order: Order) -> str:
    """Why the rules are not asked again; nothing stands against it where the account's settings changed meanwhile."""
    sendable = sum(order.lines.values_list("sendable", flat=True))
    is_outdated = readiness.state(order, sendable) != (order.state, order.state_reason)
    return "" if is_outdated else _not_going(order)


def send_to_supplier(order: Order) -> str:
    """Why no line can be sent by hand."""
    if reason := _not_going(order):
        return reason
    if parts.free_lines(order).exists():
        return ""
    return "No line is free: each is with a supplier, fulfilled or removed."


def lift_filter(order: Order) -> str:
    """Why there is nothing to release from the source name filter."""
    return "" if order.state == State.FILTERED else "The source name filter does not hold this order back."


def _not_going(order: Order) -> str:
    return "" if order.state == State.READY else f"The order does not go out: {order.state_reason}"
