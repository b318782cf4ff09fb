"""Suppliers: where their files go, test or live, paused or not."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.dialogs import ReasonForm
from hemi.lib.links import link_to
from integrations.models import AccountShopify
from orders.services import Refused
from suppliers import drafting
from suppliers.admin import pages
from suppliers.admin.file_settings import MAPPED, PreSendRuleInline, SupplierForm
from suppliers.models import Supplier
from suppliers.services import suppliers

_MAPPINGS = "admin:suppliers_mapping_changelist"


class TestOrderForm(BaseDialogForm):
    """Choose the account that the test order is said to come from."""

    account = forms.ModelChoiceField(
        AccountShopify.objects.all(),
        label="Account",
        empty_label="Choose an account",
        widget=UnfoldAdminSelectWidget,
        help_text="The test order carries this store's name.",
        error_messages={"required": "Choose an account."},
    )


def _why_no_test_order(supplier: Supplier) -> str:
    if supplier.is_live:
        return f"{supplier} is live and gets real orders only. Take it back to test first."
    return "" if AccountShopify.objects.exists() else "There is no account yet that the order could come from."


def _why_kept(supplier: Supplier) -> str:
    if supplier.supplier_orders.exists():
        return "It has orders. Pause it instead."
    return "Routing rules send to it. Delete or change those first." if supplier.rules.exists() else ""


@admin.register(Supplier)
class SupplierAdmin(ReasonedButtons, KeptWhileUsed, ModelAdmin):
    """A new supplier is in test mode: send a test order, look at its file, then go live."""

    list_display = ["name", "code", "shown_mode", "endpoint", "shown_pause"]
    list_filter = ["mode"]
    list_select_related = ["endpoint"]
    compressed_fields = False
    search_fields = ["name", "code"]
    form = SupplierForm
    inlines = [PreSendRuleInline]
    readonly_fields = ["shown_mode", "shown_pause", "shown_mapping"]
    fieldsets = [
        (None, {"fields": ["name", "code", "endpoint", "contact_email", ("shown_mode", "shown_pause")]}),
        ("Replies and changes", {"fields": [("reply_hours", "amendments")]}),
        (
            "Files",
            {
                "fields": [
                    ("format", "encoding"),
                    ("csv_delimiter", "unit_code"),
                    ("schema", "shown_mapping"),
                    "replacements",
                ]
            },
        ),
    ]
    why_kept = _why_kept

    subject = "supplier"
    refusal_errors = (Refused,)
    actions_detail = [
        {"title": "Test or live", "items": ["send_test_order", "go_live", "back_to_test"]},
        "pause",
        "resume",
        "preview",
    ]
    button_refusals = {
        "send_test_order": _why_no_test_order,
        "go_live": lambda supplier: "The supplier is live already." if supplier.is_live else "",
        "back_to_test": lambda supplier: "" if supplier.is_live else "The supplier is in test mode already.",
        "pause": lambda supplier: "The supplier is paused already." if supplier.paused_at else "",
        "resume": lambda supplier: "" if supplier.paused_at else "The supplier is not paused.",
    }

    def save_model(self, request: HttpRequest, obj: Supplier, form: Any, change: bool) -> None:
        """Let files that nobody has seen follow a supplier to another endpoint, and say which cannot."""
        super().save_model(request, obj, form, change)
        if change and "endpoint" in form.changed_data:  # it locks order after order, and must hold no other lock
            transaction.on_commit(lambda: self._let_files_follow(request, obj))

    def _let_files_follow(self, request: HttpRequest, obj: Supplier) -> None:
        moved, left = suppliers.switched(supplier=obj, by=request.user)
        if moved:
            files = "1 file that nobody has seen goes" if moved == 1 else f"{moved} files that nobody has seen go"
            messages.info(request, f"{files} to {obj.endpoint} now.")
        if left:
            files, they = ("1 file stays", "it is") if left == 1 else (f"{left} files stay", "they are")
            messages.warning(
                request,
                f"{files} at the former endpoint, for something may lie there already. Keep that endpoint active until "
                f"{they} sent or settled; see Deliveries.",
            )

    def get_readonly_fields(self, request: HttpRequest, obj: Supplier | None = None) -> list[str]:
        mapped = [] if request.user.has_perm("suppliers.map_supplier") else MAPPED
        return [*self.readonly_fields, *mapped, "code"] if obj else [*self.readonly_fields, *mapped]

    def get_fieldsets(self, request: HttpRequest, obj: Supplier | None = None) -> Any:
        if obj:
            return self.fieldsets
        first = ["name", "code", "endpoint", "contact_email"]
        files = [("format", "encoding"), ("csv_delimiter", "unit_code"), "schema", "replacements"]
        later = [("reply_hours", "amendments")]
        return [(None, {"fields": first}), ("Replies and changes", {"fields": later}), ("Files", {"fields": files})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Supplier]:
        return super().get_queryset(request).select_related("endpoint", "schema").defer("schema__archive")

    def has_golive_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.golive_supplier")

    def has_pause_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.pause_supplier")

    def has_preview_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.preview_supplierorder")

    @display(description="mode")
    def shown_mode(self, supplier: Supplier) -> SafeString:
        return badges.state(supplier, "mode")

    @display(description="paused")
    def shown_pause(self, supplier: Supplier) -> str:
        if supplier.paused_at is None:
            return "No"
        since = date_format(supplier.paused_at, "SHORT_DATETIME_FORMAT")
        return format_html("{} since {}: {}", badges.badge("Paused", "warning"), since, supplier.pause_reason)

    @action(
        description="Send a test order",
        permissions=["golive"],
        dialog={
            "title": "Send a test order",
            "description": "Hemi makes an order of two lines, marked as a test, and brings its file to the supplier.",
            "form_class": TestOrderForm,
            "form_submit_text": "Send",
        },
    )
    def send_test_order(self, request: HttpRequest, form: TestOrderForm, object_id: str) -> HttpResponse:
        """Make a test order for the supplier."""
        account = form.cleaned_data["account"]
        done = "The test order is made. Find its file under Supplier orders."
        return self.ask(request, object_id, suppliers.send_test_order, done, account=account)

    @action(
        description="Go live",
        permissions=["golive"],
        dialog={
            "title": "Take the supplier live?",
            "description": "From now on it gets the real orders that the routing rules give it, as files that it "
            "will make and ship, and no test orders any more. Files of real orders that were made for it and not sent "
            "go out now; files of test orders that were not sent stay here. Orders that waited for a live supplier are "
            "not sent by themselves: route them again.",
            "form_submit_text": "Go live",
        },
    )
    def go_live(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let real orders go to the supplier."""
        return self.ask(request, object_id, suppliers.go_live, "The supplier is live: it gets real orders from now on.")

    @action(
        description="Back to test",
        permissions=["golive"],
        dialog={
            "title": "Take the supplier back to test?",
            "description": "It gets no more real orders; lines that its rules would take wait under Needs attention. "
            "Files of real orders that were made and not sent stay here until it is live again; files of test orders "
            "go out.",
            "form_submit_text": "Back to test",
        },
    )
    def back_to_test(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let only test orders go to the supplier."""
        return self.ask(request, object_id, suppliers.back_to_test, "The supplier is in test mode: no real orders.")

    @action(
        description="Pause",
        permissions=["pause"],
        dialog={
            "title": "Pause the supplier?",
            "description": "Its files are made and kept here until you resume. Nothing is lost.",
            "form_class": ReasonForm,
            "form_submit_text": "Pause",
        },
    )
    def pause(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Keep the supplier's files back."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, suppliers.pause, "The supplier is paused.", reason=reason)

    @action(
        description="Resume",
        permissions=["pause"],
        dialog={
            "title": "Resume?",
            "description": "The files that waited go out now.",
            "form_submit_text": "Resume",
        },
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let the supplier's files go again."""
        return self.ask(request, object_id, suppliers.resume, "The supplier's files go out again.")

    @display(description="the supplier's own format")
    def shown_mapping(self, supplier: Supplier) -> SafeString:
        live = drafting.live_mapping(supplier)
        shown = link_to(live, f"Version {live.version} is live") if live else "No version is live"
        query = urlencode({"supplier__id__exact": supplier.pk})
        return format_html('{}. <a href="{}?{}" class="text-link">All versions</a>', shown, reverse(_MAPPINGS), query)

    @action(description="Preview", permissions=["preview"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the document of any order as this supplier gets it."""
        return pages.preview(self, request, self.get_object(request, object_id))
