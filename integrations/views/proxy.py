"""The Proxy URL: what SHOPLINE's App Proxy sends on for shoppers. Pages are given only what was verified."""

import logging
import re
import time
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.translation import override

from hemi.lib import counters, posted_forms
from integrations import refused_requests, storefront_wishes, used_signatures
from integrations.models import AccountShopline
from integrations.shopline import signatures
from integrations.shopline.signatures import Verified
from integrations.storefront_requests import StorefrontRequest

log = logging.getLogger(__name__)

_READS = ("GET", "HEAD")
_METHODS = (*_READS, "POST")
_MERCHANT = re.compile(r"[A-Za-z0-9_-]{1,100}")


class _Refused(Exception):
    def __init__(self, status: int, rule: str, account: AccountShopline | None = None) -> None:
        super().__init__(rule)
        self.status, self.rule, self.account = status, rule, account


def serve(request: HttpRequest, path: str = "") -> HttpResponse:
    """Verify, find the merchant, and show the page of this child path."""
    try:
        response = _served(request, path)
    except _Refused as refused:
        response = _refusal(request, path, refused)
    except (DatabaseError, ImproperlyConfigured) as error:
        log.error("storefront.failed", extra={"error": type(error).__name__})
        response = _refusal(request, path, _Refused(503, "database"))
    response.cookies.clear()
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    counters.add(f"storefront.{response.status_code}")  # a line for each refusal could be made endless by anybody
    vars(response)["_has_been_logged"] = True
    return response


def _served(request: HttpRequest, path: str) -> HttpResponse:
    if request.method not in _METHODS:
        raise _Refused(405, "method")
    account, verified = _verified(request)
    is_development = _is_development(account, verified)
    if not (account.is_live or is_development):
        raise _Refused(404, "unapproved" if account.proxy_enabled else "disabled", account)
    page = settings.STOREFRONT_PAGES.get(path.removesuffix("/"))
    if page is None:
        raise _Refused(404, "path", account)
    wish = StorefrontRequest(
        account=account,
        customer_id=verified.text("customer_id"),
        path_prefix=verified.text("path_prefix"),
        path=path,
        method=str(request.method),
        values=verified.values,
        form=_form(request, account),
        language=storefront_wishes.language(request, verified.values),
        wants_json=storefront_wishes.wants_json(request, path),
        is_development=is_development,
    )
    return import_string(page)(wish)


def _verified(request: HttpRequest) -> tuple[AccountShopline, Verified]:
    """Return whose request it is. A request that may change something uses its signature up."""
    account = None
    try:
        claim = signatures.read(request.META.get("QUERY_STRING", ""))
        account = _account(request, claim.merchant_id)
        verified = signatures.check(claim, account.secrets, now=time.time())
    except signatures.Refused as refused:
        _refuse(request, refused.rule, account)
    if request.method not in _READS and not used_signatures.use(account, verified.signature):
        _refuse(request, "used", account)
    _note(account, verified)
    return account, verified


def _account(request: HttpRequest, merchant_id: str) -> AccountShopline:
    is_possible = _MERCHANT.fullmatch(merchant_id)
    account = AccountShopline.objects.filter(merchant_id=merchant_id).order_by().first() if is_possible else None
    if account is None:
        refused_requests.note_storefront(request, "merchant", None)
        raise _Refused(404, "merchant")
    return account


def _refuse(request: HttpRequest, rule: str, account: AccountShopline | None) -> NoReturn:
    refused_requests.note_storefront(request, rule, account)
    raise _Refused(401, rule, account)


def _note(account: AccountShopline, verified: Verified) -> None:
    """Record how the other side reads queries, where this one tells, and that it still signs with an old secret."""
    if verified.reading != signatures.EITHER and verified.reading != account.read_as:
        AccountShopline.objects.filter(pk=account.pk).update(read_as=verified.reading)
        log.info("storefront.read_as", extra={**account.log_ids, "reading": verified.reading})
    if verified.is_old_secret:
        log.info("storefront.old_secret", extra=account.log_ids)


def _is_development(account: AccountShopline, verified: Verified) -> bool:
    development = f"/{account.subpath_prefix}/{account.development_subpath}"
    return bool(account.app_id) and verified.text("path_prefix") == development


def _form(request: HttpRequest, account: AccountShopline) -> dict[str, str]:
    try:
        return posted_forms.read(request) if request.method == "POST" else {}
    except posted_forms.FormRefused as refused:
        raise _Refused(refused.status, "form", account) from None


def _refusal(request: HttpRequest, path: str, refused: _Refused) -> HttpResponse:
    headers = {"Allow": ", ".join(_METHODS)} if refused.status == 405 else {}
    if storefront_wishes.wants_json(request, path):
        return JsonResponse({"error": refused.rule}, status=refused.status, headers=headers)
    with override(storefront_wishes.language(request, {})):
        text = render_to_string("storefront/refused.html", {"status": refused.status, "rule": refused.rule})
    headers |= {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"}
    return HttpResponse(text, status=refused.status, headers=headers)
