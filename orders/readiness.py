"""Whether an order goes out. It follows from the order's state, never from the topic that brought it."""

from datetime import timedelta

from django.conf import settings

from orders.models import Order

State = Order.State
_UNDONE = {"voided": "The payment was voided.", "refunded": "The payment was refunded."}


def state(order: Order, sendable: int) -> tuple[str, str]:
    """Return the state and its reason in words; `sendable` is how many pieces are neither fulfilled nor removed."""
    found = _cancelled(order) or (None if order.is_sample else _redacted(order))
    return found or _of_whole(order, sendable)


def is_owed(order: Order, sendable: int) -> bool:
    """Tell whether an order would go out, had its customer's data not been removed before."""
    return (
        bool(order.redacted_at) and not _cancelled(order) and _of_whole(order, sendable)[0] in (State.READY, State.HELD)
    )


def _of_whole(order: Order, sendable: int) -> tuple[str, str]:
    found = None if order.is_sample else _too_old(order) or _filtered(order)
    if found:
        return found
    if not sendable:
        return State.NOTHING, "Every line is fulfilled or removed."
    if order.held_at:
        return State.HELD, f"On hold: {order.hold_reason}"
    return _unpaid(order) or (State.READY, "")


def _cancelled(order: Order) -> tuple[str, str] | None:
    if order.stopped_at:
        return State.CANCELLED, f"Cancelled by staff: {order.stop_reason}"
    if order.cancelled_at:
        return State.CANCELLED, "Cancelled in the store."
    return None


def _redacted(order: Order) -> tuple[str, str] | None:
    return (State.NOTHING, "Its customer's personal data was removed.") if order.redacted_at else None


def _too_old(order: Order) -> tuple[str, str] | None:
    cut_over = order.account.orders_from
    if cut_over is None:
        return State.TOO_OLD, "The account is not authorised yet; orders go out from its first authorisation on."
    if order.placed_at < cut_over:
        return State.TOO_OLD, f"Placed before the account's cut-over ({cut_over:%Y-%m-%d %H:%M} UTC)."
    kept_from = order.stored_at - timedelta(days=settings.ORDER_RETENTION_DAYS)
    if max(order.placed_at, order.account.created_at) < kept_from:  # it may have been here, sent, and deleted since
        return State.TOO_OLD, f"Placed more than {settings.ORDER_RETENTION_DAYS} days ago, longer than orders are kept."
    return None


def _filtered(order: Order) -> tuple[str, str] | None:
    names = order.account.source_names
    if not names or order.is_filter_lifted or order.source_name.casefold() in names:
        return None
    return State.FILTERED, f"Its source “{order.source_name or 'none'}” is not in the account's source name filter."


def _unpaid(order: Order) -> tuple[str, str] | None:
    if undone := _UNDONE.get(order.financial_status):
        return State.UNPAID, undone
    if order.account.release_when != order.account.ReleaseWhen.PAID:
        return None
    return None if order.paid_at else (State.UNPAID, "Not paid yet.")
