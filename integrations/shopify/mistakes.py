"""What may have been signed instead of what Shopify signs: the usual changes on the way, likeliest first."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote_plus, unquote, urlencode

from integrations.claimed_signatures import Candidate
from integrations.shopify import signatures

MOST_LEFT_OUT = 20  # parameters that are left out one by one
LARGEST_PARSED = 500_000  # bytes of a body that is printed anew
_NAMES = ("shop", "timestamp", "code", "state", "host", "logged_in_customer_id", "path_prefix")
_RAW = "Hemi must be given the address as Shopify sent it: look at what stands in front of Hemi."
_BODY = "Hemi must be given the body byte by byte: look for what reads and writes it on the way (proxy, gateway, log)."


def in_query(query: str) -> Iterator[Candidate]:
    """Return what may have been signed as `hmac` of an install or callback query."""
    bare = _without(query, {"hmac"})
    for name, altered, told in _altered(bare):
        for message in signatures.query_messages(altered):
            yield Candidate(message.encode(), name, told, _RAW)
    yield from _as_sent(bare)
    joined = signatures.proxy_message(bare)
    yield Candidate(
        joined.encode(), "form", "it is made as of an app proxy, without & between", "Choose the other kind."
    )


def in_proxy(query: str) -> Iterator[Candidate]:
    """Return what may have been signed as `signature` of an app proxy's query."""
    bare = _without(query, {"signature"})
    yield from _repeated(bare)
    for name, altered, told in _altered(bare):
        yield Candidate(signatures.proxy_message(altered).encode(), name, told, _RAW)
    yield from _as_sent(bare)
    for message in signatures.query_messages(bare):
        advice = "Join key=value with nothing between."
        yield Candidate(message.encode(), "form", "it is made as of an install query, with & between", advice)


def in_webhook(body: bytes) -> Iterator[Candidate]:
    """Return what the bytes of a body may have been before something changed them."""
    lines = body.replace(b"\r\n", b"\n")
    bare = lines.rstrip(b"\n")
    for changed, told in (
        (lines, "the ends of lines were changed"),
        (lines.replace(b"\n", b"\r\n"), "the ends of lines were changed"),
        (bare, "a line break was added at the end"),
        (bare + b"\n", "the line break at the end was lost"),
        (bare + b"\r\n", "the line break at the end was lost"),
        (body.removeprefix(b"\xef\xbb\xbf"), "a byte order mark was added"),
        (body.strip(), "spaces were added around it"),
    ):
        yield Candidate(changed, "body", told, _BODY)
    if len(body) <= LARGEST_PARSED:
        yield from _printed_anew(bare)


def _without(query: str, names: set[str]) -> str:
    return "&".join(part for part in query.split("&") if unquote(part.partition("=")[0]) not in names)


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _altered(query: str) -> Iterator[tuple[str, str, str]]:
    """Yield (rule, query, what happened) of what proxies and copying do to an address."""
    pairs = _pairs(query)
    yield "escape", query.replace("+", "%2B"), "a + became a space"
    yield "escape", urlencode([(unquote(name), unquote(value)) for name, value in pairs]), "it was encoded once more"
    yield "escape", urlencode([(name, quote_plus(value)) for name, value in pairs]), "it was decoded on the way"
    yield "empty value", urlencode([pair for pair in pairs if pair[1]]), "a parameter without a value was added"
    added = [name for name in dict.fromkeys(name for name, _ in pairs) if name not in _NAMES]
    for name in added[:MOST_LEFT_OUT]:
        left = [pair for pair in pairs if pair[0] != name]
        yield "parameter", urlencode(left), f"“{name[:60]}” was not signed: it was added later"
    if len(added) > 1:
        left = [pair for pair in pairs if pair[0] in _NAMES]
        yield "parameter", urlencode(left), "everything but Shopify's own parameters was added later"
    if "host" in dict(pairs):
        yield "parameter", urlencode([pair for pair in pairs if pair[0] != "host"]), "“host” was not signed"


def _as_sent(query: str) -> Iterator[Candidate]:
    parts = query.split("&")
    decoded = [f"{name}={value}" for name, value in _pairs(query)]
    for between in ("&", ""):
        yield Candidate(
            between.join(parts).encode(), "order", "the keys were not sorted, the values not decoded", _SIGN
        )
        yield Candidate(between.join(decoded).encode(), "order", "the keys were not sorted", _SIGN)
        yield Candidate(between.join(sorted(parts)).encode(), "escape", "the values were not decoded", _SIGN)
        if between == "":
            continue
        yield Candidate(
            between.join(sorted(decoded)).encode(), "escape", "% and & in values were left as they are", _SIGN
        )


def _repeated(query: str) -> Iterator[Candidate]:
    found: dict[str, list[str]] = {}
    for name, value in _pairs(query):
        found.setdefault(name, []).append(value)
    for told, choose in (
        ("of a repeated key only the last value was taken", lambda values: values[-1]),
        ("of a repeated key only the first value was taken", lambda values: values[0]),
        ("the values of a repeated key were written as a list", json.dumps),
    ):
        message = "".join(sorted(f"{name}={choose(values)}" for name, values in found.items()))
        yield Candidate(message.encode(), "repeated key", told, "Join the values of a repeated key by a comma.")
    message = "".join(f"{name}={value}" for name, value in sorted(_pairs(query)))
    advice = "Join the values of a repeated key by a comma."
    yield Candidate(message.encode(), "repeated key", "a repeated key was signed once for each value", advice)


def _printed_anew(body: bytes) -> Iterator[Candidate]:
    try:
        value = json.loads(body)
        json.dumps(value)
    except (ValueError, RecursionError):
        return
    told = "it was read as JSON and written anew"
    for spaces in ((",", ":"), (", ", ": ")):
        for is_ascii in (False, True):
            text = json.dumps(value, separators=spaces, ensure_ascii=is_ascii)
            for printed in (text, text.replace("/", "\\/"), _html(text)):
                yield Candidate(printed.encode("utf-8", "surrogatepass"), "body", told, _BODY)
    for indent in (2, 4):
        yield Candidate(
            json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass"), "body", told, _BODY
        )


def _html(text: str) -> str:
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_SIGN = "Sort by key, and sign the decoded values as Shopify's documentation says."
