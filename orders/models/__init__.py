"""What a store sold."""

from orders.models.completeness import CompletenessDay
from orders.models.events import OrderEvent
from orders.models.fetches import OrderFetch
from orders.models.fulfilments import BY_A_PERSON, Fulfilment, Shipment
from orders.models.lines import OrderLine
from orders.models.orders import Order
from orders.models.shoppers import LookupCount, ShopperLink, UsedTicket

__all__ = [
    "BY_A_PERSON",
    "CompletenessDay",
    "Fulfilment",
    "LookupCount",
    "Order",
    "OrderEvent",
    "OrderFetch",
    "OrderLine",
    "Shipment",
    "ShopperLink",
    "UsedTicket",
]
