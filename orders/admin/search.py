"""Find orders by number, customer mail, SKU, file name or reference, each through its index."""

from django.db.models import QuerySet

from hemi.lib.database import starts_with
from orders.models import Order, OrderLine
from suppliers.models import Delivery, SupplierOrder

HELP = "Order number, customer mail, SKU, file name or reference, from their beginning."

_BEFORE_NUMBERS = ("#", "->")  # what stores write before an order's number


def find(orders: QuerySet[Order], term: str) -> QuerySet[Order]:
    """Return those of `orders` that `term` is about; each once."""
    term = term.strip()
    ids = [
        _starting(Order, "number", {term, *(f"{before}{term.lstrip('#')}" for before in _BEFORE_NUMBERS)}, "pk"),
        _starting(Order, "email", {term, term.lower()}, "pk"),
        _starting(OrderLine, "sku", {term, term.upper()}, "order_id"),
        _starting(SupplierOrder, "reference", {term.upper()}, "order_id"),
        _starting(Delivery, "final_name", {term, term.upper()}, "supplier_order__order_id"),
    ]
    return orders.filter(pk__in=ids[0].union(*ids[1:]))


def _starting(model: type, column: str, variants: set[str], order_id: str) -> QuerySet:
    first, *others = (starts_with(column, variant) for variant in sorted(variants))
    for other in others:
        first |= other
    return model.objects.filter(first).order_by().values(order_id)
