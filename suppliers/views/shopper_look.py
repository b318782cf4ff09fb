"""How pages for shoppers are sent: in their language and the shop's colour, without script, cookie or trace."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation

from hemi.lib import colours
from integrations.models import AccountShopline

_LANGUAGES = {"en": "en", "zh-hant": "zh-Hant", "de": "de"}  # Django's name and HTML's
JSON_SECONDS = 5
_OTHERWISE = "#1f6feb"
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' {}; frame-ancestors 'self'"
)


def page(
    template: str, account: AccountShopline | None, words: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Show a page in the language that is active; without an account it is nobody's."""
    colour = colours.checked(account.brand_colour if account else "", otherwise=_OTHERWISE)
    look = {
        "shop_name": account.shop_name if account else "",
        "colour": colour,
        "ink": colours.ink_on(colour),
        "accent": colours.readable(colour),
        "html_language": _LANGUAGES[translation.get_language() or "en"],
    }
    with timezone.override(zone := _zone(account.time_zone if account else "")):
        text = render_to_string(template, {**look, **words, "is_utc": zone is UTC})
    response = HttpResponse(text, status=status)
    response["Content-Security-Policy"] = _POLICY.format(settings.HEMI_BASE_URL)
    response["Cache-Control"] = "private, no-store"
    return _quiet(response)


def json(said: Mapping[str, Any], *, seconds: int = 0, status: int = 200) -> HttpResponse:
    """Answer a script; kept for so many seconds by the shopper's own browser, never by a cache in between."""
    response = JsonResponse(said, status=status, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = f"private, max-age={seconds}" if seconds else "private, no-store"
    return _quiet(response)


def _zone(name: str) -> tzinfo:
    """Return the shop's time zone; UTC, which the pages then name, where this machine does not know it."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError):
        return UTC


def _quiet(response: HttpResponse) -> HttpResponse:
    response["Content-Language"] = _LANGUAGES[translation.get_language() or "en"]
    response["Referrer-Policy"] = "strict-origin"
    response["Vary"] = "Accept, Accept-Language"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    return response
