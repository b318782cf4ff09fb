"""What can be done with the App Proxy of a SHOPLINE account: its approval, its secret, its preview."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from hemi.lib.buttons import ReasonedButtons, go
from integrations import previews
from integrations.admin.proxy_dialogs import AccountDialog, PreviewForm, RejectForm, RevokeForm, ShownOnce, show_once
from integrations.models import AccountShopline
from integrations.services import proxy_secrets, proxy_settings
from integrations.services.refusals import Refused

_COPY_NOW = "Copy it now: it is shown this once and never again. If it is lost, press Revoke for another."


def _why_no_preview(account: AccountShopline) -> str:
    """Say why there is no version at all to look at."""
    reasons = [previews.why_not(account, is_development=is_development) for is_development in (True, False)]
    return reasons[0] if all(reasons) else ""


class ApprovalButtons:
    """Submit, approve, reject."""

    @action(
        description="Submit for approval",
        permissions=["change"],
        dialog={
            "title": "Submit these settings for approval?",
            "description": "What waits takes effect once it is approved. Until then what is in force stays so.",
            "form_class": AccountDialog,
            "form_submit_text": "Submit",
        },
    )
    def submit(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for approval."""
        return self.ask(request, object_id, proxy_settings.submit, "The settings wait for approval.")

    @action(
        description="Approve",
        permissions=["approve"],
        dialog={
            "title": "Approve exactly these settings?",
            "description": "They take effect at once. If they are changed before you press Approve, it is refused.",
            "form_class": AccountDialog,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: AccountDialog, object_id: str) -> HttpResponse:
        """Put what was submitted into force."""
        seen = form.cleaned_data["seen"]
        return self.ask(request, object_id, proxy_settings.approve, "The settings are in force.", seen=seen)

    @action(
        description="Reject",
        permissions=["approve"],
        dialog={
            "title": "Reject these settings?",
            "description": "What is in force stays so. Whoever submitted them changes them and submits them again.",
            "form_class": RejectForm,
            "form_submit_text": "Reject",
        },
    )
    def reject(self, request: HttpRequest, form: RejectForm, object_id: str) -> HttpResponse:
        """Turn down what was submitted."""
        wishes = {"seen": form.cleaned_data["seen"], "reason": form.cleaned_data["reason"]}
        return self.ask(request, object_id, proxy_settings.reject, "The settings are rejected.", **wishes)


class SecretButtons:
    """Make the secret, revoke it, end the old one's grace."""

    @action(
        description="Make secret",
        permissions=["revoke"],
        dialog={
            "title": "Make the App Proxy Secret?",
            "description": "It is shown once, right after this. Whoever answers the requests needs it to check them.",
            "form_submit_text": "Make",
        },
    )
    def make_secret(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make the first secret and show it."""
        account = self.get_object(request, object_id)
        wish = proxy_secrets.Wish(proxy_secrets.mark(account))
        return self._show_secret(request, account, partial(proxy_secrets.store_first, wish=wish), "Made")

    @action(
        description="Revoke",
        permissions=["revoke"],
        dialog={
            "title": "Revoke the App Proxy Secret?",
            "description": "A new one takes its place at once.",
            "form_class": RevokeForm,
            "form_submit_text": "Revoke",
        },
    )
    def revoke(self, request: HttpRequest, form: RevokeForm, object_id: str) -> HttpResponse:
        """Put a new secret in the place of the old one."""
        account = self.get_object(request, object_id)
        if account.plays_storefront:
            return self._show_secret(request, account, partial(proxy_secrets.revoke, wish=form.wish), "Revoked")
        done = "The secret was revoked; requests are checked with the new one."
        return self.ask(request, object_id, proxy_secrets.revoke, done, wish=form.wish)

    @action(
        description="End the old secret's grace",
        permissions=["revoke"],
        dialog={
            "title": "Stop accepting the old secret now?",
            "description": "From now on what is signed with it is refused.",
            "form_submit_text": "Stop",
        },
    )
    def end_grace(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Forget the old secret."""
        return self.ask(request, object_id, proxy_secrets.end_grace, "Only the current secret is accepted now.")

    def _show_secret(
        self, request: HttpRequest, account: AccountShopline, service: Callable[..., str], done: str
    ) -> HttpResponse:
        try:
            secret = service(account=account, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
            return go(request, self.page_of(account))
        self.log_change(request, account, f"{done} the App Proxy Secret.")
        shown = ShownOnce("The new App Proxy Secret", _COPY_NOW, "App Proxy Secret", str(secret))
        return show_once(self, request, account, shown)


class ProxyButtons(ApprovalButtons, SecretButtons, ReasonedButtons):
    """The buttons of a SHOPLINE account's page."""

    subject = "account"
    refusal_errors = (Refused,)
    actions_detail_hide_default = True  # History stands under More: there must be room for the shop's name
    actions_detail = [
        "submit",
        "approve",
        "reject",
        {
            "title": "More",
            "items": ["preview", "make_secret", "revoke", "end_grace", "see_shoppers", "see_history"],
        },
    ]
    button_refusals = {
        "submit": proxy_settings.why_not_submit,
        "approve": proxy_settings.why_not_decide,
        "reject": proxy_settings.why_not_decide,
        "make_secret": proxy_secrets.why_not_make,
        "revoke": proxy_secrets.why_not_revoke,
        "end_grace": proxy_secrets.why_not_end,
        "preview": _why_no_preview,
    }

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.approve_accountshopline")

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.revoke_accountshopline")

    def has_preview_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.preview_accountshopline")

    def has_shoppers_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.view_shopperlink")

    @action(
        description="Preview link",
        permissions=["preview"],
        dialog={
            "title": "Make a preview link?",
            "description": "It shows the storefront pages as a shopper sees them, real orders included, for "
            f"{previews.MINUTES} minutes. Give it to nobody who may not see them.",
            "form_class": PreviewForm,
            "form_submit_text": "Make link",
        },
    )
    def preview(self, request: HttpRequest, form: PreviewForm, object_id: str) -> HttpResponse:
        """Show a short-lived link to the storefront pages."""
        account, said = self.get_object(request, object_id), form.cleaned_data
        is_development = said["version"] == "development"
        if reason := previews.why_not(account, is_development=is_development):
            messages.error(request, reason)
            return go(request, self.page_of(account))
        link = previews.link(account, said["customer_id"].strip(), is_development=is_development)
        whom = f"customer {said['customer_id'].strip()}" if said["customer_id"].strip() else "a guest"
        self.log_change(request, account, f"Made a preview link of the {said['version']} version for {whom}.")
        text = f"What {whom} sees, for {previews.MINUTES} minutes from now."
        return show_once(self, request, account, ShownOnce("The preview link", text, "Preview link", link, True))

    @action(description="Linked shoppers", permissions=["shoppers"])
    def see_shoppers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the account's linked shoppers. It changes nothing: a plain link."""
        shoppers = reverse("admin:orders_shopperlink_changelist")
        return HttpResponseRedirect(f"{shoppers}?shopline__id__exact={object_id}")

    @action(description="History", permissions=["view"])
    def see_history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to who changed what on this account. It changes nothing: a plain link."""
        return HttpResponseRedirect(reverse("admin:integrations_accountshopline_history", args=[object_id]))
