"""Supplier replies: the files that came back, as they came, and what was made of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges
from hemi.lib.database import starts_with
from hemi.lib.downloads import attachment
from hemi.lib.links import breakable, link_to
from hemi.lib.long_lists import LongList
from hemi.lib.readonly import ReadOnly, ReadOnlyInline
from suppliers.admin import refusals
from suppliers.admin.reply_buttons import MatchedByHand
from suppliers.models import ReplyStatement, SupplierReply
from suppliers.services import replies


class StatementInline(ReadOnlyInline):
    """What the file says, one row an order."""

    model = ReplyStatement
    verbose_name_plural = "statements"
    is_part = True
    tab = False
    per_page = 50
    fields = ["shown", "kind", "shown_state", "part", "note"]
    ordering = ["position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplyStatement]:
        return super().get_queryset(request).select_related("supplier_order", "reply")

    @display(description="about")
    def shown(self, row: ReplyStatement) -> SafeString:
        return link_to(row, row.reference or f"Statement {row.position}")

    @display(description="state")
    def shown_state(self, row: ReplyStatement) -> SafeString:
        return badges.state(row)

    @display(description="supplier order")
    def part(self, row: ReplyStatement) -> str:
        return link_to(row.supplier_order) if row.supplier_order else ""


@admin.register(SupplierReply)
class SupplierReplyAdmin(MatchedByHand, LongList, ReadOnly, ModelAdmin):
    """One row a file, or a sign of what became of an order file."""

    list_display = ["file_name", "shown_state", "kind", "endpoint", "supplier_order", "shown_note", "received_at"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("endpoint", RelatedDropdownFilter),
        ("source", ChoicesDropdownFilter),
    ]
    search_fields = ["reference"]  # shows the box; get_search_results looks
    search_help_text = "Reference that the reply names, from its beginning."
    inlines = [StatementInline]
    fieldsets = [
        (None, {"fields": [("endpoint", "shown_state"), "note", ("source", "format")]}),
        (None, {"fields": [("received_at", "applied_at"), ("size", "checksum")]}),
    ]

    subject = "reply"
    matching, settling = replies.match_reply, replies.settle_reply
    actions = ["read_replies"]
    actions_detail = ["match", "settle", "read_again", "download"]
    button_refusals = {
        "match": refusals.match_reply,
        "settle": refusals.settle_reply,
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
        if not term:
            return queryset, False
        named = ReplyStatement.objects.filter(starts_with("reference", term))
        return queryset.filter(pk__in=named.values("reply")), False

    @display(description="state")
    def shown_state(self, reply: SupplierReply) -> SafeString:
        return badges.state(reply)

    @display(description="note")
    def shown_note(self, reply: SupplierReply) -> SafeString:
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', reply.note)

    @display(description="SHA-256")
    def checksum(self, reply: SupplierReply) -> str:
        is_fetched = reply.source == SupplierReply.Source.FILE and not reply.sha256.startswith("size-")
        return breakable(reply.sha256) if is_fetched else "none: no file was fetched"

    @action(
        description="Read again",
        permissions=["reread"],
        dialog={
            "title": "Read the reply again?",
            "description": "Hemi reads the stored file anew, with the endpoint's CSV columns of now, and looks again "
            "for the orders that it is about. What was applied already stays.",
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
