"""The two buttons of what a supplier sent back and fits no order: a reply, or what it says of one order."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from hemi.lib.buttons import ReasonedButtons
from hemi.lib.dialogs import ReasonForm
from orders.services import Refused


class MatchForm(BaseDialogForm):
    """Name the order that a reply is about."""

    name = forms.CharField(
        label="Reference or order number",
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as HM000042-NORTH-1 or #1001. Only orders of suppliers at this endpoint are found.",
        error_messages={"required": "Type the reference or the order's number."},
    )


class MatchedByHand(ReasonedButtons):
    """Mixin for a ModelAdmin, before it in the bases; `subject` is what the services and people call the row."""

    refusal_errors = (Refused,)
    matching: Callable[..., Any]
    settling: Callable[..., Any]

    def has_reread_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("suppliers.reread_supplierreply")

    @action(
        description="Match to an order…",
        permissions=["reread"],
        dialog={
            "title": "Match it to an order",
            "description": "What the supplier says is applied to that supplier's part of the order, as if it had named "
            "it: its state goes up and never down, and a shipment is told to the store.",
            "form_class": MatchForm,
            "form_submit_text": "Match",
        },
    )
    def match(self, request: HttpRequest, form: MatchForm, object_id: str) -> HttpResponse:
        """Apply it to the order that a person names."""
        done, name = f"The {self.subject} is matched and applied.", form.cleaned_data["name"]
        return self.ask(request, object_id, type(self).matching, done, name=name)

    @action(
        description="Settle",
        permissions=["reread"],
        dialog={
            "title": "Settle it?",
            "description": "It is taken off the list with your reason; nothing is applied to any order.",
            "form_class": ReasonForm,
            "form_submit_text": "Settle",
        },
    )
    def settle(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Take it off the list."""
        done, reason = f"The {self.subject} is settled.", form.cleaned_data["reason"]
        return self.ask(request, object_id, type(self).settling, done, reason=reason)
