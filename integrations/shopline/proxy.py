"""The storefront side of SHOPLINE's App Proxy, without the network: what of a shopper's request goes on, and how.

What SHOPLINE adds and strips stands in its Dev Center, App > Advanced Settings > App proxy.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus, unquote_to_bytes, urlencode

from integrations.shopline import queries, signatures

MEDIA_TYPES = ("text/html", "application/json")
# Named here, so that what a browser sends to Hemi (cookies, a login, the proxies in between) never leaves by accident.
_REQUEST_HEADERS = {
    "accept",
    "accept-language",
    "content-type",
    "if-modified-since",
    "if-none-match",
    "user-agent",
    "x-requested-with",
}
# A stranger's answer stands under Hemi's own host: it may not set cookies there, ask for a login, move the host
# elsewhere (Alt-Svc, Refresh, Strict-Transport-Security) or speak to the proxy in front (X-Accel-Redirect).
_ANSWER_HEADERS = {
    "age",
    "cache-control",
    "content-encoding",
    "content-language",
    "etag",
    "expires",
    "last-modified",
    "retry-after",
    "vary",
}
_VALUE = re.compile(r"[\t -~\x80-\xff]*")  # no line break, also not a folded one
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTENT_TYPE = re.compile(r'([a-z]+/[a-z]+)\s*(?:;\s*charset\s*=\s*"?([a-z0-9_-]+)"?\s*)?', re.IGNORECASE)


class PathRefused(Exception):
    """The child path could mean another place than it shows."""


def ascii_only(raw: str) -> str:
    """Escape what does not belong into a request line; `raw` is Latin-1, as WSGI gives bytes. The rest is kept."""
    return "".join(sign if "!" <= sign <= "~" and sign != "#" else f"%{ord(sign):02X}" for sign in raw)


def child_path(raw: str) -> str:
    """Return the child path as it is. Raises PathRefused where it could lead out of the Proxy URL.

    Escapes are taken off again and again, for nobody knows how often an app's server does it.
    """
    if _BROKEN_ESCAPE.search(raw):
        raise PathRefused("The path has a broken escape: after % come two hexadecimal digits.")
    for segment in raw.split("/"):
        known = segment.encode("latin-1")
        while True:
            if known in (b".", b"..") or any(sign in known for sign in (b"/", b"\\", b"\0", b"\r", b"\n")):
                raise PathRefused("The path may not hold “.” or “..”, nor an escaped slash, backslash or zero byte.")
            plain = unquote_to_bytes(known)
            if plain == known:
                break
            known = plain
    return raw


def shoppers_query(raw: str) -> str:
    """Return the query without the names that only the storefront may add, otherwise as it is."""
    return "&".join(part for part in raw.split("&") if _root(part) not in queries.RESERVED)


def signed_query(shoppers: str, added: Mapping[str, str], secret: str) -> str:
    """Return the whole query, signed as the app will read it. Raises queries.QueryRefused."""
    names = urlencode(added)
    query = f"{shoppers}&{names}" if shoppers else names
    values = queries.read_extended(f"{query}&signature={'0' * 64}")  # it counts among what may be sent at all
    if {name: values.get(name) for name in added} != dict(added) or not isinstance(values["signature"], str):
        raise queries.QueryRefused("reserved", "A name that only the storefront may add is there a second time.")
    return f"{query}&signature={signatures.sign(values, secret)}"


def request_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that go on to the app."""
    dropped = _named_by_connection(headers.items())
    return {name: value for name, value in headers.items() if name.lower() in _REQUEST_HEADERS - dropped}


def answer_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that come back to the shopper; Content-Type and Location are looked at apart."""
    pairs = list(headers)
    dropped = _named_by_connection(pairs)
    passed: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() in _ANSWER_HEADERS - dropped and _VALUE.fullmatch(value):
            before = passed.get(name.title())
            passed[name.title()] = f"{before}, {value}" if before else value
    passed["Cache-Control"] = _for_one_person(passed.get("Cache-Control", ""))
    return passed


def content_type(value: str) -> str:
    """Return a content type that may be shown, written strictly; blank for any other."""
    found = _CONTENT_TYPE.fullmatch(value.strip())
    if not found or found[1].lower() not in MEDIA_TYPES:
        return ""
    return f"{found[1].lower()}; charset={found[2].lower()}" if found[2] else found[1].lower()


def _for_one_person(cache_control: str) -> str:
    """Keep shared caches away: whose page it is does not stand in the query that they would see."""
    wishes = [wish.strip() for wish in cache_control.split(",") if wish.strip()]
    kept = [wish for wish in wishes if wish.lower() not in ("public", "private") and "s-maxage" not in wish.lower()]
    return ", ".join(["private", *kept]) if kept else "private, no-store"


def _named_by_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    named = [value for name, value in headers if name.lower() == "connection"]
    return {word.strip().lower() for value in named for word in value.split(",")}


def _root(part: str) -> str:
    """Return the name under which a parser would file it: `a` of a=1, a[b]=1, a%5B%5D=1 and [a]=1."""
    key = unquote_plus(part.partition("=")[0])
    return re.split(r"[\[\]]", key.lstrip("["), maxsplit=1)[0]
