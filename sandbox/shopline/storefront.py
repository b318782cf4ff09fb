"""The sandbox's SHOPLINE storefront as a real HTTP server on loopback."""

import json
from http.cookies import CookieError, SimpleCookie
from typing import Self
from urllib.parse import parse_qs, urlsplit

from sandbox.shopline.passing import through_hemi
from sandbox.shopline.shop import Shop, Shopper, closed
from sandbox.web import Answer, BadRequest, Request, WebServer, as_json

PREFIXES = ("a", "apps", "community", "tools")
_COOKIE = "sandbox_shopper"
_HOME = "/"


class ShoplineSandbox:
    """A storefront with one shop; a shopper logs in with a button."""

    def __init__(self, port: int = 0) -> None:
        self.shop: Shop | None = None
        self.web = WebServer(self._answer, port)

    @property
    def url(self) -> str:
        """Return the storefront's address."""
        return self.web.url

    def open(self, shop: Shop) -> None:
        """Open a shop in the place of the last one."""
        self.shop = shop

    def start(self) -> Self:
        """Start the server."""
        self.web.start()
        return self

    def stop(self) -> None:
        """Stop the server; the shop stays."""
        self.web.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _answer(self, request: Request) -> Answer:
        path = urlsplit(request.target).path
        if request.method == "POST" and path == "/control/shop":
            return self._control(request)
        if path == "/favicon.ico":
            return Answer(b"", "", 204)
        if self.shop is None:
            return closed()
        if path.split("/")[1] in PREFIXES:
            return through_hemi(self.shop, request, _shopper(self.shop, request))
        if (request.method, path) == ("GET", _HOME):
            return self.shop.page(_shopper(self.shop, request))
        if (request.method, path) == ("POST", "/login"):
            return _logged_in(self.shop, request)
        if (request.method, path) == ("POST", "/logout"):
            return _home(f"{_COOKIE}=; Path=/; Max-Age=0")
        raise BadRequest("There is nothing here. The shop is at /.", 404)

    def _control(self, request: Request) -> Answer:
        try:
            told = json.loads(request.body)
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}") from error
        self.open(Shop.read(told if isinstance(told, dict) else {}))
        return as_json({"url": self.url})


def _logged_in(shop: Shop, request: Request) -> Answer:
    (customer_id,) = parse_qs(request.body.decode("ascii", "replace")).get("customer_id", [""])[:1]
    if shop.shopper(customer_id) is None:
        raise BadRequest("Nobody has this account.")
    return _home(f"{_COOKIE}={customer_id}; Path=/; HttpOnly; SameSite=Lax")


def _home(cookie: str) -> Answer:
    return Answer(b"", status=303, headers={"Location": _HOME, "Set-Cookie": cookie})


def _shopper(shop: Shop, request: Request) -> Shopper | None:
    try:
        cookie = SimpleCookie(request.headers.get("Cookie", "")).get(_COOKIE)
    except CookieError:
        return None
    return shop.shopper(cookie.value) if cookie else None
