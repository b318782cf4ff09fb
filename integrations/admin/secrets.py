"""Secrets in forms: they go in and never come out. Blank keeps the stored one, a tick clears it."""

import re
from typing import Any

from django import forms
from django.db.models import Model
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

ONE_WORD = re.compile(r"[\x21-\x7e]{1,500}")


def clear_tick(label: str) -> forms.BooleanField:
    """Return the tick that empties a secret."""
    return forms.BooleanField(label=f"Clear the {label}", required=False, widget=UnfoldBooleanWidget)


def what_is_stored(row: Model, name: str) -> str:
    """Say whether a secret is stored; nothing of a row that is only being added."""
    if getattr(row, name):
        return "One is stored; it is never shown. Leave blank to keep it."
    return "" if row._state.adding else "None is stored."


class WriteOnlySecrets(forms.ModelForm):
    """Each name in `secret_fields` has a tick `clear_<name>` beside it."""

    secret_fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.present_secrets:
            is_stored = bool(getattr(self.instance, name))
            field = self.fields[name]
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
            self.initial[name] = ""
            field.help_text = f"{what_is_stored(self.instance, name)} {field.help_text}".strip()
            if not is_stored:
                self.fields[f"clear_{name}"].disabled = True

    @property
    def present_secrets(self) -> list[str]:
        """The secrets that this person may change: on a page that is only shown there are none."""
        return [name for name in self.secret_fields if name in self.fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self.present_secrets:
            typed = (cleaned.get(name) or "").strip()
            wants_clear = cleaned.get(f"clear_{name}")
            if typed and wants_clear:
                self.add_error(name, "Either enter a new one or clear it, not both.")
            elif typed and not ONE_WORD.fullmatch(typed):
                self.add_error(name, "This is not what Shopify shows: it has no spaces and plain characters only.")
            cleaned[name] = typed if typed else ("" if wants_clear else getattr(self.instance, name))
        return cleaned
