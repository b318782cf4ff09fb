"""What happened to an order, said twice: to staff on its timeline and to the log with ids only."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hemi.lib import logs
from orders.models import Order, OrderEvent

log = logging.getLogger("orders")


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `text` is for staff and never leaves the database."""

    order: Order
    kind: str
    text: str
    reference: str = ""
    actor: Any = None
    webhook_event: int | None = None  # what it follows from; None: what is followed now, or the order's newest


def record(order: Order, kind: str, text: str, reference: str = "", actor: Any = None) -> None:
    """Write one row and one log line. `text` is for staff and never leaves the database."""
    record_all([Happening(order, kind, text, reference, actor)])


def record_all(happenings: Iterable[Happening]) -> None:
    """Write many at once."""
    found = list(happenings)
    OrderEvent.objects.bulk_create(_row(happening) for happening in found)
    for happening in found:
        log.info(f"order.{happening.kind}", extra=_ids(happening))


def _row(happening: Happening) -> OrderEvent:
    return OrderEvent(
        order=happening.order,
        kind=happening.kind,
        text=happening.text[:1000],
        reference=happening.reference,
        actor=happening.actor,
    )


def _ids(happening: Happening) -> dict[str, Any]:
    order = happening.order
    return {
        "order_id": order.pk,
        "account": order.account_id,
        "webhook_event": happening.webhook_event or logs.followed("webhook_event") or order.event_id,
        "reference": happening.reference,
        "by": getattr(happening.actor, "pk", None),
    }
