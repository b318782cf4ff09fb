"""How an endpoint's CSV replies are read, on the endpoint's page."""

import codecs
from typing import Any

from django import forms
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminSelectWidget

from suppliers.models import ReplyColumns
from suppliers.reply_formats import csv_rows

DELIMITERS = [(";", "Semicolon"), (",", "Comma"), ("\t", "Tab"), ("|", "Bar")]


class ReplyColumnsForm(forms.ModelForm):
    """Columns by name, or by number where there is no first row with names."""

    delimiter = forms.ChoiceField(label="Between fields", choices=DELIMITERS, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = ReplyColumns
        exclude = ["endpoint"]

    def clean_encoding(self) -> str:
        name = self.cleaned_data["encoding"].strip()
        try:
            is_text = codecs.lookup(name)._is_text_encoding
        except LookupError:
            is_text = False
        if not is_text:
            raise forms.ValidationError("Such as utf-8, iso-8859-1 or windows-1252.")
        return name

    def clean_words(self) -> str:
        try:
            csv_rows.words(self.cleaned_data["words"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        return self.cleaned_data["words"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("has_header"):
            for name in csv_rows.FIELDS:
                if (place := cleaned.get(name, "").strip()) and not (place.isascii() and place.isdigit()):
                    self.add_error(name, "Without a row of names, give the number of the column, from 1.")
        if cleaned.get("quantity") and not cleaned.get("sku"):
            self.add_error("quantity", "Give the column of the SKU, too: a quantity is one of an article.")
        return cleaned


class ReplyColumnsInline(StackedInline):
    """Needed only where the supplier replies by CSV."""

    model = ReplyColumns
    form = ReplyColumnsForm
    extra = 0
    max_num = 1
    fields = [
        ("delimiter", "encoding", "has_header"),
        ("reference", "status", "supplier_reference"),
        "words",
        ("sku", "quantity", "reason"),
        ("despatch", "carrier"),
        ("tracking_number", "tracking_url"),
    ]
