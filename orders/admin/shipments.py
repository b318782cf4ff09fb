"""Shipments: what suppliers have sent, and whether the store knows of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminRadioSelectWidget

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.dialogs import ReasonForm
from hemi.lib.filters import DaysFilter
from hemi.lib.links import breakable, link_to
from hemi.lib.long_lists import FoundByBeginning, LongList
from hemi.lib.readonly import ReadOnly, ReadOnlyInline
from orders import services, shipments
from orders.models import Fulfilment, Shipment
from orders.services import Refused
from suppliers.models import SupplierOrder

SHORT = 60  # letters of a reason in the list; the page has the whole


class SettleForm(ReasonForm):
    """A person has looked at the order in the store."""

    field_order = ["outcome", "reason"]
    outcome = forms.ChoiceField(
        label="Does the store know of this shipment?",
        choices=[("told", "Yes, or it need not know"), ("again", "No, tell it")],
        widget=UnfoldAdminRadioSelectWidget,
        error_messages={"required": "Say whether the store knows of the shipment."},
    )


class FulfilmentInline(ReadOnlyInline):
    """What the store was asked to record, fulfilment order by fulfilment order."""

    model = Fulfilment
    verbose_name_plural = "told to the store"
    is_part = True
    tab = False
    fields = ["shown_status", "what", "fulfillment_order_id", "shopify_id", "called_at", "done_at", "note"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        self.titles = _titles(obj) if obj else {}
        return super().get_formset(request, obj, **kwargs)

    @display(description="state")
    def shown_status(self, row: Fulfilment) -> SafeString:
        return badges.state(row)

    @display(description="pieces")
    def what(self, row: Fulfilment) -> SafeString:
        return _list((line["quantity"], self.titles.get(line["line"], line["line"])) for line in row.lines)


@admin.register(Shipment)
class ShipmentAdmin(ReasonedButtons, FoundByBeginning, LongList, ReadOnly, ModelAdmin):
    """One row a despatch of a supplier."""

    list_display = [
        "despatch",
        "shown_status",
        "short_why",
        "order_in_list",
        "carrier",
        "numbers_in_list",
        "created_at",
    ]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("order__account", RelatedDropdownFilter),
        ("created_at", DaysFilter),
    ]
    search_fields = ["reference"]
    search_help_text = "Supplier order, from its beginning."
    inlines = [FulfilmentInline]
    fieldsets = [
        (None, {"fields": [("despatch", "of_order", "part"), ("shown_status", "why")]}),
        (None, {"fields": ["shown_pieces", ("carrier", "tracking")]}),
        (None, {"fields": [("created_at", "told_at", "next_try")]}),
    ]

    subject = "shipment"
    refusal_errors = (Refused,)
    actions = ["try_shipments_again"]
    actions_detail = ["try_again", "settle"]
    button_refusals = {
        "try_again": services.why_no_new_try,
        "try_shipments_again": services.why_no_new_try,
        "settle": services.why_no_settling,
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        return super().get_queryset(request).select_related("order__account")

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.settle_shipment")

    @display(description="order")
    def of_order(self, shipment: Shipment) -> SafeString:
        return link_to(shipment.order)

    @display(description="state")
    def shown_status(self, shipment: Shipment) -> SafeString:
        return badges.state(shipment)

    @display(description="order")
    def order_in_list(self, shipment: Shipment) -> SafeString:
        return link_to(shipment.order, f"{shipment.order.number} {shipment.order.account.shop_name}")

    @display(description="supplier order")
    def part(self, shipment: Shipment) -> SafeString | str:
        found = SupplierOrder.objects.filter(reference=shipment.reference).first()
        return link_to(found) if found else shipment.reference

    @display(description="why")
    def short_why(self, shipment: Shipment) -> str:
        return Truncator(self.why(shipment)).chars(SHORT)

    @display(description="why")
    def why(self, shipment: Shipment) -> str:
        return shipment.note or shipments.why_it_waits(shipment)

    @display(description="pieces")
    def shown_pieces(self, shipment: Shipment) -> SafeString:
        titles = _titles(shipment)
        return _list((count, titles.get(int(line), line)) for line, count in shipment.quantities.items())

    @display(description="tracking")
    def numbers_in_list(self, shipment: Shipment) -> SafeString:
        return format_html_join(mark_safe("<br>"), "{}", ((number,) for number in shipment.numbers))

    @display(description="tracking")
    def tracking(self, shipment: Shipment) -> SafeString:
        rows = [*shipment.numbers, *shipment.urls]
        return format_html_join(mark_safe("<br>"), "{}", ((breakable(row),) for row in rows if row))

    @display(description="next try")
    def next_try(self, shipment: Shipment) -> str:
        is_waiting = shipment.status == Shipment.Status.WAITING
        return date_format(shipment.next_attempt_at, "DATETIME_FORMAT") if is_waiting else ""

    @action(
        description="Try again",
        permissions=["settle"],
        dialog={
            "title": "Tell the store now?",
            "description": "Hemi looks at the order in the store first, so that nothing is told twice.",
            "form_submit_text": "Try again",
        },
    )
    def try_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask the store again."""
        return self.ask(request, object_id, services.try_shipment_again, "The store is asked again within seconds.")

    @action(
        description="Settle",
        permissions=["settle"],
        dialog={
            "title": "Settle a shipment",
            "description": "Look at the order in the store first. What the store is told twice, its customer is told "
            "twice.",
            "form_class": SettleForm,
            "form_submit_text": "Settle",
        },
    )
    def settle(self, request: HttpRequest, form: SettleForm, object_id: str) -> HttpResponse:
        """Say whether the store knows of a shipment."""
        was_told, reason = form.cleaned_data["outcome"] == "told", form.cleaned_data["reason"]
        service = services.settle_shipment
        return self.ask(request, object_id, service, "The shipment is settled.", was_told=was_told, reason=reason)

    @action(description="Try again", permissions=["settle"])
    def try_shipments_again(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> None:
        """Ask the stores of the chosen shipments again."""
        done = "{count} to be told again."
        self.ask_for_rows(request, queryset, "try_shipments_again", services.try_shipment_again, done)


def said_state(shipment: Shipment) -> SafeString:
    """Show a shipment's state with what keeps it."""
    mark, why = badges.state(shipment), shipment.note or shipments.why_it_waits(shipment)
    return format_html("{}<br>{}", mark, why) if why else mark


def _titles(shipment: Shipment) -> dict[int, str]:
    return dict(shipment.order.lines.values_list("shopify_id", "title"))


def _list(rows: Any) -> SafeString:
    return format_html_join(mark_safe("<br>"), "{} × {}", rows)
