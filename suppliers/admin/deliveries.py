"""Deliveries: each document on its way, try by try."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminRadioSelectWidget

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.database import starts_with
from hemi.lib.dialogs import ReasonForm
from hemi.lib.downloads import attachment
from hemi.lib.links import breakable, link_to
from hemi.lib.readonly import ReadOnly, ReadOnlyInline
from orders.services import Refused
from suppliers import waiting
from suppliers.admin import refusals
from suppliers.models import Delivery, DeliveryAttempt
from suppliers.services import deliveries


class SettleForm(ReasonForm):
    """A person has looked, or has asked the supplier."""

    field_order = ["outcome", "reason"]
    outcome = forms.ChoiceField(
        label="Did the supplier get the file?",
        choices=[("sent", "Yes, it arrived"), ("again", "No, send it again")],
        widget=UnfoldAdminRadioSelectWidget,
        error_messages={"required": "Say whether the supplier got the file."},
    )


class AttemptInline(ReadOnlyInline):
    """Each try, and what the server said."""

    model = DeliveryAttempt
    verbose_name_plural = "attempts"
    is_part = True
    tab = False
    fields = ["number", "started_at", "ended_at", "shown_outcome", "step", "message"]
    ordering = ["pk"]

    @display(description="outcome")
    def shown_outcome(self, attempt: DeliveryAttempt) -> SafeString:
        return badges.state(attempt, "outcome")


@admin.register(Delivery)
class DeliveryAdmin(ReasonedButtons, ReadOnly, ModelAdmin):
    """One row a document."""

    list_display = ["final_name", "shown_state", "endpoint", "part", "attempts", "created_at", "sent_at"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("supplier_order__supplier", RelatedDropdownFilter),
        ("endpoint", RelatedDropdownFilter),
    ]
    compressed_fields = False
    actions_detail_hide_default = True  # the order's timeline says more than the history
    list_filter_submit = True
    list_per_page = 50
    list_disable_select_all = True
    sortable_by: list[str] = []
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["final_name"]  # shows the box; get_search_results looks
    search_help_text = "File name, from its beginning."
    inlines = [AttemptInline]
    fieldsets = [
        (None, {"fields": [("part", "endpoint", "folder"), ("shown_state", "step", "next_try"), "why_it_waits"]}),
        (None, {"fields": ["last_error", "remarks"]}),
        (None, {"fields": [("created_at", "first_claimed_at", "sent_at"), ("size", "checksum", "temporary_name")]}),
    ]

    subject = "delivery"
    refusal_errors = (Refused,)
    actions = ["retry_deliveries"]
    actions_detail = ["retry_now", "settle", "download"]
    button_refusals = {
        "retry_now": refusals.retry,
        "retry_deliveries": refusals.retry,
        "settle": refusals.settle,
        "download": refusals.download,
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows = super().get_queryset(request).defer("document")
        return rows.select_related("endpoint", "supplier_order__order__account", "supplier_order__supplier")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        term = search_term.strip()
        return (queryset.filter(starts_with("final_name", term)) if term else queryset), False

    def has_resend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.resend_delivery")

    def has_download_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.download_delivery")

    @display(description="state")
    def shown_state(self, delivery: Delivery) -> SafeString:
        mark = badges.state(delivery)
        is_kept = delivery.is_held and delivery.status == Delivery.Status.DUE
        return format_html("{} {}", mark, badges.badge("On hold", "warning")) if is_kept else mark

    @display(description="supplier order")
    def part(self, delivery: Delivery) -> SafeString:
        return link_to(delivery.supplier_order)

    @display(description="next try")
    def next_try(self, delivery: Delivery) -> str:
        is_due = delivery.status == Delivery.Status.DUE
        return date_format(delivery.next_attempt_at, "DATETIME_FORMAT") if is_due else ""

    @display(description="why it waits")
    def why_it_waits(self, delivery: Delivery) -> str:
        return waiting.reason(delivery)

    @display(description="SHA-256")
    def checksum(self, delivery: Delivery) -> SafeString:
        return breakable(delivery.sha256)

    @action(
        description="Retry now",
        permissions=["resend"],
        dialog={
            "title": "Try again now?",
            "description": "The same bytes under the same name; Hemi first looks what is on the server.",
            "form_submit_text": "Retry now",
        },
    )
    def retry_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Try a delivery again without waiting."""
        return self.ask(request, object_id, deliveries.retry_now, "The file is tried again now.")

    @action(
        description="Settle",
        permissions=["resend"],
        dialog={
            "title": "Settle an uncertain delivery",
            "description": "The connection broke while the file was being handed over, so Hemi does not know whether "
            "it arrived. Look on the server or ask the supplier first: sent twice may be made twice.",
            "form_class": SettleForm,
            "form_submit_text": "Settle",
        },
    )
    def settle(self, request: HttpRequest, form: SettleForm, object_id: str) -> HttpResponse:
        """Say what became of a file."""
        was_sent, reason = form.cleaned_data["outcome"] == "sent", form.cleaned_data["reason"]
        service = deliveries.settle_uncertain
        return self.ask(request, object_id, service, "The delivery is settled.", was_sent=was_sent, reason=reason)

    @action(description="Download document", permissions=["download"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand out the document, byte for byte."""
        delivery = self.get_object(request, object_id)
        return attachment(bytes(delivery.document), delivery.final_name)

    @action(description="Retry now", permissions=["resend"])
    def retry_deliveries(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Try the chosen deliveries again."""
        done = "{count} to be tried again now."
        self.ask_for_rows(request, queryset, "retry_deliveries", deliveries.retry_now, done)
