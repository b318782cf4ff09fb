"""Failed logins, and who is locked out; colleagues are let in again here."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from hemi import lockouts
from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.readonly import ReadOnly
from hemi.models import FailedLogin


@admin.register(FailedLogin)
class FailedLoginAdmin(ReasonedButtons, ReadOnly, ModelAdmin):
    """One row an account, address and browser; rows go when the time is over."""

    list_display = ["username", "ip_address", "failures_since_start", "shown_state", "attempt_time"]
    search_fields = ["username", "ip_address"]
    search_help_text = "An account or an address."
    list_per_page = 50
    sortable_by: list[str] = []
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("username", "ip_address"), ("failures_since_start", "shown_state", "attempt_time")]}),
        (None, {"fields": ["user_agent"]}),
    ]
    subject = "attempt"
    actions = ["unlock_all"]
    actions_detail = ["unlock"]

    def has_unlock_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("hemi.unlock_failedlogin")

    @display(description="state")
    def shown_state(self, attempt: FailedLogin) -> SafeString:
        if attempt.attempt_time < timezone.now() - settings.AXES_COOLOFF_TIME:
            return badges.badge("Over")
        is_locked = attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT
        return badges.badge("Locked out", "danger") if is_locked else badges.badge("Counted", "info")

    @action(
        description="Unlock",
        permissions=["unlock"],
        dialog={
            "title": "Let this account log in again?",
            "description": "The failed tries of the account and of the address are forgotten. First ask the person "
            "whether it was really they who tried.",
            "form_submit_text": "Unlock",
        },
    )
    def unlock(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Forget the failed tries."""
        attempt = self.get_object(request, object_id)
        lockouts.unlock(attempt=attempt, by=request.user)
        self.log_change(request, attempt, "Unlocked.")
        self.message_user(request, f"{attempt.username} can log in again.")
        return go(request, reverse("admin:hemi_failedlogin_changelist"))

    @action(description="Unlock", permissions=["unlock"])
    def unlock_all(self, request: HttpRequest, queryset: QuerySet[FailedLogin]) -> None:
        """Forget the failed tries of the chosen rows."""
        for attempt in queryset:
            lockouts.unlock(attempt=attempt, by=request.user)
            self.log_change(request, attempt, "Unlocked.")
        self.message_user(request, "They can log in again.")
