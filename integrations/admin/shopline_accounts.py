"""Accounts SHOPLINE: a store, and the App Proxy through which its shoppers reach Hemi."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from hemi.lib import badges
from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.readonly import ReadOnlyInline
from hemi.lib.secrecy import HidesSecrets
from integrations.admin.proxy_buttons import ProxyButtons
from integrations.admin.proxy_dialogs import side_by_side
from integrations.admin.shopline_form import ShoplineForm
from integrations.models import AccountShopline, AccountShoplineEvent
from integrations.services import proxy_secrets, proxy_settings
from integrations.services.refusals import Refused
from orders.models import ShopperLink

State = AccountShopline.State
MOST_EVENTS = 200  # on the page; older ones stay in the database
_TODO = {
    State.SUBMITTED: "approve the settings, or reject them",
    State.REJECTED: "read why they were rejected, and change and submit them again",
}
_NOTHING = mark_safe('<span class="nothing">–</span>')  # noqa: S308


class EventInline(ReadOnlyInline):
    """What happened to the account, newest first."""

    model = AccountShoplineEvent
    verbose_name_plural = "Timeline"
    is_part = True
    fields = ["shown_at", "text", "was", "now", "who"]
    ordering = ["-pk"]
    template_before = "admin/timeline_narrow.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountShoplineEvent]:
        rows = super().get_queryset(request).select_related("actor")
        match = request.resolver_match
        account_id = str(match.kwargs.get("object_id", "")) if match else ""
        if not account_id.isdecimal():
            return rows
        newest = AccountShoplineEvent.objects.filter(account_id=account_id).order_by("-pk").values_list("pk", flat=True)
        return rows.filter(pk__in=list(newest[:MOST_EVENTS]))

    @display(description="when")
    def shown_at(self, event: AccountShoplineEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S} UTC"

    @display(description="before")
    def was(self, event: AccountShoplineEvent) -> SafeString | str:
        return event.before or _NOTHING

    @display(description="after")
    def now(self, event: AccountShoplineEvent) -> SafeString | str:
        return event.after or _NOTHING

    @display(description="who")
    def who(self, event: AccountShoplineEvent) -> str:
        return str(event.actor or "–")


@admin.register(AccountShopline)
class ShoplineAdmin(ProxyButtons, KeptWhileUsed, HidesSecrets, ModelAdmin):
    """One row a SHOPLINE store."""

    form = ShoplineForm
    secret_fields = ("app_proxy_secret",)
    list_display = ["shop_name", "client", "merchant_id", "shown_reach", "shown_state"]
    list_filter = [("state", ChoicesDropdownFilter), "proxy_enabled", ("client", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["client"]
    search_fields = ["shop_name", "merchant_id", "client__name"]
    compressed_fields = False
    inlines = [EventInline]
    readonly_fields = [
        "shown_reach",
        "reach_in_words",
        "shown_secret",
        "read_as",
        "shown_state",
        "whole_state",
        "compared",
        "development",
        "created_at",
    ]
    fieldsets = [
        (
            "Store",
            {
                "classes": ["tab"],
                "fields": [
                    ("shop_name", "client"),
                    "merchant_id",
                    ("brand_colour", "time_zone"),
                    "reach_in_words",
                    "created_at",
                ],
            },
        ),
        (
            "App Proxy",
            {
                "classes": ["tab"],
                "fields": [
                    ("proxy_enabled", "passes_posts", "plays_storefront"),
                    "app_proxy_secret",
                    "shown_secret",
                    "read_as",
                    ("subpath_prefix", "app_id", "seo_slug"),
                    "proxy_url",
                    "compared",
                    "whole_state",
                    "development",
                ],
            },
        ),
    ]

    @staticmethod
    def why_kept(account: AccountShopline) -> str:
        if account.proxy_enabled:
            return "Its App Proxy is on. Switch that off first."
        if ShopperLink.objects.filter(shopline=account).exists():
            return "Shoppers are linked to it. Remove those links first."
        return ""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        # Its timeline and the requests that it refused go with it: they are part of it.
        found, counts, _, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    def get_readonly_fields(self, request: HttpRequest, obj: AccountShopline | None = None) -> list[str]:
        # Another merchant's or client's shoppers would be shown the orders of those who are linked here.
        is_settled = obj is not None and (obj.live_subpath or ShopperLink.objects.filter(shopline=obj).exists())
        return [*self.readonly_fields, "client", "merchant_id"] if is_settled else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: AccountShopline | None = None) -> Any:
        may_change = obj is None or self.has_change_permission(request, obj)
        is_made_elsewhere = obj is None or not (obj.app_proxy_secret or obj.plays_storefront)
        may_paste = is_made_elsewhere and may_change and self.has_revoke_permission(request)
        left_out = {"shown_secret" if may_paste else "app_proxy_secret"}
        if obj is None:  # nothing is in force, and nothing waits
            left_out |= {
                "compared",
                "whole_state",
                "development",
                "reach_in_words",
                "created_at",
                "shown_secret",
                "read_as",
            }
        return [
            (title, {**options, "fields": [row for row in options["fields"] if row not in left_out]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def save_model(self, request: HttpRequest, obj: AccountShopline, form: Form, change: bool) -> None:
        typed = str(form.cleaned_data.get("app_proxy_secret") or "")
        try:
            if change:
                fields = {field.name for field in obj._meta.concrete_fields} & set(form.changed_data)
                self._save_changes(request, obj, fields - set(self.secret_fields))
            else:
                obj.app_proxy_secret = ""
                proxy_settings.create(account=obj, by=request.user)
            if typed:
                wish = proxy_secrets.Wish(proxy_secrets.mark(obj), typed)
                proxy_secrets.store_first(account=obj, wish=wish, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))

    def _save_changes(self, request: HttpRequest, obj: AccountShopline, fields: set[str]) -> None:
        if fields and proxy_settings.save(account=obj, fields=fields, by=request.user):
            messages.warning(
                request,
                "The settings of the App Proxy changed: submit them for approval. What is in force stays in force "
                "until then.",
            )

    @display(description="shoppers reach it")
    def shown_reach(self, account: AccountShopline) -> SafeString:
        return badges.badge(*_reach(account)[:2])

    @display(description="shoppers reach it")
    def reach_in_words(self, account: AccountShopline) -> SafeString:
        word, tone, sentence = _reach(account)
        return format_html("{} {}", badges.badge(word, tone), sentence)

    @display(description="App Proxy Secret")
    def shown_secret(self, account: AccountShopline) -> str:
        if not account.app_proxy_secret:
            return proxy_secrets.why_not_revoke(account)
        since = f", since {account.secret_changed_at:%Y-%m-%d %H:%M} UTC" if account.secret_changed_at else ""
        told = f"One is stored{since}. It is never shown; Revoke puts another in its place."
        if len(account.secrets) > 1:
            told += f" The old one is accepted until {account.previous_secret_until:%Y-%m-%d %H:%M} UTC."
        return told

    @display(description="state", ordering="state")
    def shown_state(self, account: AccountShopline) -> SafeString:
        return badges.state(account, "state")

    @display(description="state")
    def whole_state(self, account: AccountShopline) -> SafeString:
        steps = []
        if account.submitted_at:
            steps.append(_step("Submitted", account.submitted_at, account.submitted_by))
        if account.decided_at:
            steps.append(_step(account.get_state_display(), account.decided_at, account.decided_by))
        if account.state_reason:
            steps.append(f"Reason: {account.state_reason}")
        return format_html(
            "{}{}", self.shown_state(account), format_html_join("", "<br>{}", ((step,) for step in steps))
        )

    @display(description="settings")
    def compared(self, account: AccountShopline) -> SafeString:
        return side_by_side(account)

    @display(description="development version")
    def development(self, account: AccountShopline) -> str:
        if not account.development_subpath:
            return "Enter the app id: the development subpath is made of it."
        return f"/{account.subpath_prefix}/{account.development_subpath} works without approval, for preview."


def _reach(account: AccountShopline) -> tuple[str, str, str]:
    """Say in a word, a tone and a sentence whether shoppers reach Hemi."""
    lost = "Shoppers get “not found”"
    if not account.proxy_enabled:
        return "Off", "default", f"{lost}: switch on Enabled, on the tab App Proxy."
    if not account.app_proxy_secret:
        return "No secret", "danger", f"Every request is refused. {proxy_secrets.why_not_revoke(account)}"
    if not account.live_subpath:
        todo = _TODO.get(State(account.state), "submit the settings")
        return "Not approved", "warning", f"{lost} until settings were approved: {todo}."
    path = f"/{account.live_prefix}/{account.live_subpath}"
    side = "SHOPLINE" if not account.plays_storefront or not settings.STOREFRONT_SIDE else "Hemi"
    return "Live", "success", f"At {path} of the shop; {side} passes the requests on."


def _step(what: str, at: Any, who: Any) -> str:
    return f"{what} {at:%Y-%m-%d %H:%M} UTC by {who or 'a person who was deleted'}"
