"""The admin of orders."""

from orders.admin.fetches import OrderFetchAdmin
from orders.admin.orders import OrderAdmin
from orders.admin.shipments import ShipmentAdmin
from orders.admin.shoppers import ShopperLinkAdmin

__all__ = ["OrderAdmin", "OrderFetchAdmin", "ShipmentAdmin", "ShopperLinkAdmin"]
