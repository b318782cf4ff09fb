"""How a supplier wants its files: the form's checks, and the rules that are looked at before a document is made."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from suppliers.documents import fields, spelling, units
from suppliers.models import PreSendRule, Supplier
from suppliers.presend import UNREPLACEABLE

Demand, Remedy = PreSendRule.Demand, PreSendRule.Remedy
_VALUE = "A number; the characters, such as a-z A-Z 0-9 or latin-1; or the words, separated by commas."
# What only those who may map suppliers change.
MAPPED = ["format", "csv_delimiter", "encoding", "schema", "unit_code", "replacements"]


class SupplierForm(forms.ModelForm):
    """Codes and tables are checked while somebody can mend them."""

    class Meta:
        model = Supplier
        fields = "__all__"

    def clean_unit_code(self) -> str:
        code = self.cleaned_data["unit_code"].strip().upper()
        if not units.is_unit(code):
            common = ", ".join(f"{code} ({units.NAMES[code]})" for code in ("C62", "EA", "H87", "PR", "SET", "KGM"))
            raise forms.ValidationError(f"This is not a unit of UN/ECE Recommendation 20 that Hemi knows: {common} …")
        return code

    def clean_replacements(self) -> str:
        try:
            spelling.table(self.cleaned_data["replacements"])
        except ValueError as fault:
            raise forms.ValidationError(str(fault)) from None
        return self.cleaned_data["replacements"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("format") == Supplier.Format.CSV and cleaned.get("schema"):
            self.add_error("schema", "A schema checks XML. Leave it blank for CSV.")
        return cleaned


class PreSendRuleForm(forms.ModelForm):
    """A rule that can be carried out, or the reason why not."""

    field = forms.ChoiceField(choices=list(fields.LABELS.items()), widget=UnfoldAdminSelectWidget)
    value = forms.CharField(max_length=1000, required=False, widget=UnfoldAdminTextInputWidget, help_text=_VALUE)

    class Meta:
        model = PreSendRule
        fields = ["field", "demand", "value", "remedy"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        demand, value, field = cleaned.get("demand"), cleaned.get("value", "").strip(), cleaned.get("field")
        if demand == Demand.LENGTH and not (value.isdecimal() and int(value) > 0):
            self.add_error("value", "Give a number, such as 35.")
        if demand == Demand.CHARACTERS and not value:
            self.add_error("value", "Give the characters, such as a-z A-Z 0-9 .,- or latin-1.")
        if demand == Demand.ONE_OF and not value and field not in fields.FIXED - {"order_number"}:
            self.add_error("value", "Give the values, separated by commas.")
        if cleaned.get("remedy") == Remedy.REPLACE and (
            demand in UNREPLACEABLE or cleaned.get("field") in fields.FIXED
        ):
            self.add_error("remedy", "There is nothing that it could be replaced by. Stop, or send all the same.")
        return cleaned


class PreSendRuleInline(TabularInline):
    """The rules, carried out from the first to the last."""

    model = PreSendRule
    form = PreSendRuleForm
    verbose_name_plural = "rules before a document is made"
    extra = 0
    hide_title = True
    tab = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the supplier sees them

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("suppliers.map_supplier")

    has_change_permission = has_delete_permission = has_add_permission
