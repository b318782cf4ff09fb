"""The dialog in which a person confirms who a server is."""

from typing import Any

from django import forms
from django.utils.html import format_html
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from hemi.lib.links import breakable
from suppliers.models import Endpoint
from suppliers.services import endpoints


class IdentityForm(BaseDialogForm):
    """The supplier's fingerprint, or the word of a person who has compared it with the one shown here."""

    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    fingerprint = forms.CharField(
        label="Fingerprint that the supplier gave you",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
    )
    is_compared = forms.BooleanField(label="I have compared it myself", required=False, widget=UnfoldBooleanWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = Endpoint.objects.filter(pk=self.object_id).values_list("offered_identity", flat=True).first() or ""
        self.fields["shown"].initial = offered
        told = format_html("Paste it; Hemi compares it with what the server showed: {}", breakable(offered))
        self.fields["fingerprint"].help_text = told

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        typed = cleaned.get("fingerprint", "").strip()
        if not typed and not cleaned.get("is_compared"):
            self.add_error("fingerprint", "Paste the supplier's fingerprint, or tick that you have compared it.")
        if typed and not endpoints.is_same(typed, cleaned.get("shown", "")):
            self.add_error("fingerprint", "It differs from what the server showed. Ask the supplier before you go on.")
        return cleaned
