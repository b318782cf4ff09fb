"""Tests of endpoints, step by step, while they run and afterwards."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges, watched
from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.links import link_to, page_of
from hemi.lib.readonly import ReadOnly
from suppliers.admin import endpoint_pages
from suppliers.models import EndpointCheck
from suppliers.services import endpoints
from suppliers.trials import steps

Status = EndpointCheck.Status
_TONES = {"passed": "success", "noted": "warning", "failed": "danger", "skipped": "default"}
_WORDS = {"passed": "Passed", "noted": "Note", "failed": "Failed", "skipped": "Not tried"}
_ROW = (
    '<div style="display:flex;flex-wrap:wrap;gap:2px 16px;padding:6px 0">'
    '<div style="flex:0 0 5.5rem">{}</div><div style="flex:1 1 18rem;min-width:0;overflow-wrap:anywhere">'
    "<b>{}</b> {}<br>{}</div></div>"
)


def table(check: EndpointCheck) -> SafeString | str:
    """Show the steps that were taken so far."""
    rows = (
        (
            badges.badge(_WORDS[step["outcome"]], _TONES[step["outcome"]]),
            step["name"],
            f"({step['seconds']:.1f} s)" if step["seconds"] >= 0.05 else "",
            step["text"],
        )
        for step in check.steps
    )
    return format_html_join("", _ROW, rows) or "–"


@admin.register(EndpointCheck)
class EndpointCheckAdmin(watched.Watched, ReasonedButtons, ReadOnly, ModelAdmin):
    """One row a test."""

    list_display = ["shown_endpoint", "shown_status", "made_by", "created_at", "ended_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("endpoint", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["endpoint", "made_by"]
    compressed_fields = False
    actions_detail_hide_default = True
    fieldsets = [
        (None, {"fields": [("endpoint_page", "shown_status"), "progress"]}),
        (None, {"fields": ["shown_steps"]}),
        ("Times", {"fields": [("asked_by", "created_at", "ended_at")]}),
    ]
    readonly_fields = ["endpoint_page", "shown_status", "progress", "shown_steps", "asked_by"]
    actions_detail = ["test_again"]
    button_refusals = {"test_again": lambda check: "It is still running." if check.status == Status.WAITING else ""}

    def get_queryset(self, request: HttpRequest) -> QuerySet[EndpointCheck]:
        return super().get_queryset(request).select_related("endpoint", "made_by")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or request.user.has_perm("suppliers.test_endpoint")

    def has_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("suppliers.test_endpoint")

    def is_under_way(self, check: EndpointCheck) -> bool:
        return check.status == Status.WAITING

    @action(
        description="Test again",
        permissions=["test"],
        dialog={
            "title": "Test the connection again?",
            "description": "Hemi logs in, writes a small file that is no order, renames it and removes it.",
            "form_submit_text": "Test",
        },
    )
    def test_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for another test of the same endpoint."""
        check = self.get_object(request, object_id)
        return go(request, page_of(endpoints.test(endpoint=check.endpoint, by=request.user)))

    @display(description="endpoint")
    def shown_endpoint(self, check: EndpointCheck) -> str:
        return str(check.endpoint)

    @display(description="endpoint")
    def endpoint_page(self, check: EndpointCheck) -> SafeString:
        return link_to(check.endpoint)

    @display(description="state", ordering="status")
    def shown_status(self, check: EndpointCheck) -> SafeString:
        return endpoint_pages.outcome(check)

    @display(description="what next")
    def progress(self, check: EndpointCheck) -> SafeString | str:
        done, endpoint = len(check.steps), check.endpoint
        if check.status == Status.WAITING:
            words = f"{done} of {steps.COUNT} steps; this page renews itself."
            return watched.bar(done, steps.COUNT, words if done else "It waits for its turn; this page renews itself.")
        if endpoint.needs_identity:
            return format_html("Open {} and press Confirm identity, then test again.", link_to(endpoint))
        if check.status == Status.FAILED:
            return "Mend what failed below and test again."
        if endpoint.stopped_at:
            return format_html("It works. Open {} and press Restart.", link_to(endpoint))
        return "It works; nothing needs to be done."

    @display(description="steps")
    def shown_steps(self, check: EndpointCheck) -> SafeString | str:
        return table(check)

    @display(description="asked for by")
    def asked_by(self, check: EndpointCheck) -> str:
        return str(check.made_by) if check.made_by else "the daily test"
