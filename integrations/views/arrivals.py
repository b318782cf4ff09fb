"""The App URL: where Shopify opens the app, above all after its own install link."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from integrations import refused_requests
from integrations.services import arrivals
from integrations.views.pages import page, private


@require_GET
def install(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Send the store's owner on to consent, or say that the store is connected already."""
    try:
        arrival = arrivals.arrive(uuid, request.META.get("QUERY_STRING", ""))
    except arrivals.ArrivalRefused as refused:
        if refused.rule in refused_requests.OF_A_QUERY:
            refused_requests.note_visit(request, refused.rule, uuid)
        return page(request, "integrations/refused.html", {"sentence": str(refused)}, status=refused.status)
    if arrival.authorize_url:
        return private(HttpResponseRedirect(arrival.authorize_url))
    integration = arrival.account.integration
    words = {"account": arrival.account, "landing_page": integration.landing_page if integration else ""}
    return page(request, "integrations/connected_already.html", words)
