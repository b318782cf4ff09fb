"""Who makes and ships the goods, and what is brought to them."""

from suppliers.models.deliveries import Delivery, DeliveryAttempt
from suppliers.models.endpoints import Endpoint
from suppliers.models.replies import SupplierReply
from suppliers.models.routing_rules import RoutingRule
from suppliers.models.supplier_orders import SupplierOrder, SupplierOrderLine
from suppliers.models.suppliers import Supplier

__all__ = [
    "Delivery",
    "DeliveryAttempt",
    "Endpoint",
    "RoutingRule",
    "Supplier",
    "SupplierOrder",
    "SupplierOrderLine",
    "SupplierReply",
]
