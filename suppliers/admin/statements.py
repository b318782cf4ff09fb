"""What replies say, order by order: the list in which those that fit no order wait to be matched by hand."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from hemi.lib import badges
from hemi.lib.links import link_to
from hemi.lib.long_lists import FoundByBeginning, LongList
from hemi.lib.readonly import ReadOnly
from suppliers.admin import refusals
from suppliers.admin.reply_buttons import MatchedByHand
from suppliers.models import ReplyStatement
from suppliers.services import replies


@admin.register(ReplyStatement)
class ReplyStatementAdmin(MatchedByHand, FoundByBeginning, LongList, ReadOnly, ModelAdmin):
    """One row an order that a file speaks of."""

    list_display = ["shown_reference", "kind", "shown_state", "file", "endpoint", "shown_part", "note", "received_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("reply__endpoint", RelatedDropdownFilter)]
    ordering = ["-pk"]
    search_fields = ["reference"]
    search_help_text = "Reference that is named, from its beginning."
    fieldsets = [
        (None, {"fields": [("reference", "kind", "shown_state"), "note", ("file", "shown_part")]}),
        (None, {"fields": ["shown_lines", ("despatch", "carrier", "tracking"), ("supplier_reference", "reason")]}),
    ]

    subject = "statement"
    matching, settling = replies.match, replies.settle
    actions_detail = ["match", "settle"]
    button_refusals = {"match": refusals.match, "settle": refusals.settle_statement}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplyStatement]:
        rows = super().get_queryset(request).select_related("reply__endpoint", "supplier_order")
        return rows.defer("reply__content")

    @display(description="about")
    def shown_reference(self, row: ReplyStatement) -> str:
        return row.reference or f"Statement {row.position}"

    @display(description="state")
    def shown_state(self, row: ReplyStatement) -> SafeString:
        return badges.state(row)

    @display(description="file")
    def file(self, row: ReplyStatement) -> SafeString:
        return link_to(row.reply)

    @display(description="endpoint")
    def endpoint(self, row: ReplyStatement) -> str:
        return str(row.reply.endpoint)

    @display(description="received")
    def received_at(self, row: ReplyStatement) -> str:
        return date_format(timezone.localtime(row.reply.received_at), "SHORT_DATETIME_FORMAT")

    @display(description="supplier order")
    def shown_part(self, row: ReplyStatement) -> str:
        return link_to(row.supplier_order) if row.supplier_order else ""

    @display(description="tracking")
    def tracking(self, row: ReplyStatement) -> SafeString:
        return format_html_join(", ", "{}", ((text,) for text in (*row.numbers, *row.urls) if text))

    @display(description="lines")
    def shown_lines(self, row: ReplyStatement) -> str:
        if not row.lines:
            return format_html("All of the order is {}.", row.kind) if row.kind else ""
        rest = [("The others", "", row.rest, "")] if row.rest else []
        return format_html_join("", "<div>{} {} {} {}</div>", [*(_line(line) for line in row.lines), *rest])


def _line(line: dict[str, Any]) -> tuple[str, str, str, str]:
    name = " ".join(text for text in (f"Line {line['line']}" if line["line"] else "", line["sku"]) if text)
    count = f"{line['quantity']} ×" if line["quantity"] is not None else ""
    return f"{name}:", count, line["status"] or "nothing said", f"({line['reason']})" if line["reason"] else ""
