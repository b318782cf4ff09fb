"""Endpoints: the servers that take suppliers' files. A password or key goes in and never comes out."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.links import breakable, page_of
from hemi.lib.secrecy import HidesSecrets
from integrations import daily
from orders.services import Refused
from suppliers.admin import endpoint_pages
from suppliers.admin.endpoint_form import SECRETS, EndpointForm
from suppliers.admin.identity_form import IdentityForm
from suppliers.admin.reply_columns import ReplyColumnsInline
from suppliers.models import Endpoint, EndpointCheck
from suppliers.services import endpoints, outboxes

EXPOSED = (
    "This endpoint uses plain FTP: its password and every order can be read by whoever listens on the way. "
    "Ask the supplier for a protected connection."
)
# What belongs to one server and not to the next.
_OF_THE_SERVER: dict[str, Any] = {
    "host_identity": "",
    "offered_identity": "",
    "identity_confirmed_at": None,
    "identity_confirmed_by": None,
    "profile": {},
    "profiled_at": None,
}


def _why_kept(endpoint: Endpoint) -> str:
    if endpoint.deliveries.exists() or endpoint.replies.exists():
        return "Files went through it. Make it inactive instead."
    return "A supplier uses it. Give that supplier another endpoint first." if endpoint.suppliers.exists() else ""


@admin.register(Endpoint)
class EndpointAdmin(ReasonedButtons, KeptWhileUsed, HidesSecrets, ModelAdmin):
    """Test the connection before a supplier goes live."""

    form = EndpointForm
    secret_fields = SECRETS
    list_display = ["name", "protocol", "host", "username", "shown_state", "shown_waiting", "profiled_at"]
    compressed_fields = False
    search_fields = ["name", "host"]
    readonly_fields = [
        "shown_state",
        "shown_waiting",
        "shown_identity",
        "shown_suppliers",
        "shown_names",
        "shown_profile",
        "shown_test",
        "stopped_at",
        "shown_stop_reason",
        "shown_last_error",
        "polled_at",
    ]
    fieldsets = [
        (
            "State",
            {
                "fields": [
                    ("shown_state", "shown_waiting", "shown_suppliers"),
                    ("stopped_at", "polled_at", "shown_test"),
                    "shown_stop_reason",
                    "shown_last_error",
                    "shown_profile",
                ]
            },
        ),
        ("Identity", {"fields": ["shown_identity"]}),
        ("Server", {"fields": [("protocol", "name"), ("host", "port"), "is_plain_accepted"]}),
        (
            "Sign in",
            {
                "fields": [
                    "username",
                    ("password", "clear_password"),
                    ("private_key", "clear_private_key"),
                    ("key_passphrase", "clear_key_passphrase"),
                ]
            },
        ),
        (
            "Files",
            {
                "fields": [
                    ("orders_folder", "name_template"),
                    ("temporary_style", "temporary_mark"),
                    ("done_suffix", "name_encoding"),
                    "taken_within_minutes",
                    "shown_names",
                ]
            },
        ),
        (
            "Replies",
            {
                "fields": [
                    ("replies_folder", "reply_age"),
                    ("after_reading", "archive_folder"),
                    "unreadable_folder",
                    ("done_folder", "failed_folder"),
                    "is_gone_taken",
                ]
            },
        ),
        ("Patience", {"fields": [("connect_timeout", "data_timeout", "max_sessions"), "is_active"]}),
    ]
    inlines = [ReplyColumnsInline]
    why_kept = _why_kept

    subject = "endpoint"
    refusal_errors = (Refused,)
    actions_detail = ["test_connection", "confirm_identity", "restart", "open_outbox"]
    button_refusals = {
        "confirm_identity": endpoints.why_not_confirm,
        "restart": endpoints.why_not_restart,
        "open_outbox": outboxes.why_not_open,
    }

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> list:
        of_a_new_one = {"Identity", "State"}
        shown = [each for each in super().get_fieldsets(request, obj) if obj or each[0] not in of_a_new_one]
        if obj:
            return shown
        return [
            (title, {**options, "fields": [row for row in options["fields"] if row != "shown_names"]})
            for title, options in shown
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        rows = super().get_queryset(request).select_related("identity_confirmed_by")
        return endpoint_pages.with_waiting(rows)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Its tests go with an endpoint; nobody deletes one by itself."""
        found, counts, missing, protected = super().get_deleted_objects(objs, request)
        return found, counts, missing - {EndpointCheck._meta.verbose_name}, protected

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        """Write what the form has and no more: a run may be writing its own columns at this moment."""
        if not change:
            obj.next_check_at = daily.next_check(0, timezone.now())
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in Endpoint._meta.concrete_fields} & set(form.cleaned_data)
        former = Endpoint.objects.get(pk=obj.pk)
        changed = {name for name in columns if getattr(former, name) != getattr(obj, name)}
        if changed & {"host", "port", "protocol"}:
            for name, value in _OF_THE_SERVER.items():
                setattr(obj, name, value)
            columns |= set(_OF_THE_SERVER)
        obj.save(update_fields=sorted(columns - {"id"}))
        if changed:  # it locks order after order, and must not hold what the form has locked
            transaction.on_commit(lambda: self._let_files_follow(request, obj, changed))

    def _let_files_follow(self, request: HttpRequest, endpoint: Endpoint, changed: set[str]) -> None:
        if moved := endpoints.changed(endpoint=endpoint, columns=changed, by=request.user):
            files = "1 file that nobody has seen goes" if moved == 1 else f"{moved} files that nobody has seen go"
            messages.info(request, f"{files} where it says now.")

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        endpoint = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        if endpoint and endpoint.is_exposed:
            messages.warning(request, EXPOSED)
        return super().changeform_view(request, object_id, *args, **kwargs)

    def has_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.test_endpoint")

    @display(description="state")
    def shown_state(self, endpoint: Endpoint) -> SafeString:
        return endpoint_pages.state(endpoint)

    @display(description="files waiting")
    def shown_waiting(self, endpoint: Endpoint) -> str:
        return endpoint_pages.waiting(endpoint)

    @display(description="who the server is")
    def shown_identity(self, endpoint: Endpoint) -> SafeString | str:
        return endpoint_pages.identity(endpoint)

    @display(description="suppliers that use it")
    def shown_suppliers(self, endpoint: Endpoint) -> SafeString | str:
        return endpoint_pages.suppliers(endpoint)

    @display(description="for example")
    def shown_names(self, endpoint: Endpoint) -> SafeString | str:
        return endpoint_pages.names(endpoint)

    @display(description="why it stopped")
    def shown_stop_reason(self, endpoint: Endpoint) -> SafeString:
        return breakable(endpoint.stop_reason or "–")

    @display(description="last error")
    def shown_last_error(self, endpoint: Endpoint) -> SafeString:
        return breakable(endpoint.last_error or "–")

    @display(description="what the last test found")
    def shown_profile(self, endpoint: Endpoint) -> SafeString | str:
        return endpoint_pages.found(endpoint)

    @display(description="last test")
    def shown_test(self, endpoint: Endpoint) -> SafeString | str:
        return endpoint_pages.last_test(endpoint)

    @action(
        description="Test connection",
        permissions=["test"],
        dialog={
            "title": "Test the connection?",
            "description": "Hemi logs in, writes a small file that is no order, renames it within its temporary names, "
            "and removes it. You see every step. Save the endpoint first: the stored settings are used.",
            "form_submit_text": "Test",
        },
    )
    def test_connection(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for a test and show how far it is."""
        endpoint = self.get_object(request, object_id)
        check = endpoints.test(endpoint=endpoint, by=request.user)
        self.log_change(request, endpoint, "Asked for a test of the connection.")
        return go(request, page_of(check))

    @action(
        description="Confirm identity",
        permissions=["test"],
        dialog={
            "title": "Is this the supplier's server?",
            "description": "The fingerprint that the server showed stands on this page, under Identity. Whoever "
            "confirms a wrong one lets a stranger read the password and the orders.",
            "form_class": IdentityForm,
            "form_submit_text": "Confirm",
        },
    )
    def confirm_identity(self, request: HttpRequest, form: IdentityForm, object_id: str) -> HttpResponse:
        """Take the shown identity as the server's, if it is the one that the supplier told."""
        done = "The identity is confirmed. Test the connection now."
        return self.ask(request, object_id, endpoints.confirm_identity, done, shown=form.cleaned_data["shown"])

    @action(
        description="Restart",
        permissions=["test"],
        dialog={
            "title": "Restart the endpoint?",
            "description": "Do this once what stopped it, or kept the server from answering, is mended. The files that "
            "waited go out; where the server did not answer, one goes first.",
            "form_submit_text": "Restart",
        },
    )
    def restart(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let an endpoint that is stopped or left alone try again."""
        return self.ask(request, object_id, endpoints.restart, "The endpoint is at work again.")

    @action(
        description="Open the outbox",
        permissions=["test"],
        dialog={
            "title": "Open the outbox?",
            "description": "A restore closed it, for the backup does not know what was sent since. Hemi now looks up "
            "each file that waits in its journal: what was sent is recorded, what is uncertain waits for you under "
            "Deliveries, and the rest goes out. Wait until orders were fetched again.",
            "form_submit_text": "Open",
        },
    )
    def open_outbox(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let a closed endpoint go on, once the journal was asked."""
        endpoint = self.get_object(request, object_id)

        def do() -> None:
            messages.info(request, outboxes.told(outboxes.open_outbox(endpoint=endpoint, by=request.user)))

        return self.act(request, endpoint, do, "The outbox is open.")
