"""Write of many orders' files at once, or of one, without waiting for anybody while holding what they wait for.

The lock order (suppliers/parts.py) begins with the order's row. A group takes the orders that nobody is at, all in one
transaction, and waits for the others one by one.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction

from orders import settlement


def each(order_ids: Iterable[int], write: Callable[[set[int]], None]) -> None:
    """Call `write` with orders that are locked, each of them once: in one transaction if nobody is at them."""
    wanted = set(order_ids)
    with transaction.atomic():
        free = settlement.lock_free(wanted)
        if free:
            write(free)
    for pk in sorted(wanted - free):
        with alone(pk):
            write({pk})


@contextmanager
def alone(order_id: int) -> Iterator[None]:
    """Open a transaction with the order locked."""
    with transaction.atomic():
        settlement.locked(order_id)
        yield
