"""Who makes and ships the goods, and what is brought to them."""

from suppliers.models.amendments import Amendment
from suppliers.models.deliveries import Delivery, DeliveryAttempt, DeliveryContent, DeliveryDocument
from suppliers.models.document_schemas import DocumentSchema
from suppliers.models.endpoint_checks import EndpointCheck
from suppliers.models.endpoints import Endpoint
from suppliers.models.mappings import Mapping, PreSendRule
from suppliers.models.replies import ReplyColumns, ReplyStatement, SupplierReply
from suppliers.models.restorations import Restoration, SentBefore
from suppliers.models.routing_rules import RoutingRule
from suppliers.models.supplier_orders import SupplierOrder, SupplierOrderLine
from suppliers.models.suppliers import Supplier

__all__ = [
    "Amendment",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryContent",
    "DeliveryDocument",
    "DocumentSchema",
    "Endpoint",
    "EndpointCheck",
    "Mapping",
    "PreSendRule",
    "ReplyColumns",
    "ReplyStatement",
    "Restoration",
    "RoutingRule",
    "SentBefore",
    "Supplier",
    "SupplierOrder",
    "SupplierOrderLine",
    "SupplierReply",
]
