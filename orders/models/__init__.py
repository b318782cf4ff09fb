"""What a store sold."""

from orders.models.events import OrderEvent
from orders.models.lines import OrderLine
from orders.models.orders import Order

__all__ = ["Order", "OrderEvent", "OrderLine"]
