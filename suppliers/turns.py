"""Write of many orders' files at once, or of one, without waiting for anybody while holding what they wait for.

The lock order (suppliers/parts.py) begins with the order's row. A group takes the orders that nobody is at, all in one
transaction; when all that are left are taken it waits for one of them, and then takes what has become free with it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction

from orders import settlement


def each(order_ids: Iterable[int], write: Callable[[set[int]], None]) -> None:
    """Call `write` with orders that are locked, each of them once: in one transaction if nobody is at them."""
    left = set(order_ids)
    while left:
        with transaction.atomic():
            mine = settlement.lock_free(left) or _wait(left)
            write(mine)
        left -= mine


def _wait(order_ids: set[int]) -> set[int]:
    first = min(order_ids)
    settlement.locked(first)
    return {first} | settlement.lock_free(order_ids - {first})


@contextmanager
def alone(order_id: int) -> Iterator[None]:
    """Open a transaction with the order locked."""
    with transaction.atomic():
        settlement.locked(order_id)
        yield
