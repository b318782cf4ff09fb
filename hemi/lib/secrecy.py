"""Keep secrets off pages that may only be read, and the ticks that clear them off pages that have none to clear."""

from typing import Any

from django.http import HttpRequest

Row = str | tuple[str, ...] | list[str]


class HidesSecrets:
    """Mixin for a ModelAdmin or an inline: whoever may not change it does not see `secret_fields`.

    A form never shows a secret, but the same page without the right to change prints each field's value. The tick
    `clear_<name>` stands there only where one is stored.
    """

    secret_fields: tuple[str, ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        hidden = {f"clear_{name}" for name in self.secret_fields} - self._clearable(obj)
        if not self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            hidden = {*self.secret_fields, *(f"clear_{name}" for name in self.secret_fields)}
        return [
            (title, {**options, "fields": [left for row in options["fields"] if (left := _without(row, hidden))]})
            for title, options in fieldsets
        ]

    def holder(self, obj: Any) -> Any:
        """Return the row that has the secrets; None where there is none yet."""
        return obj

    def _clearable(self, obj: Any) -> set[str]:
        row = self.holder(obj)
        if row is None:
            return set()
        # Once a row: a form with a fault writes on it what was typed.
        known = row.__dict__.setdefault("_stored_secrets", [name for name in self.secret_fields if getattr(row, name)])
        return {f"clear_{name}" for name in known}


def _without(row: Row, hidden: set[str]) -> Row | None:
    if isinstance(row, str):
        return None if row in hidden else row
    return tuple(name for name in row if name not in hidden) or None
