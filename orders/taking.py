"""Take orders that were read from a store, the way webhooks are taken, and count what was news."""

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.models import AccountShopify
from integrations.shopify.payloads import OrderSnapshot
from orders import intake
from orders.models import Order


@dataclass(frozen=True)
class Tally:
    """How many orders were read, how many of them Hemi did not have, how many differed from what it had."""

    seen: int = 0
    new: int = 0
    changed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.seen + other.seen, self.new + other.new, self.changed + other.changed)


def take(account: AccountShopify, snapshots: Iterable[OrderSnapshot]) -> Tally:
    """Store what is new or newer; each order in a transaction of its own, committed on return."""
    wanted = list(snapshots)
    ids = [snapshot.shopify_id for snapshot in wanted]
    rows = Order.objects.filter(account=account, shopify_id__in=ids)
    known = dict(rows.values_list("shopify_id", "content_hash"))
    new = changed = 0
    for snapshot in wanted:
        content_hash = known.get(snapshot.shopify_id)
        if content_hash == snapshot.content_hash:
            continue
        intake.store(account, snapshot)
        new += content_hash is None
        changed += content_hash is not None
    return Tally(len(wanted), new, changed)
