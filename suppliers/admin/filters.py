"""Filters of the suppliers' lists."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from suppliers import overdue
from suppliers.models import SupplierOrder


class AttentionFilter(DropdownFilter):
    """What staff should look at."""

    title = "needs attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Needs attention"), ("changed", "Needs attention since it was made")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SupplierOrder]) -> QuerySet[SupplierOrder]:
        if self.value() not in ("yes", "changed"):
            return queryset
        troubled = SupplierOrder.TROUBLED if self.value() == "changed" else ()
        return queryset.exclude(attention="").exclude(status__in=troubled)


class OverdueFilter(DropdownFilter):
    """Whose supplier should have replied by now."""

    title = "reply"
    parameter_name = "reply"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue"), ("expected", "Expected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SupplierOrder]) -> QuerySet[SupplierOrder]:
        if self.value() == "overdue":
            return queryset.filter(pk__in=overdue.rows().values("pk"))
        waiting = {"replied_at": None, "reply_due_at__isnull": False, "status": SupplierOrder.Status.SENT}
        return queryset.filter(**waiting) if self.value() == "expected" else queryset
