"""The life of an account's connection: its links, its timeline, and what staff may do about it."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from hemi.lib import badges
from hemi.lib.dialogs import ReasonForm
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnlyInline
from integrations.models import AccountEvent, AccountShopify, InstallLink
from integrations.services import accounts, install_links, store_renames

MOST_EVENTS = 200  # on the page; older ones stay in the database

REFUSALS = {"ask_for_scopes": install_links.why_not_ask_for_scopes, "disconnect": accounts.why_not_disconnect}
_LINK_BADGES: dict[str, tuple[str, str]] = {
    InstallLink.Status.OPEN: ("Waiting for the client", "info"),
    InstallLink.Status.CODE_RECEIVED: ("Connecting", "info"),
    InstallLink.Status.FAILED: ("Failed", "danger"),
    InstallLink.Status.EXPIRED: ("Link expired", "warning"),
}


class NameForm(BaseDialogForm):
    """Ask what a store is called now."""

    name = forms.CharField(
        label="Name of the shop now",
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="“test” for test.myshopify.com; the whole address may be pasted.",
    )


class LinkInline(ReadOnlyInline):
    """The attempts to connect the store, newest first."""

    model = InstallLink
    verbose_name_plural = "Install links"
    is_part = True
    fields = ["link", "shown_status", "reason", "made_by", "expires_at", "mail_state", "mail_error", "connected_at"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstallLink]:
        return super().get_queryset(request).select_related("account", "made_by")

    @display(description="made")
    def link(self, link: InstallLink) -> SafeString:
        return link_to(link, f"{link.created_at:%Y-%m-%d %H:%M} UTC")

    @display(description="state")
    def shown_status(self, link: InstallLink) -> SafeString:
        return badges.state(link)

    @display(description="mail")
    def mail_state(self, link: InstallLink) -> SafeString:
        return badges.state(link, "mail")


class EventInline(ReadOnlyInline):
    """What happened to the connection, newest first."""

    model = AccountEvent
    verbose_name_plural = "Timeline"
    is_part = True
    fields = ["shown_at", "text", "about", "who"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountEvent]:
        rows = super().get_queryset(request).select_related("link__account", "actor")
        match = request.resolver_match
        account_id = str(match.kwargs.get("object_id", "")) if match else ""
        if not account_id.isdecimal():
            return rows
        newest = AccountEvent.objects.filter(account_id=account_id).order_by("-pk").values_list("pk", flat=True)
        return rows.filter(pk__in=list(newest[:MOST_EVENTS]))

    @display(description="when")
    def shown_at(self, event: AccountEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S} UTC"

    @display(description="link")
    def about(self, event: AccountEvent) -> SafeString | str:
        return link_to(event.link, f"{event.link.created_at:%Y-%m-%d %H:%M}") if event.link else "–"

    @display(description="who")
    def who(self, event: AccountEvent) -> str:
        return str(event.actor or "–")


class LinkButtons:
    """Ask for new scopes, and disconnect."""

    @action(
        description="Ask for new scopes",
        permissions=["install"],
        dialog={
            "title": "Ask for new scopes?",
            "description": "A fresh install link is made and mailed to the Client Email. It asks for all the Access "
            "Scopes of this account; what is missing so far stands on the tab Access Scopes.",
            "form_submit_text": "Make and mail",
        },
    )
    def ask_for_scopes(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make and mail a fresh link for what is missing."""
        account = self.get_object(request, object_id)
        missing = ", ".join(install_links.missing_scopes(account))
        done = f"A fresh link is mailed within seconds. It asks for what is missing: {missing}."
        return self.ask(request, object_id, install_links.ask_for_scopes, done)

    @action(
        description="Store was renamed",
        permissions=["install"],
        dialog={
            "title": "Was the store renamed?",
            "description": "A store that is connected is asked for its name, and followed. One that is not cannot be "
            "asked: the account takes the name that you give, and keeps its orders and its history. Then send a new "
            "install link.",
            "form_class": NameForm,
            "form_submit_text": "Follow",
        },
    )
    def store_was_renamed(self, request: HttpRequest, form: NameForm, object_id: str) -> HttpResponse:
        """Follow the store to its new name."""
        name = form.cleaned_data["name"]
        return self.ask(request, object_id, store_renames.rename, "The account follows the store.", name=name)

    @action(
        description="Disconnect",
        permissions=["install"],
        dialog={
            "title": "Disconnect the store?",
            "description": "The access token is dropped, and Hemi's webhooks at Shopify are deleted: no orders come in "
            "any more. Orders that are here already go on, and the history stays. A new install link connects the "
            "store again.",
            "form_class": ReasonForm,
            "form_submit_text": "Disconnect",
        },
    )
    def disconnect(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Disconnect the store."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, accounts.disconnect, "The store is disconnected.", reason=reason)


def connection(account: AccountShopify) -> SafeString:
    """Show how the account stands with its store."""
    if account.is_authorised:
        return badges.badge("Connected", "success")
    newest = getattr(account, "newest_link", None) or ""
    if account.disconnected_at and newest not in (InstallLink.Status.OPEN, InstallLink.Status.CODE_RECEIVED):
        return badges.badge("Disconnected", "warning")
    return badges.badge(*_LINK_BADGES.get(newest, ("Not connected", "default")))


def with_history(badge: SafeString, account: AccountShopify) -> SafeString:
    """Show beside the state since when and why the store is disconnected, and what else its past explains."""
    notes = []
    if account.disconnected_at:
        notes.append(f"Disconnected since {account.disconnected_at:%Y-%m-%d %H:%M} UTC: {account.disconnect_reason}")
    if account.is_unclaimed:
        notes.append("The store came by itself: give it a client.")
    if account.former_names:
        notes.append(f"Formerly {', '.join(account.former_names)}.")
    return format_html("{}{}", badge, format_html_join("", "<br>{}", ((note,) for note in notes)))
