"""The admin of suppliers."""

from suppliers.admin.amendments import AmendmentAdmin
from suppliers.admin.deliveries import DeliveryAdmin
from suppliers.admin.document_schemas import DocumentSchemaAdmin
from suppliers.admin.endpoint_checks import EndpointCheckAdmin
from suppliers.admin.endpoints import EndpointAdmin
from suppliers.admin.mappings import MappingAdmin
from suppliers.admin.replies import SupplierReplyAdmin
from suppliers.admin.routing_rules import RoutingRuleAdmin
from suppliers.admin.statements import ReplyStatementAdmin
from suppliers.admin.supplier_orders import SupplierOrderAdmin
from suppliers.admin.suppliers import SupplierAdmin

__all__ = [
    "AmendmentAdmin",
    "DeliveryAdmin",
    "DocumentSchemaAdmin",
    "EndpointAdmin",
    "EndpointCheckAdmin",
    "MappingAdmin",
    "ReplyStatementAdmin",
    "RoutingRuleAdmin",
    "SupplierAdmin",
    "SupplierOrderAdmin",
    "SupplierReplyAdmin",
]
