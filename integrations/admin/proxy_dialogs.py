"""The dialogs of a SHOPLINE account, and the one place where a secret or a preview link is shown: the answer itself.

Nothing of it goes through a message, a cookie or the session: whoever reloads the page does not see it again.
"""

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from integrations.models import AccountShopline
from integrations.models.accounts_shopline import WORD
from integrations.services import proxy_secrets, proxy_settings

_TO_DIALOG = {"HX-Retarget": "#dialog", "HX-Reselect": "#dialog", "HX-Reswap": "outerHTML"}


@dataclass(frozen=True)
class ShownOnce:
    """What the answer to a dialog shows: a text to copy, and what it is."""

    title: str
    text: str
    label: str
    value: str = field(repr=False)
    is_link: bool = False


def show_once(model_admin: Any, request: HttpRequest, account: AccountShopline, shown: ShownOnce) -> HttpResponse:
    """Answer with what is shown only now, inside the dialog or, without scripts, as a page."""
    is_dialog = bool(request.headers.get("HX-Request"))
    context = {"shown": shown, "back": model_admin.page_of(account), "opts": model_admin.opts, "title": shown.title}
    context |= model_admin.admin_site.each_context(request)
    template = "integrations/shown_once.html" if is_dialog else "integrations/shown_once_page.html"
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", **(_TO_DIALOG if is_dialog else {})}
    return TemplateResponse(request, template, context, headers=headers)


def side_by_side(account: AccountShopline) -> SafeString:
    """Show what is in force beside what the settings ask for."""
    names = ("Subpath prefix", "Subpath", "Proxy URL")
    rows = [
        {"name": name, "live": live, "asked": asked, "differs": live != asked}
        for name, live, asked in zip(names, account.in_force, account.waiting, strict=True)
    ]
    context = {"rows": rows, "title": _title(account)}
    return render_to_string("integrations/proxy_settings.html", context)


def _title(account: AccountShopline) -> str:
    """Say what becomes of the settings that are not in force."""
    if account.waiting == account.in_force:
        return "Nothing waits"
    if account.state == AccountShopline.State.APPROVED:  # Hemi's own address is another now
        return "Waiting: not submitted"
    return f"Waiting: {account.get_state_display().lower()}"


class AccountDialog(BaseDialogForm):
    """A dialog about one account, such as it was when the dialog was opened."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    form_before_template = "integrations/dialog_text.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = AccountShopline.objects.get(pk=self.object_id)
        self.initial["seen"] = self.mark()

    def mark(self) -> str:
        """Return what tells this state of the account from a later one."""
        return proxy_settings.mark(self.account)

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        return {"text": side_by_side(self.account)}


class RejectForm(AccountDialog):
    """Ask why the settings are turned down."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Whoever submitted them reads this.",
        error_messages={"required": "Say what has to change before they can be approved."},
    )


class RevokeForm(AccountDialog):
    """Ask for the new secret where SHOPLINE made it, and how long the old one is still accepted."""

    pasted = forms.CharField(
        label="New secret",
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Press Revoke in SHOPLINE's Dev Center, and paste the new secret here."},
    )
    minutes = forms.IntegerField(
        label="Minutes for which the old secret is still accepted",
        min_value=0,
        max_value=proxy_secrets.MOST_MINUTES,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="0: not at all, as it must be when the secret leaked. A few minutes if it is only being renewed.",
        error_messages={"required": "Say how many minutes; 0 for none."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.account.plays_storefront:
            del self.fields["pasted"]

    def mark(self) -> str:
        return proxy_secrets.mark(self.account)

    def clean_pasted(self) -> str:
        pasted = str(self.cleaned_data["pasted"]).strip()
        if reason := proxy_secrets.why_not_pasted(pasted):
            raise forms.ValidationError(reason)
        return pasted

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        if self.account.plays_storefront:
            return {"text": "Hemi makes a new secret and shows it once, right after this."}
        return {"text": "SHOPLINE makes the secret: press Revoke in its Dev Center, App proxy, and paste the new one."}

    @property
    def wish(self) -> proxy_secrets.Wish:
        """What the person asks for."""
        said = self.cleaned_data
        return proxy_secrets.Wish(said["seen"], said.get("pasted", ""), said["minutes"])


class PreviewForm(BaseDialogForm):
    """Ask as whom, and which version, the storefront is looked at."""

    customer_id = forms.CharField(
        label="SHOPLINE's customer id",
        max_length=100,
        required=False,
        validators=[WORD],  # it goes into the history, where no mail address may stand
        widget=UnfoldAdminTextInputWidget,
        help_text="The link shows what this customer sees. Blank: a guest, who is not logged in.",
    )
    version = forms.ChoiceField(
        label="Version",
        choices=[("development", "Development: works without approval"), ("release", "Release: what is in force")],
        initial="development",
        widget=UnfoldAdminRadioSelectWidget,
    )
