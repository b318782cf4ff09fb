"""Orders: found and read; what can be done with them is in buttons. They are never edited or deleted here."""

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from hemi.lib import badges, money
from hemi.lib.filters import DaysFilter
from hemi.lib.links import link_to
from hemi.lib.long_lists import LongList
from hemi.lib.readonly import ReadOnly
from orders.admin import addresses, search
from orders.admin.buttons import OrderButtons
from orders.admin.filters import AttentionFilter, SupplierFilter
from orders.admin.inlines import EventInline, LineInline, PartInline, ShipmentInline
from orders.models import Order
from suppliers.models import Amendment, SupplierOrder


@admin.register(Order)
class OrderAdmin(OrderButtons, LongList, ReadOnly, ModelAdmin):
    """One row an order; its page tells all that happened to it."""

    list_display = ["number", "state_in_list", "account", "customer", "shown_total", "parts", "placed_at"]
    list_filter = [
        AttentionFilter,
        ("state", ChoicesDropdownFilter),
        ("account", RelatedDropdownFilter),
        SupplierFilter,
        ("placed_at", DaysFilter),
    ]
    list_select_related = ["account"]
    sortable_by = ["number", "placed_at"]
    search_fields = ["number"]  # shows the box; search.find looks
    search_help_text = search.HELP
    inlines = [LineInline, PartInline, ShipmentInline, EventInline]
    fieldsets = [
        (
            None,
            {"fields": [("number", "account", "placed_at", "shown_total"), ("shown_state", "state_why", "attention")]},
        ),
        ("Customer", {"classes": ["tab"], "fields": [("customer_name", "email", "phone"), "note"]}),
        ("Addresses", {"classes": ["tab"], "fields": [("ship_to", "bill_to", "methods")]}),
        (
            "Money",
            {
                "classes": ["tab"],
                "fields": [
                    ("shown_discount", "shown_shipping", "shown_tax"),
                    ("are_taxes_included", "financial_status", "paid_at"),
                ],
            },
        ),
        (
            "Store",
            {
                "classes": ["tab"],
                "fields": [
                    ("source_name", "is_filter_lifted", "is_test"),
                    ("fulfillment_status", "cancelled_at", "shop_updated_at"),
                    ("shopify_id", "stored_at", "webhook"),
                ],
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        alive = Amendment.objects.filter(status=Amendment.Status.OPEN, is_cancellation=True)
        parts = SupplierOrder.objects.select_related("supplier").order_by("pk")
        parts = parts.prefetch_related(Prefetch("amendments", alive, to_attr="alive"))
        rows = super().get_queryset(request).select_related("account")
        return rows.prefetch_related(Prefetch("supplier_orders", parts))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        return (search.find(queryset, search_term) if search_term.strip() else queryset), False

    @display(description="state")
    def shown_state(self, order: Order) -> SafeString:
        mark = badges.state(order, "state")
        return format_html("{} {}", mark, badges.badge("Test", "info")) if order.is_test else mark

    @display(description="state")
    def state_in_list(self, order: Order) -> SafeString:
        mark = self.shown_state(order)
        parts = [part for part in order.supplier_orders.all() if part.alive or part.is_untold_cancellation]
        alive = (badges.badge(f"Alive at {part.supplier}", "danger") for part in parts)
        mark = format_html("{}{}", mark, format_html_join("", " {}", ((badge,) for badge in alive)))
        return format_html("{}<br>{}", mark, order.attention) if order.attention else mark

    @display(description="why")
    def state_why(self, order: Order) -> str:
        return order.state_reason

    @display(description="customer")
    def customer(self, order: Order) -> str:
        return order.customer_name or order.email

    @display(description="suppliers")
    def parts(self, order: Order) -> str:
        return format_html_join(
            mark_safe("<br>"),
            "{}: {}",
            ((part.supplier.name, part.get_status_display().lower()) for part in order.supplier_orders.all()),
        )

    @display(description="total", ordering=None)
    def shown_total(self, order: Order) -> str:
        return f"{money.text(order.total)} {order.currency}"

    @display(description="discount")
    def shown_discount(self, order: Order) -> str:
        return f"{money.text(order.total_discount)} {order.currency}"

    @display(description="shipping")
    def shown_shipping(self, order: Order) -> str:
        return f"{money.text(order.total_shipping)} {order.currency}"

    @display(description="tax")
    def shown_tax(self, order: Order) -> str:
        return f"{money.text(order.total_tax)} {order.currency}"

    @display(description="ship to")
    def ship_to(self, order: Order) -> str:
        return addresses.text(order.shipping_address)

    @display(description="bill to")
    def bill_to(self, order: Order) -> str:
        return addresses.text(order.billing_address)

    @display(description="shipping methods")
    def methods(self, order: Order) -> str:
        return "\n".join(str(method.get("title") or method.get("code")) for method in order.shipping_methods)

    @display(description="newest webhook")
    def webhook(self, order: Order) -> str:
        if order.event is None:
            return ""
        received = date_format(order.event.received_at, "SHORT_DATETIME_FORMAT")
        return link_to(order.event, f"{order.event.topic}, {received}")
