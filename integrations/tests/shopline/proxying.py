"""Requests as SHOPLINE's App Proxy sends them, to the real view."""

import time
from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from django.test import Client as Browser

from integrations.models import AccountShopline, Client
from integrations.shopline import queries, signatures

SECRET = "hush"


def account(**fields):
    """A SHOPLINE store whose proxy is on, and its settings approved."""
    client = fields.pop("client", None) or Client.objects.create(name=fields.pop("client_name", "Teeladen"))
    given = {"merchant_id": "m-1", "shop_name": "Tea Shop", "app_proxy_secret": SECRET, "app_id": "app1"}
    given |= {"live_prefix": "apps", "live_subpath": "tea"}
    return AccountShopline.objects.create(client=client, **{**given, "proxy_enabled": True, **fields})


def unsigned(extra="", **fields):
    """A query as the proxy makes it, in its order, without the signature; `extra` is the shopper's own."""
    given = {"merchant_id": "m-1", "customer_id": "c-1", "path_prefix": "/apps/tea", "timestamp": str(int(time.time()))}
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in {**given, **fields}.items())
    return f"{extra}&{added}" if extra else added


def signed(extra="", secret=SECRET, read=queries.read_extended, **fields):
    """The whole query, signed."""
    query = unsigned(extra, **fields)
    return f"{query}&signature={signatures.sign(read(query), secret)}"


def send(query, path="", method="GET", **environ):
    """Send it; the query goes as it is, byte for byte."""
    browser = Browser(raise_request_exception=False)
    return browser.generic(method, f"/shopline/proxy/{path}", QUERY_STRING=query, **environ)


def echo(request):
    """A page that tells what it was given, and sets a cookie."""
    told = {name: value for name, value in vars(request).items() if name != "account"}
    response = JsonResponse({**told, "account": request.account.merchant_id})
    response.set_cookie("seen", "1")
    return response


def cached(request):
    """A page that browsers may keep for a while."""
    return HttpResponse("kept", headers={"Cache-Control": "private, max-age=5"})
