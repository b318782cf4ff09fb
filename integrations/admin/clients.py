"""Clients and their accounts."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from hemi.lib import badges
from hemi.lib.deletion import KeptWhileUsed
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnlyInline
from integrations.models import AccountShopify, AccountShopline, Client


class AccountInline(ReadOnlyInline):
    """The stores of the client."""

    model = AccountShopify
    fields = ["store", "shown_webhooks", "authorised_at"]
    tab = False

    @display(description="store")
    def store(self, account: AccountShopify) -> SafeString:
        return link_to(account)

    @display(description="webhooks")
    def shown_webhooks(self, account: AccountShopify) -> SafeString:
        return badges.state(account, "webhooks")


class ShoplineInline(ReadOnlyInline):
    """The SHOPLINE stores of the client."""

    model = AccountShopline
    fields = ["shop", "merchant_id", "shown_state"]
    tab = False

    @display(description="store")
    def shop(self, account: AccountShopline) -> SafeString:
        return link_to(account)

    @display(description="App Proxy settings")
    def shown_state(self, account: AccountShopline) -> SafeString:
        return badges.state(account, "state")


@admin.register(Client)
class ClientAdmin(KeptWhileUsed, ModelAdmin):
    """A client groups accounts."""

    list_display = ["name", "stores", "created_at"]
    search_fields = ["name"]
    fields = ["name", "notes"]
    inlines = [AccountInline, ShoplineInline]

    @staticmethod
    def why_kept(client: Client) -> str:
        has_accounts = client.accountshopify_set.exists() or client.shopline_accounts.exists()
        return "It has accounts. Give those another client first." if has_accounts else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        return super().get_queryset(request).annotate(stores=Count("accountshopify"))

    @display(description="accounts", ordering="stores")
    def stores(self, client: Client) -> int:
        return client.stores
