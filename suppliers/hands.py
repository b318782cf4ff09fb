"""Deal what is due at an endpoint to the sessions of one run, oldest first."""

import threading
from collections import deque
from collections.abc import Sequence

from django.db import transaction

from hemi.lib import claims
from orders import settlement
from suppliers import due, recall, records
from suppliers.attempts import Attempt
from suppliers.lanes import Lane
from suppliers.models import Delivery, Supplier

LOOKED_UP = 600  # deliveries at once; more sessions than one share them
LEAST = 40  # in a hand, as long as there are as many: what is written of a hand takes its time, however few it holds

# What a run uses; reading the rest of four rows for each file takes longer than most of its steps.
_COLUMNS = (
    *("endpoint", "status", "step", "folder", "final_name", "temporary_name", "done_name", "sha256", "size"),
    *("attempts", "resends", "claim_token", "lease_until", "renaming_at", "created_at"),
    *("supplier_order__reference", "supplier_order__webhook_event", "supplier_order__revision"),
    *("supplier_order__supplier", "supplier_order__order__account", "supplier_order__order__placed_at"),
    *("supplier_order__order__shopify_id", "supplier_order__order__event"),
)

Waiting = tuple[int, int]  # a delivery and its order


class Deck:
    """What was found due at the lane's endpoint and nobody has in hand yet. It only hints: `claim` asks again."""

    def __init__(self, lane: Lane) -> None:
        self.sessions = 1
        self._lane = lane
        self._lock = threading.Lock()
        self._waiting: deque[Waiting] = deque()

    @property
    def has_more(self) -> bool:
        """Tell whether something is left for another session."""
        return bool(self._waiting)

    def deal(self, limit: int) -> list[Waiting]:
        """Take up to `limit`, but of the last ones no more than one session's share."""
        with self._lock:
            if not self._waiting:
                rows = due.deliveries().filter(claims.due(), endpoint=self._lane.endpoint)
                self._waiting.extend(rows.values_list("pk", "supplier_order__order")[:LOOKED_UP])
            share = max(LEAST, -(-len(self._waiting) // self.sessions))
            return [self._waiting.popleft() for _ in range(min(limit, share, len(self._waiting)))]


def claim(lane: Lane, hand: Sequence[Waiting], *, begins: bool = False) -> list[Attempt]:
    """Claim what nobody else has and nothing forbids, but for what went out before a restore.

    What is of orders that somebody is at just now waits for the next time. With `begins` the uploads of what no former
    run has left on the server are recorded in the same go.
    """
    with transaction.atomic():
        free = settlement.lock_free(order_id for _, order_id in hand)
        mine = due.deliveries().filter(claims.due(), endpoint=lane.endpoint)
        mine = mine.filter(pk__in=[pk for pk, order_id in hand if order_id in free])
        rows = mine.select_related("supplier_order__order").only(*_COLUMNS)
        attempts = _attempts(lane, claims.take(list(rows), still=due.STILL, lease=lane.lease))
        attempts = recall.clear(attempts)
        if begins:
            fresh = [attempt for attempt in attempts if not attempt.delivery.may_lie_there]
            records.begin_claimed(fresh, lane.endpoint)
    return attempts


def _attempts(lane: Lane, deliveries: list[Delivery]) -> list[Attempt]:
    # One object of the endpoint and of each supplier for all, rather than one more for each file.
    suppliers = Supplier.objects.in_bulk({delivery.supplier_order.supplier_id for delivery in deliveries})
    for delivery in deliveries:
        delivery.endpoint = lane.endpoint
        delivery.supplier_order.supplier = suppliers[delivery.supplier_order.supplier_id]
    return [Attempt(delivery, lane.lease) for delivery in deliveries]
