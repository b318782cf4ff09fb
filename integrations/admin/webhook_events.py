"""Webhooks as they came; failed and ignored ones can be processed again."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnly
from integrations.models import WebhookEvent
from integrations.services import webhook_events
from integrations.services.refusals import Refused


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReasonedButtons, ReadOnly, ModelAdmin):
    """One row a webhook; what it said holds people's data, so reading it is a permission of its own."""

    list_display = ["topic", "shown_status", "account", "webhook_id", "attempts", "received_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("account", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["account"]
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    list_disable_select_all = True
    sortable_by = ["received_at"]
    search_fields = ["=webhook_id"]
    search_help_text = "A webhook id, whole."
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("topic", "store", "shown_status"), ("attempts", "last_error")]}),
        ("Headers", {"fields": [("webhook_id", "event_id"), ("shop_domain", "api_version")]}),
        ("Times", {"fields": [("triggered_at", "received_at", "next_attempt_at")]}),
    ]
    payload_fieldset = ("What it said", {"classes": ["tab"], "fields": ["payload"]})
    readonly_fields = ["attempts", "last_error", "next_attempt_at"]
    subject = "event"
    refusal_errors = (Refused,)
    actions = ["replay_events"]
    actions_detail = ["replay"]
    button_refusals = {"replay": webhook_events.why_not_replay, "replay_events": webhook_events.why_not_replay}

    def has_replay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.replay_webhookevent")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        return super().get_queryset(request).select_related("account").defer("body")

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEvent | None = None) -> list:
        may_read = request.user.has_perm("integrations.read_webhookevent_payload")
        return [*self.fieldsets, self.payload_fieldset] if may_read else self.fieldsets

    @action(
        description="Process again",
        permissions=["replay"],
        dialog={
            "title": "Process this webhook again?",
            "description": "It is taken as if it had just arrived. An order that is known already is not doubled.",
            "form_submit_text": "Process again",
        },
    )
    def replay(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Process one webhook again."""
        return self.ask(request, object_id, webhook_events.replay, "It is processed again within seconds.")

    @action(description="Process again", permissions=["replay"])
    def replay_events(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """Process the chosen webhooks again."""
        self.ask_for_rows(request, queryset, "replay_events", webhook_events.replay, "{count} to be processed again.")

    @display(description="state")
    def shown_status(self, event: WebhookEvent) -> SafeString:
        return badges.state(event)

    @display(description="account")
    def store(self, event: WebhookEvent) -> SafeString:
        return link_to(event.account)

    @display(description="payload")
    def payload(self, event: WebhookEvent) -> SafeString:
        body = bytes(event.body)
        try:
            text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        except ValueError:
            text = body.decode("utf-8", "replace")
        return format_html('<pre class="text-xs whitespace-pre-wrap break-words">{}</pre>', text)
