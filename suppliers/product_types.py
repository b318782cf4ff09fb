"""Product types are not in a webhook: read them from the store where a rule asks for them."""

from django.db.models import Q

from orders import reread
from orders.models import Order, OrderLine
from suppliers.models import RoutingRule

READ_SECONDS = 5.0  # orders of other stores wait meanwhile


def fill(order: Order) -> None:
    """Store the types of the order's lines. Raises ShopifyError."""
    for line in reread.read(order, READ_SECONDS).lines:
        OrderLine.objects.filter(order=order, shopify_id=line.shopify_id).update(product_type=line.product_type or "")


def are_wanted(order: Order) -> bool:
    """Tell whether a rule needs a type of the order's lines that is not known."""
    if order.is_sample:
        return False
    rules = RoutingRule.objects.filter(Q(account=None) | Q(account=order.account_id), is_active=True)
    if order.state != Order.State.READY or not rules.exclude(product_type="").exists():
        return False
    unknown = order.lines.filter(product_type=None, sendable__gt=0, allocations=None)
    return unknown.exclude(product_id=None).exists()
