"""The form where forms do not pass a shop's proxy: sent to Hemi itself, once for each time that it was shown."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_POST

from hemi.lib import posted_forms
from integrations import storefront_wishes
from integrations.models import AccountShopline
from orders import lookup_tickets, lookups
from suppliers import progress
from suppliers.views import shopper_look

log = logging.getLogger(__name__)


@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Answer on Hemi's own page: where the shop stands is nothing that its signature tells."""
    try:
        fields = posted_forms.read(request)
    except posted_forms.FormRefused as refused:
        return HttpResponse(status=refused.status)
    try:
        return _asked(request, fields)
    except DatabaseError as error:
        log.error("storefront.failed", extra={"error": type(error).__name__})
        with translation.override(storefront_wishes.language(request, {})):
            words = {"status": 503, "rule": "database"}
            return shopper_look.page("storefront/refused.html", None, words, status=503)


def _asked(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    ticket = lookup_tickets.use(fields.get("ticket", ""))
    account = AccountShopline.objects.filter(merchant_id=ticket.merchant_id).first() if ticket else None
    if ticket is None or account is None or not (account.is_live or ticket.is_development):
        with translation.override(storefront_wishes.language(request, {})):
            return shopper_look.page("storefront/ended.html", None, {}, status=410)
    with translation.override(ticket.language):
        return _answer(account, ticket, fields)


def _answer(account: AccountShopline, ticket: lookup_tickets.Ticket, fields: dict[str, str]) -> HttpResponse:
    number, email = fields.get("number", ""), fields.get("email", "")
    answer = lookups.ask(lookups.Question(account, ticket.customer_id, number, email, may_link=True))
    words = {"orders": progress.of(answer.orders), "is_linked": answer.is_linked, "is_direct": True}
    return shopper_look.page("storefront/answer.html", account, words)
