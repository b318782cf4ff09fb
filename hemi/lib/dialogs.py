"""Forms of the admin's dialogs."""

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget


class ReasonForm(BaseDialogForm):
    """Ask why; the answer goes on the timeline."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Whoever looks next will read this.",
        error_messages={"required": "Give a reason; whoever looks next will want to know."},
    )
