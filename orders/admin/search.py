"""Find orders by number, customer mail, SKU, file name or reference, each through its index."""

from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from hemi.lib.database import starts_with, starts_with_in_any_case
from orders.models import Order, OrderLine
from suppliers.models import Delivery, SupplierOrder

HELP = "Order number, customer mail, SKU, file name or reference, from their beginning."

_BEFORE_NUMBERS = ("#", "->")  # what stores write before an order's number


def find(orders: QuerySet[Order], term: str) -> QuerySet[Order]:
    """Return those of `orders` that `term` is about; each once."""
    term = term.strip()
    numbers = {term, *(f"{before}{term.lstrip('#')}" for before in _BEFORE_NUMBERS)}
    ids = [
        _ids(Order, "pk", *(starts_with("number", number) for number in sorted(numbers))),
        _ids(Order, "pk", starts_with_in_any_case("email", term)),
        _ids(OrderLine, "order_id", starts_with_in_any_case("sku", term)),
        _ids(SupplierOrder, "order_id", starts_with("reference", term.upper())),
        _ids(
            Delivery,
            "supplier_order__order_id",
            starts_with("final_name", term),
            starts_with("final_name", term.upper()),
        ),
    ]
    return orders.filter(pk__in=ids[0].union(*ids[1:]))


def _ids(model: type, order_id: str, *conditions: Q) -> QuerySet:
    return model.objects.filter(reduce(or_, conditions)).order_by().values(order_id)
