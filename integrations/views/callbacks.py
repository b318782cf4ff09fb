"""Where a client's browser comes back to after consent, waits, and may ask for a new link."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from integrations import refused_requests
from integrations.models import InstallLink
from integrations.services import callbacks, link_renewals
from integrations.views.pages import page, private

_PAGES = {
    InstallLink.Status.CODE_RECEIVED: "integrations/connecting.html",
    InstallLink.Status.CONNECTED: "integrations/connected.html",
    InstallLink.Status.FAILED: "integrations/failed.html",
}
_OLD = ("state_expired", "state_replaced", "state_used")  # a client who comes back with an old link


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Take what Shopify sends the browser back with, and go on to the progress page."""
    try:
        link = callbacks.receive(request.META.get("QUERY_STRING", ""))
    except callbacks.CallbackRefused as refused:
        if refused.rule in refused_requests.OF_A_QUERY:
            app = refused.link.integration.uuid if refused.link else None
            refused_requests.note_visit(request, refused.rule, app)
        return _refused(request, refused)
    # The code does not stay in the address bar.
    return private(HttpResponseRedirect(reverse("shopify-progress", args=[link.uuid])))


@require_GET
def progress(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show how far a connection is."""
    link = InstallLink.objects.select_related("account", "integration__credentials").filter(uuid=uuid).first()
    if link is None or link.status not in _PAGES:
        sentence = "There is nothing to see here yet. Please open the link in your mail."
        return page(request, "integrations/refused.html", {"sentence": sentence}, status=404)
    waited = (timezone.now() - (link.used_at or link.created_at)).total_seconds()
    renewal = _renewal(link) if link.status == InstallLink.Status.FAILED else {}
    words = {"link": link, "is_slow": waited > 30, "landing_page": link.integration.landing_page, **renewal}
    return page(request, _PAGES[InstallLink.Status(link.status)], words, has_form=bool(renewal))


@require_POST
def renew(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Mail a new link to the address on file, if this link may ask for it; the answer is the same whether or not."""
    link = InstallLink.objects.select_related("account").filter(uuid=uuid).first()
    if link is not None:
        link_renewals.ask(link)
    return page(request, "integrations/renewed.html", {})


def _refused(request: HttpRequest, refused: callbacks.CallbackRefused) -> HttpResponse:
    link = refused.link if refused.rule in _OLD else None
    words: dict[str, Any] = {"sentence": str(refused)}
    if link is not None and refused.rule == "state_used" and link.account.is_authorised:
        words["connected_store"] = link.account.domain
    elif link is not None:
        words |= _renewal(link)
        words["must_ask_contact"] = "renewal_link" not in words and refused.rule != "state_replaced"
    has_form = "renewal_link" in words
    return page(request, "integrations/refused.html", words, status=refused.status, has_form=has_form)


def _renewal(link: InstallLink) -> dict[str, Any]:
    if not link_renewals.may_ask(link):
        return {}
    return {"renewal_link": link, "shown_address": link_renewals.shown_address(link.account)}
