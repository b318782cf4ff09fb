"""Routing rules, in the order in which they are asked."""

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from suppliers.models import RoutingRule


@admin.register(RoutingRule)
class RoutingRuleAdmin(ModelAdmin):
    """The first rule, by priority, that takes a line decides who gets it."""

    list_display = ["priority", "summary", "supplier_or_nobody", "account_or_all", "is_active"]
    compressed_fields = False
    list_display_links = ["priority", "summary"]
    list_filter = ["supplier", "account", "is_active"]
    list_select_related = ["supplier", "account"]
    ordering = ["priority", "pk"]
    sortable_by: list[str] = []
    fieldsets = [
        (None, {"fields": [("priority", "is_active"), "supplier"]}),
        (
            "Which lines",
            {
                "fields": [("vendor", "sku_pattern"), ("product_type", "shipping"), "account", "is_everything_else"],
                "description": "Every condition that is given must hold. After a change, orders whose lines nobody "
                "took are looked at again with Route again.",
            },
        ),
    ]

    @display(description="takes lines with")
    def summary(self, rule: RoutingRule) -> str:
        return rule.conditions

    @display(description="send to")
    def supplier_or_nobody(self, rule: RoutingRule) -> str:
        return str(rule.supplier or "Nobody: set aside")

    @display(description="account")
    def account_or_all(self, rule: RoutingRule) -> str:
        return str(rule.account or "Every account")
