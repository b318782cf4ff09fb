"""Admin pages that show and never change: what happened is not edited."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline


class ReadOnly:
    """Mixin for a ModelAdmin or an inline: nothing can be added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnly, TabularInline):
    """A table on another object's page; `is_part` says that whoever sees the page may see the table."""

    extra = 0
    can_delete = False
    hide_title = True
    tab = True
    is_part = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_part or super().has_view_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields
