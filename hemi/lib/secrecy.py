"""Keep secrets off pages that may only be read."""

from typing import Any

from django.http import HttpRequest

Row = str | tuple[str, ...] | list[str]


class HidesSecrets:
    """Mixin for a ModelAdmin or an inline: whoever may not change it does not see `secret_fields`.

    A form never shows a secret, but the same page without the right to change prints each field's value.
    """

    secret_fields: tuple[str, ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return fieldsets
        return [
            (title, {**options, "fields": [left for row in options["fields"] if (left := self._without(row))]})
            for title, options in fieldsets
        ]

    def _without(self, row: Row) -> Row | None:
        hidden = {*self.secret_fields, *(f"clear_{name}" for name in self.secret_fields)}
        if isinstance(row, str):
            return None if row in hidden else row
        return tuple(name for name in row if name not in hidden) or None
