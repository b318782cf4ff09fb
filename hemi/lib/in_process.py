"""Ask Hemi itself without the network, so that a server with one worker never waits for itself."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Call:
    """One request to a machine path; `url` is whole, `headers` are all that the view sees."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


def answer(call: Call) -> HttpResponseBase:
    """Call the view as the machine lane does: no session, no cookie, no middleware."""
    request = WSGIRequest(_environ(call))
    try:
        match = resolve(request.path_info)
        request.resolver_match = match
        return match.func(request, *match.args, **match.kwargs)
    except Http404:
        return HttpResponse("There is nothing at this address.", status=404, content_type="text/html; charset=utf-8")


def _environ(call: Call) -> dict[str, Any]:
    parts = urlsplit(call.url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    environ = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": target,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or {"https": 443}.get(parts.scheme, 80)),
        "REMOTE_ADDR": LOOPBACK,
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(call.body),
    }
    for name, value in call.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
