"""The admin site and its sidebar."""

from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from hemi import known_browsers, lockouts, second_factor_pages
from hemi.lib.list_questions import PlainQuestions

_MOST = 1000  # that are counted

# Group -> its models with their icons. What is not registered, or what the user may not see, is left out.
_GROUPS = {
    "Orders": {
        "orders.Order": "receipt_long",
        "suppliers.SupplierOrder": "inventory_2",
        "suppliers.Amendment": "edit_note",
        "suppliers.Delivery": "upload_file",
        "suppliers.SupplierReply": "mark_email_read",
        "suppliers.ReplyStatement": "fact_check",
        "orders.Shipment": "local_shipping",
        "orders.OrderFetch": "cloud_download",
    },
    "Suppliers": {
        "suppliers.Supplier": "factory",
        "suppliers.Endpoint": "dns",
        "suppliers.EndpointCheck": "network_check",
        "suppliers.RoutingRule": "alt_route",
        "suppliers.Mapping": "transform",
        "suppliers.DocumentSchema": "schema",
    },
    "Connections": {
        "integrations.Client": "groups",
        "integrations.AccountShopify": "storefront",
        "integrations.AccountShopline": "shopping_bag",
        "orders.ShopperLink": "person_add",
        "integrations.Integration": "extension",
        "integrations.IntegrationCredentials": "key",
        "integrations.InstallLink": "link",
        "integrations.WebhookEvent": "webhook",
        "integrations.PrivacyRequest": "privacy_tip",
        "integrations.CollectionExport": "table_view",
    },
    "Staff": {
        "integrations.StaffAlert": "notifications",
        "auth.User": "person",
        "auth.Group": "group",
        "hemi.FailedLogin": "lock_person",
        "hemi.ConfigurationChange": "history",
    },
}


class _Page(NamedTuple):
    """A page that is no list, for whoever has one of these permissions."""

    title: str
    icon: str
    name: str
    permissions: tuple[str, ...]


_PAGES = {
    "Connections": [
        _Page(
            "Expiry calendar",
            "event",
            "integrations_expiry_calendar",
            ("integrations.view_accountshopify", "integrations.change_accountshopify"),
        ),
        _Page(
            "Signature bench", "verified_user", "integrations_signature_bench", ("integrations.use_signature_bench",)
        ),
    ]
}


class HemiAdminSite(UnfoldAdminSite):
    """Unfold's site under Hemi's name."""

    index_title = "Overview"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add what stands on every page: how many outboxes a restore has closed."""
        return {**super().each_context(request), "closed_outboxes": _closed_outboxes}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register a page whose list answers plain questions only, whoever wrote it."""
        page = admin_class or ModelAdmin
        plain = type(page.__name__, (PlainQuestions, page), {"__module__": page.__module__, "__doc__": page.__doc__})
        super().register(model_or_iterable, plain, **options)

    def get_urls(self) -> list[Any]:
        return [*second_factor_pages.urls(self), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Know the browser again that somebody has logged in from."""
        response = super().login(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated:
            known_browsers.remember(response, request.user)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Count wrong old passwords as at the login: a session that was left open is no place to guess."""
        if request.method == "POST":
            lockouts.is_own_password(request, request.POST.get("old_password", ""))
            if lockouts.is_locked_out(request):
                return lockouts.page(request)
        return super().password_change(request, extra_context)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Find pages by name (Ctrl+K); Unfold breaks on the number of a page that is none."""
        try:
            return super().search(request, extra_context)
        except (ValueError, InvalidPage):
            raise Http404 from None

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Refuse what no form uses: Django's completion breaks on the name of a field that is none."""
        raise Http404


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the sidebar for the user of `request`."""
    overview = {"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [overview]}]
    for title, models in _GROUPS.items():
        items = [item for label, icon in models.items() if (item := _item(request, label, icon))]
        items += [_link(page) for page in _PAGES.get(title, []) if any(map(request.user.has_perm, page.permissions))]
        groups.append({"title": title, "separator": True, "items": items})
    links = [item["link"] for group in groups for item in group["items"]]
    # Of the addresses that begin this page's one, the longest: a page below a list is an entry of its own.
    here = max(filter(request.path.startswith, links), key=len, default="")
    for item in (item for group in groups for item in group["items"]):
        item["active"] = item["link"] == here and (item is not overview or request.path == here)
    return [group for group in groups if group["items"]]


def environment(request: HttpRequest) -> list[str] | None:
    """Say on every page when this is the sandbox and not the real world."""
    return ["Sandbox", "warning"] if settings.SANDBOX else None


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what stands below the user's name; the login asks for it, too."""
    if not request.user.is_authenticated:
        return []
    links = [{"title": "Second factor", "link": reverse("admin:second_factor")}]
    if request.user.has_usable_password():
        links.append({"title": "Change password", "link": reverse("admin:password_change")})
    return links


def icon(request: HttpRequest) -> str:
    """Return the address of the icon that a browser shows beside the title."""
    return static("hemi/icon.svg")


def _link(page: _Page) -> dict[str, Any]:
    return {"title": page.title, "icon": page.icon, "link": reverse(f"admin:{page.name}")}


def _closed_outboxes() -> int:
    rows = apps.get_model("suppliers", "Endpoint")._default_manager.exclude(closed_at=None).order_by()
    return len(rows.values_list("pk")[:_MOST])


def _may_view(request: HttpRequest, label: str) -> bool:
    model = apps.get_model(label)
    return admin.site.is_registered(model) and admin.site.get_model_admin(model).has_view_permission(request)


def _item(request: HttpRequest, label: str, icon: str) -> dict[str, Any] | None:
    model = apps.get_model(label)
    if not _may_view(request, label):
        return None
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return {"title": capfirst(model._meta.verbose_name_plural), "icon": icon, "link": reverse(name)}
