"""How a shopper wants a page: in which language, and as html or JSON. Nobody signs this, and nothing depends on it."""

import re
from collections.abc import Mapping

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from integrations.shopline.queries import Value

LANGUAGE_NAMES = ("lang", "locale")  # parameters, as shops name them
_OURS = {"en": "en", "de": "de", "zh": "zh-hant"}  # what templates/storefront is translated into
_LONGEST_HEADER = 500


def language(request: HttpRequest, values: Mapping[str, Value]) -> str:
    """Return the translation that is nearest to what a parameter asks for, or else the browser."""
    for name in LANGUAGE_NAMES:
        value = values.get(name)
        if isinstance(value, str) and (found := _translation(value)):
            return found
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", "")[:_LONGEST_HEADER])
    return next((found for code, _ in accepted if (found := _translation(code))), "en")


def _translation(code: str) -> str:
    return _OURS.get(re.split("[-_]", code.lower(), maxsplit=1)[0], "")


def wants_json(request: HttpRequest, path: str) -> bool:
    """Say whether JSON is wanted rather than a page."""
    if path.endswith(".json"):
        return True
    accept = request.headers.get("Accept", "")[:_LONGEST_HEADER].lower()
    return "application/json" in accept and "text/html" not in accept
