"""Endpoints: the servers that take suppliers' files. A password goes in and never comes out."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.secrecy import HidesSecrets
from orders.services import Refused
from suppliers import connections
from suppliers.admin.reply_columns import ReplyColumnsInline
from suppliers.models import Endpoint
from suppliers.services import endpoints
from suppliers.transports.errors import TransportError

EXPOSED = (
    "This endpoint uses plain FTP: its password and every order can be read by whoever listens on the way. "
    "Ask the supplier for a protected connection."
)


class EndpointForm(forms.ModelForm):
    """Write-only password; plain FTP over a network only with the tick."""

    class Meta:
        model = Endpoint
        fields = "__all__"
        widgets = {"password": UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            self.initial["password"] = ""
            has_one = bool(self.instance.password)
            self.fields["password"].help_text = (
                "A password is stored. Leave blank to keep it." if has_one else "No password is stored yet."
            )

    def clean_host(self) -> str:
        host = self.cleaned_data["host"].strip()
        if "/" in host or "@" in host or " " in host:
            raise forms.ValidationError("Only the server's name or address, such as ftp.supplier.com.")
        return host

    def clean_password(self) -> str:
        return self.cleaned_data["password"] or self.instance.password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        planned = Endpoint(host=cleaned.get("host", ""), protocol=cleaned.get("protocol", Endpoint.Protocol.FTP))
        if planned.host and planned.is_exposed and not cleaned.get("is_plain_accepted"):
            self.add_error(
                "is_plain_accepted",
                "Plain FTP to another machine is not protected. Tick this if the supplier offers nothing else.",
            )
        if cleaned.get("after_reading") == Endpoint.AfterReading.ARCHIVE and not cleaned.get("archive_folder"):
            self.add_error("archive_folder", "Say into which folder replies are moved.")
        return cleaned


def _why_kept(endpoint: Endpoint) -> str:
    if endpoint.deliveries.exists() or endpoint.replies.exists():
        return "Files went through it. Make it inactive instead."
    return "A supplier uses it. Give that supplier another endpoint first." if endpoint.suppliers.exists() else ""


@admin.register(Endpoint)
class EndpointAdmin(ReasonedButtons, KeptWhileUsed, HidesSecrets, ModelAdmin):
    """Test the connection before a supplier goes live."""

    form = EndpointForm
    secret_fields = ("password",)
    list_display = ["name", "protocol", "host", "username", "shown_state", "polled_at"]
    compressed_fields = False
    search_fields = ["name", "host"]
    readonly_fields = ["shown_state", "stopped_at", "stop_reason", "last_error", "polled_at"]
    fieldsets = [
        (None, {"fields": ["name", "protocol", ("host", "port"), ("username", "password"), "is_plain_accepted"]}),
        ("Folders", {"fields": [("orders_folder", "replies_folder")]}),
        (
            "Replies",
            {
                "fields": [
                    ("reply_age", "after_reading"),
                    ("archive_folder", "unreadable_folder"),
                    ("done_folder", "failed_folder"),
                    "is_gone_taken",
                ]
            },
        ),
        ("Patience", {"fields": [("connect_timeout", "data_timeout"), "is_active"]}),
        ("State", {"fields": [("shown_state", "stopped_at", "polled_at"), "stop_reason", "last_error"]}),
    ]
    inlines = [ReplyColumnsInline]
    why_kept = _why_kept

    subject = "endpoint"
    refusal_errors = (Refused, TransportError)
    actions_detail = ["test_connection", "restart"]
    button_refusals = {"restart": lambda endpoint: "" if endpoint.stopped_at else "The endpoint is not stopped."}

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> list:
        return super().get_fieldsets(request, obj)[: None if obj else -1]

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        endpoint = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        if endpoint and endpoint.is_exposed:
            messages.warning(request, EXPOSED)
        return super().changeform_view(request, object_id, *args, **kwargs)

    def has_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.test_endpoint")

    @display(description="state")
    def shown_state(self, endpoint: Endpoint) -> SafeString:
        if endpoint.stopped_at:
            return badges.badge("Stopped", "danger")
        if not endpoint.is_active:
            return badges.badge("Inactive")
        return badges.badge("Not protected", "warning") if endpoint.is_exposed else badges.badge("In use", "success")

    @action(
        description="Test connection",
        permissions=["test"],
        dialog={
            "title": "Test the connection?",
            "description": "Hemi logs in, looks into both folders and leaves. Nothing is written. "
            "Save the endpoint first: the stored settings are used.",
            "form_submit_text": "Test",
        },
    )
    def test_connection(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Log in and look; a person waits."""
        endpoint = self.get_object(request, object_id)
        try:
            messages.success(request, connections.check(endpoint))
        except TransportError as error:
            messages.error(request, f"The connection does not work. {error}")
        return go(request, self.page_of(endpoint))

    @action(
        description="Restart",
        permissions=["test"],
        dialog={
            "title": "Restart the endpoint?",
            "description": "Do this once what stopped it is mended. The files that waited go out.",
            "form_submit_text": "Restart",
        },
    )
    def restart(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let a stopped endpoint try again."""
        return self.ask(request, object_id, endpoints.restart, "The endpoint is at work again.")
