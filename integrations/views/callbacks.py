"""Where a client's browser comes back to after consent, and waits."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET

from integrations.models import InstallLink
from integrations.services import callbacks

# The pages load nothing and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGES = {
    InstallLink.Status.CODE_RECEIVED: "integrations/connecting.html",
    InstallLink.Status.CONNECTED: "integrations/connected.html",
    InstallLink.Status.FAILED: "integrations/failed.html",
}


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Take what Shopify sends the browser back with, and go on to the progress page."""
    try:
        link = callbacks.receive(request.META.get("QUERY_STRING", ""))
    except callbacks.CallbackRefused as refused:
        return _page(request, "integrations/refused.html", {"sentence": str(refused)}, refused.status)
    # The code does not stay in the address bar.
    return _private(HttpResponseRedirect(reverse("shopify-progress", args=[link.uuid])))


@require_GET
def progress(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show how far a connection is."""
    link = InstallLink.objects.select_related("account", "integration").filter(uuid=uuid).first()
    if link is None or link.status not in _PAGES:
        sentence = "There is nothing to see here yet. Please open the link in your mail."
        return _page(request, "integrations/refused.html", {"sentence": sentence}, 404)
    waited = (timezone.now() - (link.used_at or link.created_at)).total_seconds()
    words = {"link": link, "is_slow": waited > 30, "landing_page": link.integration.landing_page}
    return _page(request, _PAGES[InstallLink.Status(link.status)], words)


def _page(request: HttpRequest, template: str, words: dict, status: int = 200) -> HttpResponse:
    response = render(request, template, words, status=status)
    response["Content-Security-Policy"] = _POLICY
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    """Keep the address, which carries a code, out of caches, search engines and the next page's log."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    add_never_cache_headers(response)
    return response
