"""Accounts Shopify: a store's connection, from its first link to its webhooks."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.forms import Form
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from hemi.lib import badges, queue
from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.secrecy import HidesSecrets
from integrations import scope_check, scope_words, scopes, subscription_sync, subscriptions
from integrations.admin import account_links, account_orders, account_webhooks
from integrations.admin.account_buttons import AccountButtons
from integrations.admin.account_form import AccountForm
from integrations.admin.account_tokens import AccountTokens, problem_badge
from integrations.admin.expiry_calendar import ExpiryCalendar
from integrations.models import AccountShopify, InstallLink
from integrations.services import accounts
from integrations.services.refusals import Refused

_DECIDING = {"release_when", "orders_source_name", "orders_from"}  # settings that hold orders back or let them go


class AuthorisedFilter(DropdownFilter):
    """An access token means authorised."""

    title = "authorised"
    parameter_name = "authorised"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Authorised"), ("no", "Not authorised")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(Q(access_token="") if self.value() == "no" else ~Q(access_token=""))  # noqa: S106


@admin.register(AccountShopify)
class AccountAdmin(ExpiryCalendar, AccountTokens, AccountButtons, KeptWhileUsed, HidesSecrets, ModelAdmin):
    """One row a store."""

    form = AccountForm
    secret_fields = AccountForm.secret_fields
    list_display = [
        "shop_name",
        "client",
        "integration",
        "connection",
        "shown_webhooks",
        "shown_completeness",
        "shown_pause",
    ]
    list_filter = [
        AuthorisedFilter,
        ("problem", ChoicesDropdownFilter),
        ("webhooks", ChoicesDropdownFilter),
        "is_unclaimed",
        ("client", RelatedDropdownFilter),
        ("integration", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    list_select_related = ["client", "integration__credentials"]
    search_fields = ["shop_name", "client__name", "client_email"]
    compressed_fields = False
    inlines = [
        account_webhooks.SubscriptionInline,
        account_orders.CompletenessInline,
        account_links.LinkInline,
        account_links.EventInline,
    ]
    readonly_fields = [
        "shown_completeness",
        "shown_reconciliation",
        "connection",
        "shown_problem",
        "token_state",
        "authorised_at",
        "granted_scopes",
        "not_granted",
        "shown_webhooks",
        "webhooks_error",
        "webhook_address",
        "shopify_shop_id",
        "shown_pause",
        "whole_connection",
    ]
    fieldsets = [
        (
            "Store",
            {
                "classes": ["tab"],
                "fields": [
                    ("shop_name", "client"),
                    ("whole_connection", "authorised_at", "shown_pause"),
                    ("integration", "client_email"),
                    "shown_problem",
                    ("access_token", "clear_access_token"),
                    "token_state",
                    ("location", "send_shipping_confirmation"),
                ],
            },
        ),
        ("Access Scopes", {"classes": ["tab"], "fields": ["access_scopes", "granted_scopes", "not_granted"]}),
        (
            "Orders",
            {
                "classes": ["tab"],
                "fields": [
                    "orders_source_name",
                    ("release_when", "orders_from"),
                    ("shown_completeness", "shown_reconciliation"),
                ],
            },
        ),
        (
            "Webhook address",
            {
                "classes": ["tab"],
                "fields": [("shown_webhooks", "webhooks_error"), "webhook_address", "shopify_shop_id"],
            },
        ),
    ]

    @staticmethod
    def why_kept(account: AccountShopify) -> str:
        if account.webhook_events.exists() or account.orders.exists():
            return "It has orders or webhooks. Pause it instead."
        return ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountShopify]:
        newest = InstallLink.objects.filter(account=OuterRef("pk")).order_by("-pk").values("status")[:1]
        return super().get_queryset(request).annotate(newest_link=Subquery(newest))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        # Its links and locations go with it: they are part of it, though nobody may delete them alone.
        found, counts, _, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    def get_readonly_fields(self, request: HttpRequest, obj: AccountShopify | None = None) -> list[str]:
        # Another store's name on this account would mix two stores' orders.
        is_settled = obj is not None and (obj.is_authorised or obj.webhook_events.exists())
        return [*self.readonly_fields, "shop_name"] if is_settled else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: AccountShopify, form: Form, change: bool) -> None:
        # Only what this form changed: an install may store its token while the form is open.
        if change:
            changed = {field.name for field in obj._meta.concrete_fields} & set(form.changed_data) - {"access_token"}
            obj.save(update_fields=changed)
        else:
            obj.access_token = ""
            obj.save()
        self._save_token(request, obj, form)
        queue.kick("integrations.renew_tokens")  # an app of the client's organisation needs no more than this form
        accounts.claim(account=obj, by=request.user)
        if "access_scopes" in form.changed_data and (odd := scope_words.unknown(scopes.split(obj.access_scopes))):
            messages.warning(
                request,
                f"Hemi does not know {', '.join(odd)}. It is saved and asked for; if Shopify does not know it either, "
                "the client cannot install the app.",
            )
        if change and _DECIDING.intersection(form.changed_data):
            queue.kick("orders.refresh_account", obj.pk)
        if change and "integration" in form.changed_data and obj.authorised_at:
            messages.warning(
                request,
                "The app was exchanged. Send a new install link: until then the token of the old app is used, "
                "and webhooks that the old app signs are refused.",
            )

    def _save_token(self, request: HttpRequest, obj: AccountShopify, form: Form) -> None:
        try:
            if "access_token" in form.changed_data:
                granted = form.pasted.granted_scopes if form.pasted else ""
                token = str(form.cleaned_data["access_token"])
                accounts.store_token(account=obj, token=token, by=request.user, granted_scopes=granted)
            elif form.cleaned_data.get("clear_access_token"):
                accounts.clear_token(account=obj, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))

    @display(description="connection")
    def connection(self, account: AccountShopify) -> SafeString:
        if account.problem:
            return problem_badge(account)
        return account_links.connection(account)

    @display(description="connection")
    def whole_connection(self, account: AccountShopify) -> SafeString:
        return account_links.with_history(self.connection(account), account)

    @display(description="webhooks", ordering="webhooks")
    def shown_webhooks(self, account: AccountShopify) -> SafeString:
        if account.is_authorised and account.webhooks != AccountShopify.Webhooks.ON and subscriptions.why_off(account):
            return badges.badge("Off", "danger")
        return badges.state(account, "webhooks")

    @display(description="paused", ordering="paused_at")
    def shown_pause(self, account: AccountShopify) -> str:
        if account.paused_at is None:
            return "–"
        since = f"{account.paused_at:%Y-%m-%d %H:%M} UTC"
        return format_html("{} since {}: {}", badges.badge("Paused", "warning"), since, account.pause_reason)

    @display(description="not granted")
    def not_granted(self, account: AccountShopify) -> str:
        if not account.granted_scopes:
            return "–"
        found = scope_check.measure(account, tuple(account.granted_scopes.split(",")))
        asked = f"{', '.join(found.missing) or 'Nothing: all that the account asks for were granted'}."
        needed = ", ".join(found.missing_needed)
        return f"{asked} Hemi cannot do its work without: {needed}." if needed else asked

    @display(description="address for webhooks")
    def webhook_address(self, account: AccountShopify) -> str:
        return subscriptions.why_off(account) or subscription_sync.address(account)
