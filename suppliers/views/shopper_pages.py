"""Where is my order: the pages of a SHOPLINE storefront, and the same for the shop's own scripts."""

import secrets
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import translation

from integrations.storefront_requests import StorefrontRequest
from orders import lookup_tickets, lookups, shoppers
from suppliers import progress
from suppliers.views import shopper_json, shopper_look

_READS = ("GET", "HEAD")
_LONGEST_ID = 100


def orders(request: StorefrontRequest) -> HttpResponse:
    """Show a linked customer's orders, and answer who asks by number and e-mail."""
    if request.method not in (*_READS, "POST"):
        return HttpResponseNotAllowed([*_READS, "POST"])
    with translation.override(request.language):
        if request.method == "POST":
            return _answer(request)
        return _status(request) if request.wants_json else _show(request, _listing(request))


def status(request: StorefrontRequest) -> HttpResponse:
    """Tell the shop's scripts what a linked customer's page says; docs/status-json.md."""
    if request.method not in _READS:
        return HttpResponseNotAllowed(_READS)
    with translation.override(request.language):
        return _status(request)


def _status(request: StorefrontRequest) -> HttpResponse:
    listing = _listing(request)
    said = shopper_json.listing(listing, progress.of(listing.orders), is_guest=not _customer(request))
    return shopper_look.json(said, seconds=shopper_look.JSON_SECONDS)


def _answer(request: StorefrontRequest) -> HttpResponse:
    answer = lookups.ask(_question(request))
    orders = progress.of(answer.orders)
    if request.wants_json:
        said = shoppers.Listing(answer.orders, is_linked=answer.is_linked)
        return shopper_look.json(shopper_json.listing(said, orders, is_guest=not _customer(request)))
    if not orders:
        return _show(request, _listing(request), is_not_found=True)
    words = {"orders": orders, "is_linked": answer.is_linked, "again": _address(request)}
    return shopper_look.page("storefront/answer.html", request.account, words)


def _question(request: StorefrontRequest) -> lookups.Question:
    """Read the form. What another site had the shopper's browser send may be answered, but links nobody."""
    ticket = lookup_tickets.read(request.form.get("ticket", ""))
    whose = (ticket.merchant_id, ticket.customer_id) if ticket else None
    return lookups.Question(
        request.account,
        _customer(request),
        request.form.get("number", ""),
        request.form.get("email", ""),
        may_link=whose == (request.account.merchant_id, _customer(request)),
    )


def _show(request: StorefrontRequest, listing: shoppers.Listing, *, is_not_found: bool = False) -> HttpResponse:
    words = {
        "orders": progress.of(listing.orders),
        "is_guest": not _customer(request),
        "is_linked": listing.is_linked,
        "is_not_found": is_not_found,
        "newer": _address(request, page=str(listing.page - 1)) if listing.page > 1 else "",
        "older": _address(request, page=str(listing.page + 1)) if listing.has_more else "",
        **_form(request),
    }
    return shopper_look.page("storefront/orders.html", request.account, words)


def _form(request: StorefrontRequest) -> dict[str, str]:
    """Return where the form goes: through the proxy, under a signature of its own, or to Hemi directly."""
    ticket = lookup_tickets.Ticket(
        request.account.merchant_id,
        _customer(request),
        request.language,
        request.is_development,
    )
    action = f"{settings.HEMI_BASE_URL}{reverse('shopline-ask')}"
    if request.account.passes_posts:
        action = _address(request, form=secrets.token_urlsafe(9))
    return {"action": action, "ticket": lookup_tickets.issue(ticket)}


def _listing(request: StorefrontRequest) -> shoppers.Listing:
    page = request.values.get("page", "1")
    is_number = isinstance(page, str) and page.isascii() and page.isdigit() and len(page) < 5
    return shoppers.listing(request.account, _customer(request), int(str(page)) if is_number else 1)


def _address(request: StorefrontRequest, **query: str) -> str:
    """Return this page's address with another query, relative: how the shop got here is its own business."""
    kept = {name: value for name in ("lang", "locale") if isinstance(value := request.values.get(name), str)}
    return f"?{urlencode({**kept, **query}, errors='replace')}"


def _customer(request: StorefrontRequest) -> str:
    found = request.customer_id
    return found if found.isprintable() and len(found) <= _LONGEST_ID else ""
