"""The admin of orders."""

from orders.admin.fetches import OrderFetchAdmin
from orders.admin.orders import OrderAdmin

__all__ = ["OrderAdmin", "OrderFetchAdmin"]
