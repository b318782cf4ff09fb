"""How pages for clients are sent: they load nothing, run nothing, and leave no trace elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action {}; frame-ancestors 'none'"


def page(
    request: HttpRequest, template: str, words: dict[str, Any], *, status: int = 200, has_form: bool = False
) -> HttpResponse:
    """Show a page; only one with a form may send one, and only to us."""
    response = render(request, template, words, status=status)
    response["Content-Security-Policy"] = _POLICY.format("'self'" if has_form else "'none'")
    # With "no-referrer" browsers would send the Origin "null" with the form, which Django refuses.
    return private(response, "strict-origin" if has_form else "no-referrer")


def private(response: HttpResponse, referrer: str = "no-referrer") -> HttpResponse:
    """Keep the address, which may carry a code, out of caches, search engines and the next page's log."""
    response["Referrer-Policy"] = referrer
    response["X-Robots-Tag"] = "noindex"
    add_never_cache_headers(response)
    return response
