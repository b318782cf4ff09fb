"""Privacy requests: what customers and stores asked for, until when, and what was done."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.downloads import attachment
from hemi.lib.readonly import ReadOnly
from integrations.models import PrivacyRequest
from integrations.services import privacy_requests
from integrations.services.refusals import Refused


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ReasonedButtons, ReadOnly, ModelAdmin):
    """One row a request; the file with a person's data is a permission of its own."""

    list_display = ["shown_kind", "shop_name", "customer_id", "shown_status", "received_at", "due_at", "done_at"]
    list_filter = [("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter)]
    list_filter_submit = True
    search_fields = ["shop_name", "=customer_id"]
    search_help_text = "A shop's name, or Shopify's customer id, whole."
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("shown_kind", "shown_status"), ("shop_name", "customer_id"), "shown_orders"]}),
        (None, {"fields": [("received_at", "due_at", "done_at"), "shown_report", "last_error"]}),
    ]
    subject = "request"
    refusal_errors = (Refused,)
    actions_detail = ["download", "mark_done"]
    button_refusals = {"download": privacy_requests.why_no_download, "mark_done": privacy_requests.why_not_done}

    def has_download_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.download_privacyrequest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PrivacyRequest]:
        return super().get_queryset(request).defer("answer")

    @display(description="asks for")
    def shown_kind(self, row: PrivacyRequest) -> str:
        return row.get_kind_display()

    @display(description="state")
    def shown_status(self, row: PrivacyRequest) -> SafeString:
        return badges.state(row)

    @display(description="what was done")
    def shown_report(self, row: PrivacyRequest) -> SafeString:
        return format_html('<span style="white-space: pre-line">{}</span>', row.report or "Nothing yet.")

    @display(description="Shopify's order ids")
    def shown_orders(self, row: PrivacyRequest) -> str:
        return ", ".join(str(number) for number in row.order_ids) or "–"

    @action(description="Download what Hemi holds", permissions=["download"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand out what was gathered on the customer."""
        row = self.get_object(request, object_id)
        self.log_change(request, row, "Downloaded what Hemi holds.")
        return attachment(bytes(row.answer), f"privacy-request-{row.pk}.json")

    @action(
        description="Mark as done",
        permissions=["download"],
        dialog={
            "title": "Was the file given to the store?",
            "description": "The request is done then, and Hemi deletes the file.",
            "form_submit_text": "Done",
        },
    )
    def mark_done(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Note that the request was answered."""
        return self.ask(request, object_id, privacy_requests.mark_done, "The request is done; the file was deleted.")
