"""Who changed what in the configuration."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from hemi.lib.readonly import ReadOnly
from hemi.models import ConfigurationChange


@admin.register(ConfigurationChange)
class ConfigurationChangeAdmin(ReadOnly, ModelAdmin):
    """One row a change; the history on an object's page shows its own."""

    list_display = ["shown_at", "shown_who", "subject", "kind", "shown_fields"]
    list_filter = [("kind", ChoicesDropdownFilter), ("actor", RelatedDropdownFilter)]
    list_filter_submit = True
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    sortable_by: list[str] = []
    search_fields = ["subject", "actor_name"]
    search_help_text = "A part of the object's name, or of the person's."
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("subject", "kind"), ("shown_who", "shown_at")]}),
        (None, {"fields": ["shown_table"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConfigurationChange]:
        return super().get_queryset(request).defer("actor")

    @display(description="when (UTC)")
    def shown_at(self, change: ConfigurationChange) -> str:
        return f"{change.at:%Y-%m-%d %H:%M:%S}"

    @display(description="who")
    def shown_who(self, change: ConfigurationChange) -> str:
        return change.who

    @display(description="fields")
    def shown_fields(self, change: ConfigurationChange) -> str:
        return ", ".join(entry["field"] for entry in change.fields)

    @display(description="before and after")
    def shown_table(self, change: ConfigurationChange) -> SafeString:
        return render_to_string("admin/before_and_after.html", {"change": change})
