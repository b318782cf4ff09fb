"""Collection files that are made in the background."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from hemi.lib import badges, watched
from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnly
from integrations import collection_exports
from integrations.models import CollectionExport

Status = CollectionExport.Status


def why_not_download(export: CollectionExport) -> str:
    """Return why there is no file to take, in one sentence; blank if there is one."""
    if export.status == Status.WAITING:
        return "The file is still being made."
    if export.status == Status.EXPIRED:
        return "The file was kept for a day and is deleted now. Ask for a new one on the account's page."
    if export.status == Status.FAILED:
        return "The file could not be made; see the error. Ask for a new one on the account's page."
    if not (collection_exports.folder() / export.file_name).is_file():
        return "The file is not on this machine: it is on that of the worker that made it, or was removed."
    return ""


@admin.register(CollectionExport)
class CollectionExportAdmin(watched.Watched, ReasonedButtons, ReadOnly, ModelAdmin):
    """One row a file."""

    list_display = ["account", "shown_status", "rows", "made_by", "created_at", "expires_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("account", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["account", "made_by"]
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("store", "shown_status"), "progress", "shown_error"]}),
        ("Times", {"fields": [("made_by", "created_at"), ("done_at", "expires_at")]}),
    ]
    readonly_fields = ["store", "shown_status", "progress", "shown_error"]
    actions_detail = ["download"]
    button_refusals = {"download": why_not_download}

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_export_permission(request)

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("integrations.export_accountshopify")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionExport]:
        return super().get_queryset(request).select_related("account", "made_by")

    def is_under_way(self, export: CollectionExport) -> bool:
        return export.status == Status.WAITING

    @action(description="Download", permissions=["export"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse | FileResponse:
        """Take the file away; it changes nothing, so it is a plain link."""
        export = self.get_object(request, object_id)
        name = f"collections-{export.account.shop_name}.csv"
        try:
            file = (collection_exports.folder() / export.file_name).open("rb")
        except OSError:
            messages.error(request, "The file was deleted a moment ago.")
            return go(request, self.page_of(export))
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        content_type = "text/csv; charset=utf-8"
        return FileResponse(file, as_attachment=True, filename=name, content_type=content_type, headers=headers)

    @display(description="account")
    def store(self, export: CollectionExport) -> SafeString:
        return link_to(export.account)

    @display(description="state", ordering="status")
    def shown_status(self, export: CollectionExport) -> SafeString:
        return badges.state(export)

    @display(description="progress")
    def progress(self, export: CollectionExport) -> SafeString | str:
        if export.status != Status.WAITING:
            return f"{export.rows:,} collections"
        of = f" of {export.total:,}" if export.total else ""
        return watched.bar(export.rows, export.total, f"{export.rows:,}{of} collections; this page renews itself.")

    @display(description="last error")
    def shown_error(self, export: CollectionExport) -> str:
        return export.last_error or "–"
