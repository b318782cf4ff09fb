"""Lock an order, and settle what follows from its newest facts: its state, its timeline, its routing."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from hemi.lib import queue
from orders import readiness, timeline
from orders.models import Order


def locked(pk: int) -> Order:
    """Return the order, locked until the transaction ends (SQLite's transactions lock the whole database anyway)."""
    return Order.objects.select_for_update(of=("self",), no_key=True).select_related("account").get(pk=pk)


def lock_free(pks: Iterable[int]) -> set[int]:
    """Lock those of the orders that nobody else has locked, until the transaction ends, and return which."""
    rows = Order.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=set(pks))
    return set(rows.order_by("pk").values_list("pk", flat=True))


def settle(order: Order, *fields: str) -> Order:
    """Work out the locked order's state, save it with `fields` and ask for routing."""
    order.needs_routing, order.attempts, order.next_attempt_at = True, 0, timezone.now()
    update_state(order, *fields, "needs_routing", "attempts", "next_attempt_at")
    queue.kick("suppliers.route")
    return order


def update_state(order: Order, *fields: str) -> None:
    """Work out the locked order's state, say on its timeline when it does not go out, save it with `fields`."""
    before = order.state, order.state_reason
    sendable = sum(order.lines.values_list("sendable", flat=True))
    order.state, order.state_reason = readiness.state(order, sendable)
    if (order.state, order.state_reason) != before and order.state != Order.State.READY:
        timeline.record(order, "not_sent", f"Not going out: {order.state_reason}")
    if fields or (order.state, order.state_reason) != before:
        order.save(update_fields=[*fields, "state", "state_reason"])


def refresh_account(account_id: int) -> int:
    """Look again at what an account's changed settings may let out or hold back; return how many orders that are."""
    waiting = Q(state__in=[Order.State.UNPAID, Order.State.FILTERED, Order.State.TOO_OLD])
    # Of those that go out only what is not all with suppliers: most are, and nothing holds these back any more.
    unsent = Q(supplier_orders__status__in=("waiting", "blocked", "ready")) | ~Q(attention="")
    going = Q(state=Order.State.READY) & unsent
    wanted = Order.objects.filter(waiting | going, account_id=account_id).values("pk")
    count = Order.objects.filter(pk__in=wanted).update(needs_routing=True, attempts=0, next_attempt_at=timezone.now())
    queue.kick("suppliers.route")
    return count
