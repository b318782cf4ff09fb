"""What happened to an order, said twice: to staff on its timeline and to the log with ids only."""

import logging
from typing import Any

from orders.models import Order, OrderEvent

log = logging.getLogger("orders")


def record(order: Order, kind: str, text: str, reference: str = "", actor: Any = None) -> None:
    """Write one row and one log line. `text` is for staff and never leaves the database."""
    OrderEvent.objects.create(order=order, kind=kind, text=text[:1000], reference=reference, actor=actor)
    log.info(
        f"order.{kind}",
        extra={
            "order_id": order.pk,
            "account": order.account_id,
            "webhook_event": order.event_id,
            "reference": reference,
            "by": getattr(actor, "pk", None),
        },
    )
