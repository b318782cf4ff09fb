"""What can be done with an account: buttons on its page, actions on the list."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from hemi.lib.buttons import ReasonedButtons, go
from hemi.lib.dialogs import ReasonForm
from hemi.lib.links import page_of
from integrations.admin import account_exports, account_links, account_orders, account_tokens
from integrations.admin.account_form import PasteForm
from integrations.models import AccountShopify
from integrations.services import accounts, callbacks, install_links, locations
from integrations.services.refusals import Refused
from integrations.shopify.errors import ShopifyError


class AccountButtons(
    account_links.LinkButtons, account_orders.OrderButtons, account_exports.ExportButtons, ReasonedButtons
):
    """The buttons of an account's page and the actions of the list."""

    subject = "account"
    refusal_errors = (Refused, ShopifyError)
    actions = ["generate_install_links", "send_install_emails", "move_to_expiring_tokens"]
    actions_detail_hide_default = True  # History stands under More: there must be room for the store's name
    actions_detail = [
        "generate_install_link",
        "send_install_email",
        {
            "title": "More",
            "items": [
                "fetch_orders",
                "recover_orders",
                "get_collections",
                "make_collections_file",
                "refresh_locations",
                "ask_for_scopes",
                "paste_address",
                "subscribe_webhooks",
                "get_token",
                "move_to_expiring",
                "pause",
                "resume",
                "store_was_renamed",
                "disconnect",
                "see_history",
            ],
        },
    ]
    button_refusals = {
        **account_tokens.REFUSALS,
        **account_links.REFUSALS,
        "generate_install_link": install_links.why_not,
        "generate_install_links": install_links.why_not,
        "send_install_email": install_links.why_not_mail,
        "send_install_emails": install_links.why_not_mail,
        "paste_address": install_links.why_not,
        "refresh_locations": accounts.why_not_read,
        **account_exports.REFUSALS,
        **account_orders.REFUSALS,
        "subscribe_webhooks": accounts.why_not_subscribe,
        "pause": lambda account: "The account is paused already." if account.paused_at else "",
        "resume": lambda account: "" if account.paused_at else "The account is not paused.",
    }

    def has_install_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.install_accountshopify")

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.export_accountshopify")

    def has_pause_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("integrations.pause_accountshopify")

    @action(
        description="Generate Install Link",
        permissions=["install"],
        dialog={
            "title": "Generate the install link?",
            "description": "You get an address to copy. The store's owner opens it and gives consent; it works once. "
            "A link that is still open is shown again.",
            "form_submit_text": "Generate",
        },
    )
    def generate_install_link(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Show the open install link, making it first if need be."""
        account = self.get_object(request, object_id)
        try:
            link = install_links.get_or_make(account=account, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
            return go(request, page_of(account))
        self.log_change(request, account, "Generated the install link.")
        return go(request, page_of(link))

    @action(
        description="Send install email",
        permissions=["install"],
        dialog={
            "title": "Mail the install link?",
            "description": "It goes to the Client Email of this account. Sent again, it repeats the same link.",
            "form_submit_text": "Send",
        },
    )
    def send_install_email(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Mail the install link."""
        done = "The install link is mailed within seconds; see Install links for what became of it."
        return self.ask(request, object_id, install_links.mail, done)

    @action(
        description="Paste the redirected address",
        permissions=["install"],
        dialog={
            "title": "Paste the redirected address",
            "description": "For an app whose redirect URI lies outside Hemi: the address on which the client's "
            "browser came out after consent.",
            "form_class": PasteForm,
            "form_submit_text": "Connect",
        },
    )
    def paste_address(self, request: HttpRequest, form: PasteForm, object_id: str) -> HttpResponse:
        """Take a callback by hand."""
        account = self.get_object(request, object_id)
        try:
            link = callbacks.receive(urlsplit(form.cleaned_data["address"].strip()).query, account.pk)
        except (Refused, ValueError) as refused:
            rule = getattr(refused, "rule", "malformed")
            messages.error(request, f"The address was refused ({rule.replace('_', ' ')}): {refused}")
            return go(request, page_of(account))
        self.log_change(request, link.account, "Pasted the redirected address.")
        messages.success(request, f"{link.account} is being connected; reload this page in a few seconds.")
        return go(request, page_of(link.account))

    @action(
        description="Refresh Locations",
        permissions=["export"],
        dialog={
            "title": "Read the locations from the store?",
            "description": "This fills the Location list of this account.",
            "form_submit_text": "Refresh",
        },
    )
    def refresh_locations(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Read the store's locations."""
        return self.ask(request, object_id, locations.refresh, "The locations were read; choose one under Location.")

    @action(
        description="Check webhooks now",
        permissions=["install"],
        dialog={
            "title": "Check the webhooks now?",
            "description": "Hemi compares what Shopify lists with what it needs, and mends what differs.",
            "form_submit_text": "Check",
        },
    )
    def subscribe_webhooks(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for the webhooks."""
        return self.ask(
            request,
            object_id,
            accounts.subscribe_again,
            "The webhooks are checked within seconds; see the Webhooks tab.",
        )

    @action(
        description="Pause",
        permissions=["pause"],
        dialog={
            "title": "Pause the account?",
            "description": "Orders keep coming in; no file of theirs goes out until you resume.",
            "form_class": ReasonForm,
            "form_submit_text": "Pause",
        },
    )
    def pause(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Keep the account's files here."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, accounts.pause, "The account is paused.", reason=reason)

    @action(
        description="Resume",
        permissions=["pause"],
        dialog={
            "title": "Resume the account?",
            "description": "Its files go on within seconds.",
            "form_submit_text": "Resume",
        },
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let the account's files go on."""
        return self.ask(request, object_id, accounts.resume, "The account is resumed.")

    @action(description="History", permissions=["view"])
    def see_history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to who changed what on this account. It changes nothing: a plain link."""
        return HttpResponseRedirect(reverse("admin:integrations_accountshopify_history", args=[object_id]))

    @action(description="Generate Install Link", permissions=["install"])
    def generate_install_links(self, request: HttpRequest, queryset: QuerySet[AccountShopify]) -> HttpResponse | None:
        """Show the install links of the chosen accounts, ready to copy."""
        made: list[int] = []

        def make(account: AccountShopify) -> None:
            made.append(install_links.get_or_make(account=account, by=request.user).pk)

        self.act_on_rows(request, queryset, "generate_install_links", make, "{count} ready to copy.")
        if not made:
            return None
        wanted = ",".join(str(number) for number in made)
        return HttpResponseRedirect(f"{reverse('admin:integrations_installlink_changelist')}?id__in={wanted}")

    @action(description="Send install email", permissions=["install"])
    def send_install_emails(self, request: HttpRequest, queryset: QuerySet[AccountShopify]) -> None:
        """Mail the install links of the chosen accounts."""
        done = "{count} to be mailed."
        self.ask_for_rows(request, queryset, "send_install_emails", install_links.mail, done)
