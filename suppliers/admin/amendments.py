"""Changes that came after a supplier had its file: what they are, and what is to become of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.dialogs import ReasonForm
from hemi.lib.links import link_to
from hemi.lib.long_lists import LongList
from hemi.lib.readonly import ReadOnly, ReadOnlyInline
from orders.services import Refused
from suppliers import amendments as runner
from suppliers.models import Amendment
from suppliers.services import amendments

_CELL = 'style="padding:4px 16px 4px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere"'


def table(amendment: Amendment) -> SafeString:
    """Show the changes line by line: what, in the supplier's file, and now."""
    if not amendment.changes:
        return format_html("{}", "Removed with the customer's personal data.")
    cells = [(row["what"], row["before"] or "–", row["after"]) for row in amendment.changes]
    body = format_html_join("", f"<tr><td {_CELL}>{{}}</td><td {_CELL}>{{}}</td><td {_CELL}>{{}}</td></tr>", cells)
    head = f"<tr><th {_CELL}>What</th><th {_CELL}>In the supplier's file</th><th {_CELL}>Now</th></tr>"
    return format_html("<table><thead>" + head + "</thead><tbody>{}</tbody></table>", body)


class AmendmentInline(ReadOnlyInline):
    """The changes that came after this part was sent."""

    model = Amendment
    fk_name = "supplier_order"
    verbose_name_plural = "changes after sending"
    is_part = True
    tab = False
    fields = ["page", "shown_state", "shown_changes", "sent_as", "reason"]
    ordering = ["pk"]

    @display(description="noticed")
    def page(self, amendment: Amendment) -> SafeString:
        return link_to(amendment, f"{amendment.created_at:%Y-%m-%d %H:%M}")

    @display(description="state")
    def shown_state(self, amendment: Amendment) -> SafeString:
        return badges.state(amendment)

    @display(description="changes")
    def shown_changes(self, amendment: Amendment) -> SafeString:
        return table(amendment)


@admin.register(Amendment)
class AmendmentAdmin(ReasonedButtons, LongList, ReadOnly, ModelAdmin):
    """One row a difference between what a supplier was sent and what the order says."""

    list_display = ["shown_part", "shown_state", "shown_order", "supplier", "count", "created_at", "settled_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("supplier_order__supplier", RelatedDropdownFilter)]
    fieldsets = [
        (None, {"fields": [("part", "shown_order", "shown_state"), "shown_changes"]}),
        (None, {"fields": [("created_at", "settled_at", "settled_by"), ("sent_as", "reason")]}),
    ]

    subject = "amendment"
    refusal_errors = (Refused,)
    actions_detail = ["send_change", "send_revision", "settle"]
    button_refusals = {
        "send_change": runner.why_not_sent,
        "send_revision": amendments.why_no_revision,
        "settle": lambda row: "" if row.status == Amendment.Status.OPEN else "It does not wait any more.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Amendment]:
        rows = super().get_queryset(request)
        return rows.select_related("supplier_order__supplier", "supplier_order__order__account", "sent_as")

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.settle_amendment")

    @display(description="supplier order")
    def shown_part(self, amendment: Amendment) -> str:
        return amendment.supplier_order.reference

    @display(description="supplier order")
    def part(self, amendment: Amendment) -> SafeString:
        return link_to(amendment.supplier_order)

    @display(description="order")
    def shown_order(self, amendment: Amendment) -> SafeString:
        return link_to(amendment.supplier_order.order)

    @display(description="supplier")
    def supplier(self, amendment: Amendment) -> str:
        return str(amendment.supplier_order.supplier)

    @display(description="state")
    def shown_state(self, amendment: Amendment) -> SafeString:
        mark = badges.state(amendment)
        is_loud = amendment.is_cancellation and amendment.status == Amendment.Status.OPEN
        return format_html("{} {}", mark, badges.badge("Cancelled in the store", "danger")) if is_loud else mark

    @display(description="changes")
    def count(self, amendment: Amendment) -> int:
        return len(amendment.changes)

    @display(description="changes")
    def shown_changes(self, amendment: Amendment) -> SafeString:
        return table(amendment)

    @action(
        description="Send the change",
        permissions=["settle"],
        dialog={
            "title": "Send the change to the supplier?",
            "description": "The supplier gets a file that says what changed, or that the order is cancelled. It takes "
            "the place of the file that was sent.",
            "form_class": ReasonForm,
            "form_submit_text": "Send",
        },
    )
    def send_change(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Send a change or a cancellation."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, amendments.send_change, "The change goes out.", reason=reason)

    @action(
        description="Send the whole order again",
        permissions=["settle"],
        dialog={
            "title": "Send the whole order again?",
            "description": "The supplier gets the order as it is now, as a newer revision that replaces the file that "
            "was sent. Agree on it with the supplier first: a supplier that does not read revisions makes it twice.",
            "form_class": ReasonForm,
            "form_submit_text": "Send",
        },
    )
    def send_revision(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Send the order as it is now."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, amendments.send_revision, "The newer revision goes out.", reason=reason)

    @action(
        description="Settle",
        permissions=["settle"],
        dialog={
            "title": "Settle this change",
            "description": "Nothing is sent. Say how the supplier was told, or why it need not know.",
            "form_class": ReasonForm,
            "form_submit_text": "Settle",
        },
    )
    def settle(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Take the change off the list."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, amendments.settle, "The change is settled.", reason=reason)
