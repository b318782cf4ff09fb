"""Supplier replies: the files that came back, as they came."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.database import starts_with
from hemi.lib.downloads import attachment
from hemi.lib.links import breakable
from hemi.lib.readonly import ReadOnly
from orders.services import Refused
from suppliers.admin import refusals
from suppliers.models import SupplierReply
from suppliers.services import replies


@admin.register(SupplierReply)
class SupplierReplyAdmin(ReasonedButtons, ReadOnly, ModelAdmin):
    """One row a file."""

    list_display = ["file_name", "shown_state", "kind", "endpoint", "supplier_order", "note", "received_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("endpoint", RelatedDropdownFilter)]
    compressed_fields = False
    actions_detail_hide_default = True
    list_filter_submit = True
    list_per_page = 50
    list_disable_select_all = True
    sortable_by: list[str] = []
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["reference"]  # shows the box; get_search_results looks
    search_help_text = "Reference that the reply names, from its beginning."
    fieldsets = [
        (None, {"fields": [("endpoint", "shown_state", "note"), ("kind", "reference", "supplier_order")]}),
        (None, {"fields": [("received_at", "applied_at"), ("size", "checksum")]}),
    ]

    subject = "reply"
    refusal_errors = (Refused,)
    actions = ["read_replies"]
    actions_detail = ["read_again", "download"]
    button_refusals = {
        "download": refusals.download_reply,
        "read_again": refusals.read_again,
        "read_replies": refusals.read_again,
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplierReply]:
        return super().get_queryset(request).select_related("endpoint", "supplier_order").defer("content")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SupplierReply], search_term: str
    ) -> tuple[QuerySet[SupplierReply], bool]:
        term = search_term.strip().upper()
        return (queryset.filter(starts_with("reference", term)) if term else queryset), False

    def has_reread_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.reread_supplierreply")

    @display(description="state")
    def shown_state(self, reply: SupplierReply) -> SafeString:
        return badges.state(reply)

    @display(description="SHA-256")
    def checksum(self, reply: SupplierReply) -> SafeString:
        return breakable(reply.sha256)

    @action(
        description="Read again",
        permissions=["reread"],
        dialog={
            "title": "Read the reply again?",
            "description": "Hemi looks again for the order that the file is about.",
            "form_submit_text": "Read again",
        },
    )
    def read_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Read one reply again."""
        return self.ask(request, object_id, replies.read_again, "The reply is read again within seconds.")

    @action(description="Download file", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand out the file as it came."""
        reply = self.get_object(request, object_id)
        return attachment(bytes(reply.content), reply.file_name)

    @action(description="Read again", permissions=["reread"])
    def read_replies(self, request: HttpRequest, queryset: QuerySet[SupplierReply]) -> None:
        """Read the chosen replies again."""
        done = "{count} to be read again."
        self.ask_for_rows(request, queryset, "read_replies", replies.read_again, done)
