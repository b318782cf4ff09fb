"""The storefront side: what a shop's address would answer, shown under Hemi's own host and kept away from the admin."""

import errno
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from hemi.lib import in_process, posted_forms
from integrations import storefront_side, storefront_wishes
from integrations.shopline import proxy, redirects
from integrations.shopline.forwarding import Answer, CutOff, NotForwarded, Outgoing
from integrations.shopline.queries import QueryRefused
from integrations.storefront_side import Asked, NotHere, Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_ROOT = "/storefront/"
# The page runs nothing and has an origin of its own: no script of a shop beside the admin, no cookie with its forms.
# Forms may be sent, links followed, and a parcel's tracking page opened as any other page.
_POLICY = (
    "sandbox allow-forms allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; "
    "script-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_BODY_REFUSED = {411: "What was sent does not say how long it is.", 413: "What was sent is too large."}


class _Refused(Exception):
    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence, self.status = sentence, status


def show(request: HttpRequest, key: str, prefix: str, rest: str) -> HttpResponseBase:
    """Sign the request as the storefront does, forward it to the Proxy URL, and show what may be shown."""
    try:
        response = _response(request, key, prefix)
    except _Refused as refused:
        response = _refusal(request, refused)
    response.headers["Content-Security-Policy"] = f"{_POLICY} {settings.HEMI_BASE_URL}/shopline/"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the preview's token
    response.headers["X-Robots-Tag"] = "noindex"
    response._has_been_logged = True  # type: ignore[attr-defined] # Django would log the address with its refusals
    return response


def _response(request: HttpRequest, key: str, prefix: str) -> HttpResponseBase:
    request.get_host()  # no middleware has looked at it; DisallowedHost is Django's 400
    if not settings.STOREFRONT_SIDE:
        raise _Refused("There is nothing at this address.", 404)
    if request.method not in METHODS:
        raise _Refused("This method is not forwarded.", 405)
    segments = _raw_path(request).removeprefix(_ROOT).split("/")
    subpath, slash, child = "/".join(segments[2:]).partition("/")
    try:
        if [unquote(segment) for segment in segments[:2]] != [key, prefix]:
            raise NotHere("There is nothing at this address.")  # an escaped slash made other segments of it
        who = storefront_side.visitor(key, sandbox_customer=_sandbox_customer(request))
        where = storefront_side.route(who.account, prefix, subpath)
        if not slash:
            return _with_slash(request, subpath)
        asked = _asked(request, child)
        outgoing = storefront_side.outgoing(asked, who, where)
        return _shown(storefront_side.forward(outgoing, where, asked.port), outgoing, where)
    except NotHere as nothing:
        raise _Refused(str(nothing), 404) from None
    except (proxy.PathRefused, QueryRefused) as refused:
        raise _Refused(str(refused), 400) from None
    except NotForwarded as failed:
        raise _Refused(str(failed), 502) from None


def _raw_path(request: HttpRequest) -> str:
    """Return the path as it was sent; servers that do not tell it have taken the escapes off."""
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    path = raw.partition("?")[0] if raw.startswith("/") else urlsplit(raw).path
    return proxy.ascii_only(path) if path.startswith(_ROOT) else quote(request.path_info, safe="/:~@!$&'()*+,;=")


def _sandbox_customer(request: HttpRequest) -> str | None:
    """Return the shopper whom the sandbox's shop names; None for everybody else."""
    is_near = request.META.get("REMOTE_ADDR") == in_process.LOOPBACK and "X-Forwarded-For" not in request.headers
    return request.headers.get("X-Storefront-Customer", "") if settings.SANDBOX and is_near else None


def _asked(request: HttpRequest, child: str) -> Asked:
    try:
        body = posted_forms.body(request, settings.STOREFRONT_MAX_BYTES)
    except posted_forms.FormRefused as refused:
        raise _Refused(_BODY_REFUSED.get(refused.status, "What was sent cannot be read."), refused.status) from None
    port = int(request.META.get("SERVER_PORT") or 0)
    query = proxy.ascii_only(request.META.get("QUERY_STRING", ""))
    return Asked(request.method or "", child, query, request.headers, body, port)


def _with_slash(request: HttpRequest, subpath: str) -> HttpResponse:
    """Send on to the address with a slash at its end, without which a page's relative links would lead elsewhere."""
    query = request.META.get("QUERY_STRING", "")
    location = f"./{subpath}/{'?' if query else ''}{proxy.ascii_only(query)}"
    return HttpResponse(status=308, headers={"Location": location, "Cache-Control": "private, no-store"})


def _shown(answer: Answer, outgoing: Outgoing, where: Route) -> HttpResponseBase:
    headers = proxy.answer_headers(answer.headers)
    if answer.status in (204, 304):
        return HttpResponse(status=answer.status, headers=headers)
    if 300 <= answer.status < 400:
        location = redirects.relative(
            answer.header("location"), url=outgoing.url, proxy_url=where.proxy_url, path_prefix=where.path_prefix
        )
        if not location:
            raise NotForwarded("The app redirects to an address that is not below its Proxy URL.")
        return HttpResponse(status=answer.status, headers={**headers, "Location": location})
    content_type = proxy.content_type(answer.header("content-type"))
    if not content_type:
        raise NotForwarded("The app's answer is neither text/html nor application/json; nothing else is passed on.")
    if answer.length is not None and outgoing.method != "HEAD":
        headers["Content-Length"] = str(answer.length)
    return _streamed(answer, {**headers, "Content-Type": content_type})


def _streamed(answer: Answer, headers: dict[str, str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(_until_cut(answer.blocks), status=answer.status, headers=headers)


def _until_cut(blocks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from blocks
    except CutOff as cut:
        storefront_side.log.warning("storefront.cut", extra={"why": str(cut)})
        # What was sent cannot be taken back: an end without its end tells that it is not whole.
        raise ConnectionResetError(errno.ECONNRESET, str(cut)) from None


def _refusal(request: HttpRequest, refused: _Refused) -> HttpResponse:
    words: dict[str, Any] = {"sentence": refused.sentence}
    if storefront_wishes.wants_json(request, request.path_info):
        response: HttpResponse = JsonResponse({"error": refused.sentence}, status=refused.status)
    else:
        response = render(request, "integrations/storefront_refused.html", words, status=refused.status)
    response.headers["Cache-Control"] = "private, no-store"
    return response
