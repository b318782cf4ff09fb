"""The admin of suppliers."""

from suppliers.admin.deliveries import DeliveryAdmin
from suppliers.admin.document_schemas import DocumentSchemaAdmin
from suppliers.admin.endpoints import EndpointAdmin
from suppliers.admin.mappings import MappingAdmin
from suppliers.admin.replies import SupplierReplyAdmin
from suppliers.admin.routing_rules import RoutingRuleAdmin
from suppliers.admin.supplier_orders import SupplierOrderAdmin
from suppliers.admin.suppliers import SupplierAdmin

__all__ = [
    "DeliveryAdmin",
    "DocumentSchemaAdmin",
    "EndpointAdmin",
    "MappingAdmin",
    "RoutingRuleAdmin",
    "SupplierAdmin",
    "SupplierOrderAdmin",
    "SupplierReplyAdmin",
]
