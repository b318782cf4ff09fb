"""Mappings: the versions of a supplier's own format, looked at before one goes live."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from hemi.lib import badges
from hemi.lib.buttons import ReasonedButtons
from orders.services import Refused
from suppliers import comparisons, drafting
from suppliers.admin import pages
from suppliers.documents import confined
from suppliers.documents.rendered import InvalidDocument
from suppliers.models import Mapping
from suppliers.services import mappings

_MAX_XSLT = 500_000
_CODE = "font-family: monospace; white-space: pre; overflow-x: auto"
_WRAPPED = "white-space: pre-wrap; overflow-wrap: anywhere"


class MappingForm(forms.ModelForm):
    """A new version, typed or as a file; it is compiled before it is stored."""

    xslt = forms.CharField(
        label="XSLT",
        required=False,
        strip=False,
        max_length=_MAX_XSLT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false", "style": _CODE}),
        help_text="XSLT 1.0 over a Hemi 1.0 order. It cannot read or write files, and is stopped when it takes long.",
    )
    file = forms.FileField(
        label="or a file", required=False, widget=UnfoldAdminFileFieldWidget, help_text="Such as order.xsl, in UTF-8."
    )

    class Meta:
        model = Mapping
        fields = ["supplier", "file_ending", "note", "xslt"]

    def clean_file_ending(self) -> str:
        ending = self.cleaned_data["file_ending"].strip().lower()
        RegexValidator(r"\A[a-z0-9]{1,10}\Z", "Letters and digits only, such as xml, txt or csv.")(ending)
        return ending

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if file := cleaned.get("file"):
            cleaned["xslt"] = self._read(file)
        if not cleaned.get("xslt", "").strip():
            self.add_error("xslt", "Paste the XSLT here, or choose a file.")
        elif supplier := cleaned.get("supplier"):
            try:
                confined.check_stylesheet(drafting.stylesheet(cleaned["xslt"], supplier.encoding))
            except InvalidDocument as fault:
                self.add_error("xslt", str(fault))
        return cleaned

    def _read(self, file: Any) -> str:
        if file.size > _MAX_XSLT:
            self.add_error("file", "The file is larger than 500 kB.")
            return ""
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", "The file is not in UTF-8.")
            return ""


def _why_not_back(mapping: Mapping) -> str:
    if not mapping.is_live:
        return "This version is not live."
    return "" if mappings.earlier(mapping) else "There is no version before this one."


@admin.register(Mapping)
class MappingAdmin(ReasonedButtons, ModelAdmin):
    """A version never changes: a newer one is added, tried, compared, and then made live."""

    form = MappingForm
    list_display = ["name", "shown_live", "note", "made_by", "created_at"]
    list_filter = [("supplier", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["supplier", "made_by"]
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("supplier", "version"), ("shown_live", "file_ending"), "note"]}),
        (None, {"fields": [("made_by", "created_at"), "shown_xslt"]}),
    ]
    add_fieldsets = [(None, {"fields": ["supplier", ("file_ending", "note"), "xslt", "file"]})]

    subject = "mapping"
    refusal_errors = (Refused,)
    actions_detail = ["preview", "compare", "make_live", "go_back"]
    button_refusals = {
        "make_live": lambda mapping: "This version is live already." if mapping.is_live else "",
        "go_back": _why_not_back,
        "compare": lambda mapping: "This version is live: there is nothing to compare." if mapping.is_live else "",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mapping]:
        return (
            super()
            .get_queryset(request)
            .select_related("supplier__schema", "made_by")
            .defer("supplier__schema__archive")
        )

    def get_fieldsets(self, request: HttpRequest, obj: Mapping | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Mapping | None = None) -> list[str]:
        return [*[field.name for field in Mapping._meta.fields], "shown_live", "shown_xslt"] if obj else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("suppliers.map_supplier")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("suppliers.map_supplier") or super().has_view_permission(request, obj)

    def has_map_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("suppliers.map_supplier")

    def has_preview_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.preview_supplierorder")

    def save_model(self, request: HttpRequest, obj: Mapping, form: Any, change: bool) -> None:
        obj.xslt = form.cleaned_data["xslt"]
        mappings.add(mapping=obj, by=request.user)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the newest version of the supplier that the address names."""
        initial = super().get_changeform_initial_data(request)
        supplier = request.GET.get("supplier", "")
        newest = Mapping.objects.filter(supplier=supplier).first() if supplier.isdecimal() else None
        return {**initial, "xslt": newest.xslt, "file_ending": newest.file_ending} if newest else initial

    @display(description="version")
    def name(self, mapping: Mapping) -> str:
        return str(mapping)

    @display(description="state")
    def shown_live(self, mapping: Mapping) -> SafeString:
        return badges.badge("Live", "success") if mapping.is_live else badges.badge("Not live")

    @display(description="XSLT")
    def shown_xslt(self, mapping: Mapping) -> SafeString:
        return format_html('<pre class="text-xs" style="{}">{}</pre>', _WRAPPED, mapping.xslt)

    @action(description="Preview", permissions=["preview"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the document of an order as this version makes it."""
        mapping = self.get_object(request, object_id)
        return pages.preview(self, request, mapping.supplier, mapping)

    @action(description="Compare", permissions=["preview"])
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what this version changes over the last real orders."""
        mapping = self.get_object(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "comparison": comparisons.compare(mapping),
            "mapping": mapping,
            "opts": self.opts,
            "title": f"Compare {mapping}",
        }
        return TemplateResponse(request, "suppliers/compare.html", context)

    @action(
        description="Make live",
        permissions=["map"],
        dialog={
            "title": "Make this version live?",
            "description": "From now on the supplier's files are made with it. Files that were made stay as they are. "
            "Look at Compare first.",
            "form_submit_text": "Make live",
        },
    )
    def make_live(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Have files made with this version."""
        mapping = self.get_object(request, object_id)
        if mapping.supplier.format != mapping.supplier.Format.OWN:
            messages.warning(request, f"{mapping.supplier} still gets another format. Change that at the supplier.")
        return self.ask(request, object_id, mappings.make_live, f"Version {mapping.version} is live.")

    @action(
        description="Back to an earlier version",
        permissions=["map"],
        dialog={
            "title": "Back to the version before this one?",
            "description": "The version before this one is live again; this one stays stored. To go further back, "
            "open the version that you want and make it live.",
            "form_submit_text": "Go back",
        },
    )
    def go_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Have files made with the version before this one."""
        return self.ask(request, object_id, mappings.go_back, "The version before this one is live again.")
