"""What the tests of the storefront side share: a store whose proxy leads to a backend, and how one asks."""

from typing import Any

from django.http.response import HttpResponseBase

from integrations import previews
from integrations.models import AccountShopline, Client

SECRET = "storefront-secret"  # noqa: S105


def store(proxy_url: str = "", **fields: Any) -> AccountShopline:
    """Return a SHOPLINE store whose settings are in force: /apps/orders, and /apps/app1_TEST for development."""
    values = {
        "merchant_id": "m1",
        "shop_name": "Aurora",
        "proxy_enabled": True,
        "app_proxy_secret": SECRET,
        "app_id": "app1",
        "seo_slug": "orders",
        "proxy_url": proxy_url,
        "state": AccountShopline.State.APPROVED,
        "live_prefix": "apps",
        "live_subpath": "orders",
        "live_proxy_url": proxy_url,
        **fields,
    }
    client, _ = Client.objects.get_or_create(name="Aurora Ltd")
    return AccountShopline.objects.create(client=client, **values)


def home(account: AccountShopline, customer_id: str = "", *, is_development: bool = False) -> str:
    """Return the path of a preview link."""
    found = previews.link(account, customer_id, is_development=is_development)
    return found[found.index("/storefront/") :]


def ask(client: Any, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> HttpResponseBase:
    """Ask as a server does that tells the raw path, such as gunicorn; header names with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items() if name != "Content_Type"}
    media_type = headers.get("Content_Type", "application/x-www-form-urlencoded")
    return client.generic(method, target, body, media_type, headers=named, RAW_URI=target)


def text(response: Any) -> str:
    """Return the whole body."""
    return (response.getvalue() if response.streaming else response.content).decode()
