"""The storefront side of the App Proxy: whose request it is, where it goes, and how it is signed and sent."""

import ipaddress
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from hemi.lib import in_process
from integrations import previews
from integrations.models import AccountShopline
from integrations.shopline import forwarding, proxy
from integrations.shopline.forwarding import Answer, NotForwarded, Outgoing

log = logging.getLogger(__name__)
HOP = "hemi-storefront"


class NotHere(Exception):
    """Nothing is shown at this address; the text is for whoever opened it."""


@dataclass(frozen=True)
class Visitor:
    """Who asks; a blank `customer_id` is a guest."""

    account: AccountShopline
    customer_id: str


@dataclass(frozen=True)
class Route:
    """Where a path of the shop leads. `proxy_url` has no slash at its end."""

    account: AccountShopline
    path_prefix: str
    proxy_url: str

    @property
    def is_hemi(self) -> bool:
        """Whether Hemi itself answers, by its own pages for shoppers."""
        return _plain(self.proxy_url) == _plain(self.account.hemi_proxy_url)


@dataclass(frozen=True)
class Asked:
    """A shopper's request as it came: raw child path and query, all headers, and the port that it came to."""

    method: str
    path: str
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    port: int


def visitor(key: str, *, sandbox_customer: str | None) -> Visitor:
    """Return who asks, by the preview link's token; in the sandbox its word is enough. Raises NotHere."""
    merchant_id, mark, token = key.partition(previews.MARK)
    if mark:
        customer_id = _of_token(merchant_id, token)
    elif sandbox_customer is not None:
        customer_id = sandbox_customer
    else:
        raise NotHere("There is nothing at this address.")
    account = AccountShopline.objects.filter(merchant_id=merchant_id).first()
    if account is None:
        raise NotHere("There is nothing at this address.")
    return Visitor(account, customer_id)


def route(account: AccountShopline, prefix: str, subpath: str) -> Route:
    """Resolve the release or the development subpath. Raises NotHere for any other, and where it is off."""
    if account.app_id and (prefix, subpath) == (account.subpath_prefix, account.development_subpath):
        return _route(account, prefix, subpath, account.waiting[2])
    if account.is_live and (prefix, subpath) == account.in_force[:2]:
        return _route(account, prefix, subpath, account.in_force[2] or account.hemi_proxy_url)
    raise NotHere(
        "There is nothing at this address. The App Proxy may be off, or its settings not approved yet: look at the "
        "account's page, or preview the development version."
    )


def outgoing(asked: Asked, who: Visitor, where: Route) -> Outgoing:
    """Return the signed request. Raises PathRefused, QueryRefused and NotForwarded."""
    if HOP in asked.headers.get("Via", ""):
        raise NotForwarded("The request came from a storefront side already.")
    if not settings.HEMI_BASE_URL:
        raise NotForwarded("HEMI_BASE_URL is not set, so Hemi does not know its own address.")
    if not who.account.app_proxy_secret:
        raise NotForwarded("The account has no App Proxy Secret yet.")
    _check_address(where)
    added = {
        "merchant_id": who.account.merchant_id,
        "customer_id": who.customer_id,
        "path_prefix": where.path_prefix,
        "timestamp": str(int(time.time())),
    }
    query = proxy.signed_query(proxy.shoppers_query(asked.query), added, who.account.app_proxy_secret)
    url = f"{where.proxy_url}/{proxy.child_path(asked.path)}?{query}"
    return Outgoing(asked.method, url, {**proxy.request_headers(asked.headers), "Via": f"1.1 {HOP}"}, asked.body)


def forward(request: Outgoing, where: Route, port: int) -> Answer:
    """Send it to the Proxy URL and return the answer. `port` is Hemi's own. Raises NotForwarded."""
    started_at = time.monotonic()
    answer = _of_hemi(request) if where.is_hemi else _of_another(request, port)
    took = round((time.monotonic() - started_at) * 1000)
    said = {"path_prefix": where.path_prefix, "status": answer.status, "milliseconds": took}
    log.info("storefront.forwarded", extra={**where.account.log_ids, **said})
    return answer


def _of_token(merchant_id: str, token: str) -> str:
    try:
        preview = previews.read(token)
    except previews.PreviewEnded:
        raise NotHere("This preview has ended. Make a new preview link on the account's page.") from None
    except previews.NoPreview:
        raise NotHere("There is nothing at this address.") from None
    if preview.merchant_id != merchant_id:
        raise NotHere("There is nothing at this address.")
    return preview.customer_id


def _route(account: AccountShopline, prefix: str, subpath: str, proxy_url: str) -> Route:
    return Route(account, f"/{prefix}/{subpath}", proxy_url.rstrip("/"))


def _check_address(where: Route) -> None:
    """Raise NotForwarded for a Proxy URL that nothing is sent to."""
    try:
        parts = urlsplit(where.proxy_url)
        is_whole = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment or parts.username)
        is_whole = is_whole and where.proxy_url.isascii()  # another letter may be looked up as one of Hemi's own name
    except ValueError:
        is_whole = False
    if not is_whole:
        raise NotForwarded("The Proxy URL must be an address such as https://shop.example.com/proxy and no more.")
    if parts.scheme != "https" and not (parts.scheme == "http" and (settings.SANDBOX or settings.DEBUG)):
        raise NotForwarded("The Proxy URL must begin with https://.")


def _of_hemi(request: Outgoing) -> Answer:
    found = in_process.answer(in_process.Call(request.method, request.url, request.headers, request.body))
    body = b"".join(found)
    return Answer(found.status_code, list(found.headers.items()), iter([body]), len(body))


def _of_another(request: Outgoing, port: int) -> Answer:
    limits = forwarding.Limits(settings.STOREFRONT_SECONDS, settings.STOREFRONT_MAX_BYTES)
    base = urlsplit(settings.HEMI_BASE_URL)
    ports = {port, base.port or (443 if base.scheme == "https" else 80)}
    names = [name for name in (*settings.ALLOWED_HOSTS, base.hostname) if name and name != "*"]

    def is_own(host: str, port: int) -> bool:
        """Tell by the name; on this machine, where other programs have addresses too, by the port."""
        return port in ports if not host or _is_loopback(host) else validate_host(host.rstrip("."), names)

    return forwarding.send(request, limits, is_own)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _plain(url: str) -> tuple[str, str, int, str]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port, parts.path.rstrip("/")
