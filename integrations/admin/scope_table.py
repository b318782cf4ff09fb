"""The access scopes of an account as a table: one row a scope, and a field for those that are not listed."""

import re
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from integrations import scope_words, scopes

LISTED = scopes.DEFAULT.split(",")


class ScopeTable(forms.Widget):
    """Show and take a list of scopes; what it returns is text again, separated by commas."""

    template_name = "integrations/scope_table.html"

    def __init__(self, granted: str = "") -> None:
        super().__init__()
        self.granted = granted

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        asked = _words(value or "")
        has = scopes.expand(_words(self.granted))
        rows = [
            {
                "handle": handle,
                "words": scope_words.words(handle),
                "is_asked": handle in asked,
                "is_granted": handle in has,
            }
            for handle in LISTED
        ]
        others = ", ".join(handle for handle in asked if handle not in LISTED)
        context["widget"] |= {"rows": rows, "others": others, "is_granted_known": bool(self.granted)}
        return context

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # Django's own renderer of forms does not look into the project's templates.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        parts = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return ",".join(part for part in parts if part)

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_others"


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]
