"""Forms of the admin's dialogs."""

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget


def wrapping(label: str) -> SafeString:
    """Let the label of a choice go on in a second line: else a dialog grows wider than a phone."""
    return format_html('<span style="white-space: normal">{}</span>', label)


class ReasonForm(BaseDialogForm):
    """Ask why; the answer goes on the timeline."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Whoever looks next will read this.",
        error_messages={"required": "Give a reason; whoever looks next will want to know."},
    )
