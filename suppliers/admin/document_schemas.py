"""Document schemas: a zip of XML schemas, read and compiled before it is stored."""

import hashlib
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.links import breakable
from hemi.lib.readonly import ReadOnly
from suppliers.documents import archives, confined
from suppliers.documents.rendered import InvalidDocument
from suppliers.models import DocumentSchema


class DocumentSchemaForm(forms.ModelForm):
    """A zip and the name of its main document; both are tried before they are stored."""

    zip = forms.FileField(
        label="Zip",
        widget=UnfoldAdminFileFieldWidget,
        help_text="All schemas that the main document names, in their folders. Nothing is read from the network.",
    )

    class Meta:
        model = DocumentSchema
        fields = ["name", "zip", "main_document"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("zip") or not cleaned.get("main_document"):
            return cleaned
        try:
            self.instance.archive = self._archive(cleaned["zip"])
            self.instance.sha256 = hashlib.sha256(self.instance.archive).hexdigest()
            confined.check_schema(self._source(cleaned["main_document"]))
        except (InvalidDocument, archives.BadArchive) as fault:
            self.add_error("zip", str(fault))
        return cleaned

    def _archive(self, file: Any) -> bytes:
        if file.size > archives.MAX_ARCHIVE:
            raise archives.BadArchive(f"The zip is larger than {archives.MAX_ARCHIVE // 1_000_000} MB.")
        return bytes(file.read())

    def _source(self, main: str) -> confined.Source:
        return confined.Source(f"{self.instance.sha256} {main}", lambda: self.instance.archive, {"main": main})


def _why_kept(schema: DocumentSchema) -> str:
    return "A supplier's files are checked with it." if schema.suppliers.exists() else ""


@admin.register(DocumentSchema)
class DocumentSchemaAdmin(KeptWhileUsed, ReadOnly, ModelAdmin):
    """A schema never changes; a newer one is uploaded under another name and chosen at the supplier."""

    form = DocumentSchemaForm
    list_display = ["name", "main_document", "created_at"]
    search_fields = ["name"]
    compressed_fields = False
    fields = ["name", "main_document", "created_at", "shown_sha256"]
    why_kept = _why_kept

    def get_queryset(self, request: HttpRequest) -> QuerySet[DocumentSchema]:
        return super().get_queryset(request).defer("archive")

    def get_fields(self, request: HttpRequest, obj: DocumentSchema | None = None) -> list[str]:
        return list(self.fields) if obj else ["name", "zip", "main_document"]

    def get_readonly_fields(self, request: HttpRequest, obj: DocumentSchema | None = None) -> list[str]:
        return list(self.fields) if obj else []

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("suppliers.map_supplier")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("suppliers.map_supplier")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("suppliers.map_supplier") or super().has_view_permission(request, obj)

    @display(description="SHA-256")
    def shown_sha256(self, schema: DocumentSchema) -> SafeString:
        return breakable(schema.sha256)
