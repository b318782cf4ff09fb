"""The dialogs of a delivery's page and of the list."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hemi.lib.dialogs import ReasonForm, wrapping
from suppliers import resending
from suppliers.models import Delivery, Endpoint


class SettleForm(ReasonForm):
    """A person has looked, or has asked the supplier."""

    field_order = ["outcome", "reason"]
    outcome = forms.ChoiceField(
        label="Did the supplier get the file?",
        choices=[("sent", "Yes, it arrived"), ("again", "No, send it again")],
        widget=UnfoldAdminRadioSelectWidget,
        error_messages={"required": "Say whether the supplier got the file."},
    )


class Told(forms.Widget):
    """Text in a form, to be read before the choice below it."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html('<p class="text-sm">{}</p>', value)


class SendAgainForm(ReasonForm):
    """A person has read what the supplier may have already, and chooses."""

    field_order = ["known", "choice", "reason"]
    known = forms.CharField(label="What the supplier may have", required=False, widget=Told)
    choice = forms.ChoiceField(
        label="What is sent?",
        choices=[
            ("same", wrapping("The same document again, agreed with the supplier")),
            ("correction", wrapping("A correction: a new revision of it")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
        help_text="The same document is not sent while the first one still lies in the folder. A revision is made "
        "from the order as it is now.",
        error_messages={"required": "Say what is to be sent."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Delivery.objects.select_related("endpoint", "supplier_order__supplier__endpoint")
        delivery = rows.get(pk=self.object_id)
        self.fields["known"].initial = resending.what_they_have(delivery)


class RetryAllForm(ReasonForm):
    """Choose whose dead letters are tried again."""

    field_order = ["endpoint", "reason"]
    endpoint = forms.ModelChoiceField(
        Endpoint.objects.all(),
        label="Endpoint",
        required=False,
        empty_label="All endpoints",
        widget=UnfoldAdminSelectWidget,
    )


class RetryActionForm(ActionForm):
    """The reason beside the list's actions."""

    reason = forms.CharField(
        label="",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Reason", "aria-label": "Reason"}),
    )
