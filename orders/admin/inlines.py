"""What an order's page shows below its header."""

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import display

from hemi.lib import badges, money
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnlyInline
from orders import shipments
from orders.admin.shipments import said_state
from orders.models import OrderEvent, OrderLine, Shipment
from suppliers.admin.amendments import table as changes_table
from suppliers.models import Amendment, SupplierOrder, SupplierOrderLine


class LineInline(ReadOnlyInline):
    """The lines, each with what became of it."""

    model = OrderLine
    verbose_name_plural = "lines"
    is_part = True
    tab = False
    fields = ["item", "sku", "vendor", "quantity", "sendable", "shown_price", "shown_routing", "supplier"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        live = SupplierOrderLine.objects.filter(is_live=True).select_related("supplier_order__supplier")
        return super().get_queryset(request).prefetch_related(Prefetch("allocations", live, to_attr="live"))

    @display(description="item")
    def item(self, line: OrderLine) -> str:
        extras = [f"{entry.get('name')}: {entry.get('value')}" for entry in line.properties]
        return "\n".join(part for part in (line.title, line.variant_title, *extras) if part)

    @display(description="price")
    def shown_price(self, line: OrderLine) -> str:
        return money.text(line.price)

    @display(description="routing")
    def shown_routing(self, line: OrderLine) -> SafeString:
        mark = badges.state(line, "routing")
        return format_html("{}<br>{}", mark, line.routing_note) if line.routing_note else mark

    @display(description="supplier")
    def supplier(self, line: OrderLine) -> str:
        if not line.live:
            return ""
        allocation = line.live[0]
        part, says = allocation.supplier_order, allocation.get_reply_status_display()
        link = link_to(part, str(part.supplier))
        return format_html("{}<br>{}", link, badges.state(allocation, "reply_status")) if says else link


class PartInline(ReadOnlyInline):
    """The suppliers' parts, each with its file."""

    model = SupplierOrder
    verbose_name_plural = "supplier parts"
    tab = False
    fields = ["part", "supplier", "state", "file", "sent_at", "supplier_reference", "shown_attention"]
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplierOrder]:
        rows = super().get_queryset(request).select_related("supplier", "delivery")
        waiting = Amendment.objects.filter(status=Amendment.Status.OPEN)
        return rows.prefetch_related(Prefetch("amendments", waiting, to_attr="waiting"))

    @display(description="reference")
    def part(self, part: SupplierOrder) -> SafeString:
        return link_to(part)

    @display(description="state")
    def state(self, part: SupplierOrder) -> SafeString:
        mark = badges.state(part)
        return format_html("{} {}", mark, badges.badge("On hold", "warning")) if part.held_at else mark

    @display(description="needs attention")
    def shown_attention(self, part: SupplierOrder) -> SafeString:
        found = [finding["text"] for finding in part.findings]
        texts = [part.attention, *(text for text in found if text not in part.attention)]
        tables = [format_html("{}{}", link_to(row, "Change to settle"), changes_table(row)) for row in part.waiting]
        return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in [*texts, *tables] if text))

    @display(description="file")
    def file(self, part: SupplierOrder) -> str:
        if not hasattr(part, "delivery"):
            return "No document yet"
        delivery = part.delivery
        is_kept = delivery.is_held and delivery.status not in delivery.FINAL
        held = badges.badge("On hold", "warning") if is_kept else ""
        return format_html("{}<br>{} {}", link_to(delivery), badges.state(delivery), held)


class ShipmentInline(ReadOnlyInline):
    """What suppliers have sent of it, and whether the store knows."""

    model = Shipment
    verbose_name_plural = "shipments"
    is_part = True
    tab = False
    fields = ["shipment", "reference", "state", "pieces", "carrier", "tracking", "told_at"]
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        return super().get_queryset(request).select_related("order__account")

    @display(description="shipment")
    def shipment(self, shipment: Shipment) -> SafeString:
        return link_to(shipment, shipment.despatch)

    @display(description="state")
    def state(self, shipment: Shipment) -> SafeString:
        return said_state(shipment)

    @display(description="pieces")
    def pieces(self, shipment: Shipment) -> int:
        return shipments.pieces(shipment)

    @display(description="tracking")
    def tracking(self, shipment: Shipment) -> str:
        return "\n".join(number for number in shipment.numbers if number)


class EventInline(ReadOnlyInline):
    """The timeline, newest last."""

    model = OrderEvent
    verbose_name_plural = "timeline"
    is_part = True
    fields = ["at", "text", "reference", "who"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        return super().get_queryset(request).select_related("actor").order_by("pk")

    @display(description="who")
    def who(self, event: OrderEvent) -> str:
        return str(event.actor) if event.actor else "Hemi"
