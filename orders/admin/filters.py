"""Filters of the list of orders."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from orders.models import Order
from suppliers.models import Supplier, SupplierOrder

_ATTENTION = SupplierOrder.objects.exclude(attention="")


class AttentionFilter(DropdownFilter):
    """What staff should look at."""

    title = "needs attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lines", "Lines that no supplier makes"), ("parts", "A supplier's part")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() == "lines":
            return queryset.exclude(attention="")
        if self.value() == "parts":
            return queryset.filter(pk__in=_ATTENTION.values("order_id"))
        return queryset


class SupplierFilter(DropdownFilter):
    """Orders of which a supplier has a part."""

    title = "supplier"
    parameter_name = "supplier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Supplier.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not (self.value() or "").isdecimal():
            return queryset
        return queryset.filter(Exists(SupplierOrder.objects.filter(order=OuterRef("pk"), supplier=self.value())))
