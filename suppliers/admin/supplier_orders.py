"""Supplier orders: one supplier's part of an order, its document and what the supplier said."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.dialogs import ReasonForm
from hemi.lib.links import link_to
from hemi.lib.long_lists import FoundByBeginning, LongList
from hemi.lib.readonly import ReadOnly, ReadOnlyInline
from orders.services import Refused
from suppliers import composing, drafting, overdue, previews, standing
from suppliers.admin import refusals
from suppliers.admin.amendments import AmendmentInline
from suppliers.admin.filters import AttentionFilter, OverdueFilter
from suppliers.models import Amendment, ReplyStatement, SupplierOrder, SupplierOrderLine
from suppliers.services import parts


class LineInline(ReadOnlyInline):
    """What the supplier gets."""

    model = SupplierOrderLine
    verbose_name_plural = "lines"
    is_part = True
    tab = False
    fields = ["quantity", "item", "sku", "vendor", "says", "is_live"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplierOrderLine]:
        return super().get_queryset(request).select_related("order_line")

    @display(description="item")
    def item(self, line: SupplierOrderLine) -> str:
        return "\n".join(part for part in (line.order_line.title, line.order_line.variant_title) if part)

    @display(description="SKU")
    def sku(self, line: SupplierOrderLine) -> str:
        return line.order_line.sku

    @display(description="vendor")
    def vendor(self, line: SupplierOrderLine) -> str:
        return line.order_line.vendor

    @display(description="supplier says")
    def says(self, line: SupplierOrderLine) -> str:
        if not line.reply_status:
            return ""
        counts = standing.pieces([line])
        return format_html("{}<br>{} {}", badges.state(line, "reply_status"), counts, line.reply_reason)


class StatementInline(ReadOnlyInline):
    """What the supplier sent back about this part."""

    model = ReplyStatement
    verbose_name_plural = "replies"
    tab = False
    fields = ["file", "kind", "despatch", "shown_state", "note", "received_at"]
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplyStatement]:
        new = super().get_queryset(request).exclude(status=ReplyStatement.Status.UNCHANGED)  # snapshots repeat
        return new.select_related("reply").defer("reply__content")

    @display(description="file")
    def file(self, row: ReplyStatement) -> SafeString:
        return link_to(row, row.reply.file_name)

    @display(description="state")
    def shown_state(self, row: ReplyStatement) -> SafeString:
        return badges.state(row)

    @display(description="received")
    def received_at(self, row: ReplyStatement) -> str:
        return date_format(timezone.localtime(row.reply.received_at), "SHORT_DATETIME_FORMAT")


@admin.register(SupplierOrder)
class SupplierOrderAdmin(ReasonedButtons, FoundByBeginning, LongList, ReadOnly, ModelAdmin):
    """One row a part and revision."""

    list_display = ["reference", "state_in_list", "supplier", "shown_order", "account", "file", "created_at"]
    list_filter = [
        AttentionFilter,
        OverdueFilter,
        ("status", ChoicesDropdownFilter),
        ("supplier", RelatedDropdownFilter),
    ]
    search_fields = ["reference"]
    search_help_text = "Reference, from its beginning."
    inlines = [AmendmentInline, LineInline, StatementInline]
    fieldsets = [
        (None, {"fields": [("shown_order", "supplier", "revision"), ("shown_state", "hold_reason", "cancel_reason")]}),
        (None, {"fields": [("attention", "supplier_reference", "reply_reason"), "shown_findings"]}),
        (None, {"fields": [("file", "created_at", "sent_at"), ("shown_due", "replied_at")]}),
    ]

    subject = "supplier_order"
    refusal_errors = (Refused,)
    actions = ["make_documents_again"]
    actions_detail = ["hold", "release", "cancel", "deal_with", "make_again", "preview"]
    button_refusals = {
        "hold": refusals.hold,
        "release": refusals.release,
        "cancel": refusals.cancel,
        "deal_with": refusals.deal_with,
        "make_again": refusals.make_again,
        "make_documents_again": refusals.make_again,
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplierOrder]:
        rows = super().get_queryset(request).select_related("supplier", "order__account", "delivery")
        alive = Amendment.objects.filter(status=Amendment.Status.OPEN, is_cancellation=True)
        rows = rows.prefetch_related(Prefetch("amendments", alive, to_attr="alive"))
        return rows.prefetch_related("lines")

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.hold_supplierorder")

    def has_preview_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.preview_supplierorder")

    @display(description="state")
    def shown_state(self, part: SupplierOrder) -> SafeString:
        mark = badges.state(part)
        if part.held_at:
            mark = format_html("{} {}", mark, badges.badge("On hold", "warning"))
        counts = standing.pieces(part.lines.all())
        return format_html("{}<br>{}", mark, counts) if counts else mark

    @display(description="state")
    def state_in_list(self, part: SupplierOrder) -> SafeString:
        mark = self.shown_state(part)
        if part.alive or part.is_untold_cancellation:
            mark = format_html("{} {}", mark, badges.badge(f"Alive at {part.supplier}", "danger"))
        if overdue.is_overdue(part):
            mark = format_html("{} {}", mark, badges.badge("Reply overdue", "warning"))
        return format_html("{}<br>{}", mark, part.attention) if part.attention else mark

    @display(description="reply expected")
    def shown_due(self, part: SupplierOrder) -> str:
        if part.reply_due_at is None or part.replied_at:
            return ""
        due = date_format(timezone.localtime(part.reply_due_at), "SHORT_DATETIME_FORMAT")
        return format_html("{} {}", due, badges.badge("Overdue", "warning")) if overdue.is_overdue(part) else due

    @display(description="order")
    def shown_order(self, part: SupplierOrder) -> SafeString:
        return link_to(part.order, part.order.number)

    @display(description="account")
    def account(self, part: SupplierOrder) -> str:
        return part.order.account.shop_name

    @display(description="what the supplier's rules found")
    def shown_findings(self, part: SupplierOrder) -> SafeString:
        return format_html_join(mark_safe("<br>"), "{}", ((finding["text"],) for finding in part.findings))

    @display(description="file")
    def file(self, part: SupplierOrder) -> str:
        if not hasattr(part, "delivery"):
            return ""
        return format_html("{}<br>{}", link_to(part.delivery), badges.state(part.delivery))

    @action(
        description="Hold",
        permissions=["hold"],
        dialog={
            "title": "Put this part on hold?",
            "description": "Its file stays here until you release it. Other suppliers' parts go on.",
            "form_class": ReasonForm,
            "form_submit_text": "Hold",
        },
    )
    def hold(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Keep the part's file from going."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, parts.hold, "This part is on hold.", reason=reason)

    @action(
        description="Release",
        permissions=["hold"],
        dialog={
            "title": "Release this part?",
            "description": "Its file goes on within seconds.",
            "form_class": ReasonForm,
            "form_submit_text": "Release",
        },
    )
    def release(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Let the part go on."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, parts.release, "This part is released.", reason=reason)

    @action(
        description="Cancel",
        permissions=["hold"],
        dialog={
            "title": "Cancel this part?",
            "description": "Its file never goes out. Its lines are free: send them to another supplier from the order.",
            "form_class": ReasonForm,
            "form_submit_text": "Cancel this part",
        },
    )
    def cancel(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Cancel the part for good."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, parts.cancel, "This part is cancelled.", reason=reason)

    @action(
        description="Dealt with",
        permissions=["hold"],
        dialog={
            "title": "Take this part off “Needs attention”?",
            "description": "Say what was done about it; the order's timeline keeps it.",
            "form_class": ReasonForm,
            "form_submit_text": "Dealt with",
        },
    )
    def deal_with(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Note that a person has seen to it."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, parts.deal_with, "This part needs no attention any more.", reason=reason)

    @action(
        description="Make document again",
        permissions=["hold"],
        dialog={
            "title": "Make the document again?",
            "description": "Do this once the order or the supplier's settings are mended.",
            "form_submit_text": "Make again",
        },
    )
    def make_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Try again to make a document."""
        done = "The document is made again within seconds."
        return self.ask(request, object_id, parts.make_document_again, done)

    @action(description="Make documents again", permissions=["hold"])
    def make_documents_again(self, request: HttpRequest, queryset: QuerySet[SupplierOrder]) -> None:
        """Try again to make the documents of the chosen parts, such as after a mapping was mended."""
        make = partial(parts.make_document_again, by=request.user)
        done = "{count} to be made again."
        self.act_on_rows(request, queryset, "make_documents_again", lambda part: make(supplier_order=part), done)

    @action(description="Preview document", permissions=["preview"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the document that is stored, or that would be made now."""
        part = self.get_object(request, object_id)
        context = {**self.admin_site.each_context(request), **_document(part), "part": part, "opts": self.opts}
        context["title"] = f"Document of {part.reference}"
        return TemplateResponse(request, "suppliers/preview.html", context)


def _document(part: SupplierOrder) -> dict[str, Any]:
    if hasattr(part, "delivery"):
        if removed := refusals.download(part.delivery):
            return {"removed": removed}
        text = previews.cut(previews.pretty(part.delivery.document, part.supplier.encoding))
        return {"text": text, "remarks": part.delivery.remarks.splitlines(), "is_stored": True}
    draft = drafting.draft(composing.compose(part), part.supplier)
    return {
        "text": previews.shown(draft, part.supplier.encoding),
        "remarks": draft.rendered.remarks if draft.rendered else [],
        "findings": draft.findings,
        "error": draft.fault,
        "validity": previews.validity(part.supplier, draft),
    }
