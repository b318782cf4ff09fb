"""Deliveries: each document on its way, try by try."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.dialogs import ReasonForm
from hemi.lib.downloads import attachment
from hemi.lib.links import breakable, link_to
from hemi.lib.long_lists import FoundByBeginning, LongList
from hemi.lib.readonly import ReadOnly, ReadOnlyInline
from orders.services import Refused
from suppliers import waiting
from suppliers.admin import refusals
from suppliers.admin.delivery_forms import RetryActionForm, RetryAllForm, SendAgainForm, SettleForm
from suppliers.models import Delivery, DeliveryAttempt
from suppliers.services import deliveries

SHORT = 80  # letters of an error in the list; the page has the whole


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
class DeliveryAdmin(ReasonedButtons, FoundByBeginning, LongList, ReadOnly, ModelAdmin):
    """One row a document."""

    list_display = ["final_name", "state_in_list", "endpoint", "part", "attempts", "created_at", "sent_at"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("supplier_order__supplier", RelatedDropdownFilter),
        ("endpoint", RelatedDropdownFilter),
    ]
    search_fields = ["final_name"]
    is_in_capitals = False
    search_help_text = "File name, from its beginning."
    inlines = [AttemptInline]
    fieldsets = [
        (None, {"fields": [("part", "endpoint", "folder"), ("shown_state", "step", "next_try"), "why_it_waits"]}),
        (None, {"fields": ["shown_last_error", "remarks"]}),
        (None, {"fields": [("created_at", "first_claimed_at", "sent_at"), ("size", "checksum", "temporary_name")]}),
        (None, {"fields": [("renaming_at", "done_name", "resends")]}),
    ]

    subject = "delivery"
    refusal_errors = (Refused,)
    action_form = RetryActionForm
    actions = ["retry_deliveries"]
    actions_list = ["retry_given_up"]
    actions_detail = ["retry_now", "send_again", "settle", "download"]
    button_refusals = {
        "retry_now": refusals.retry,
        "retry_deliveries": refusals.retry,
        "send_again": refusals.send_again,
        "settle": refusals.settle,
        "download": refusals.download,
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows = super().get_queryset(request)
        return rows.select_related("endpoint", "supplier_order__order__account", "supplier_order__supplier")

    def has_resend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.resend_delivery")

    def has_download_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.download_delivery")

    @display(description="state")
    def shown_state(self, delivery: Delivery) -> SafeString:
        mark = badges.state(delivery)
        is_kept = delivery.is_held and delivery.status == Delivery.Status.DUE
        return format_html("{} {}", mark, badges.badge("On hold", "warning")) if is_kept else mark

    @display(description="state")
    def state_in_list(self, delivery: Delivery) -> SafeString:
        mark = self.shown_state(delivery)
        if delivery.status in Delivery.FINAL or not delivery.last_error:
            return mark
        error = Truncator(delivery.last_error).chars(SHORT)
        return format_html('<div style="overflow-wrap: anywhere; white-space: normal">{}<br>{}</div>', mark, error)

    @display(description="last error")
    def shown_last_error(self, delivery: Delivery) -> SafeString:
        return breakable(delivery.last_error or "–")

    @display(description="supplier order")
    def part(self, delivery: Delivery) -> SafeString:
        return link_to(delivery.supplier_order)

    @display(description="next try")
    def next_try(self, delivery: Delivery) -> str:
        is_due = delivery.status == Delivery.Status.DUE
        return date_format(delivery.next_attempt_at, "DATETIME_FORMAT") if is_due else ""

    @display(description="why it waits")
    def why_it_waits(self, delivery: Delivery) -> str:
        return waiting.told(delivery)

    @display(description="SHA-256")
    def checksum(self, delivery: Delivery) -> SafeString:
        return breakable(delivery.sha256)

    @action(
        description="Retry now",
        permissions=["resend"],
        dialog={
            "title": "Try again now?",
            "description": "The same bytes; Hemi first looks what is on the server. A file that nobody has seen goes "
            "to the folder, and under the name, that its endpoint has today.",
            "form_class": ReasonForm,
            "form_submit_text": "Retry now",
        },
    )
    def retry_now(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Try a delivery again without waiting."""
        done, reason = "The file is tried again now.", form.cleaned_data["reason"]
        return self.ask(request, object_id, deliveries.retry_now, done, reason=reason)

    @action(
        description="Send again…",
        permissions=["resend"],
        dialog={
            "title": "Send this file again",
            "description": "Sent twice may be made twice, so ask the supplier first.",
            "form_class": SendAgainForm,
            "form_submit_text": "Send again",
        },
    )
    def send_again(self, request: HttpRequest, form: SendAgainForm, object_id: str) -> HttpResponse:
        """Send a sent document once more, or a correction of it."""
        reason = form.cleaned_data["reason"]
        if form.cleaned_data["choice"] == "same":
            done = "The same document is sent again within seconds."
            return self.ask(request, object_id, deliveries.send_again, done, reason=reason)
        done = "A new revision is made and sent within seconds."
        return self.ask(request, object_id, deliveries.send_correction, done, reason=reason)

    @action(
        description="Settle",
        permissions=["resend"],
        dialog={
            "title": "Settle an uncertain delivery",
            "description": "Hemi does not know whether the file arrived; the page says why. Look on the server or ask "
            "the supplier first: sent twice may be made twice.",
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
        return attachment(delivery.document, delivery.final_name)

    @action(description="Retry now", permissions=["resend"])
    def retry_deliveries(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Try the chosen deliveries again."""
        reason = request.POST.get("reason", "").strip()[:300]
        if not reason:
            messages.error(request, "Give a reason beside the action; whoever looks next will want to know.")
            return
        retry = partial(deliveries.retry_now, by=request.user, reason=reason)
        done = "{count} to be tried again now."
        self.act_on_rows(request, queryset, "retry_deliveries", lambda delivery: retry(delivery=delivery), done)

    @action(
        description="Retry all that were given up…",
        permissions=["resend"],
        dialog={
            "title": "Try again what was given up?",
            "description": "Do this once the cause is mended. The same bytes go; Hemi first looks what is on the "
            "server. Files that nobody has seen go to the folder, and under the name, that their endpoint has today. "
            "What is on hold or paused stays.",
            "form_class": RetryAllForm,
            "form_submit_text": "Retry all",
        },
    )
    def retry_given_up(self, request: HttpRequest, form: RetryAllForm) -> HttpResponse:
        """Try all dead letters again, however many."""
        dead = Delivery.objects.filter(status=Delivery.Status.DEAD).order_by("pk")
        if endpoint := form.cleaned_data["endpoint"]:
            dead = dead.filter(endpoint=endpoint)
        pks = list(dead.values_list("pk", flat=True))
        count = deliveries.retry_many(deliveries=pks, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, f"{count} to be tried again now.")
        if left := len(pks) - count:
            messages.warning(request, f"{left} stay as they are: open one of them to read why.")
        return go(request, reverse("admin:suppliers_delivery_changelist"))
