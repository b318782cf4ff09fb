"""What is wrong with a signed request, in plain words: the rule that failed first and what to do about it.

Values in, words out. No more of a right signature is told than its first characters.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from integrations.claimed_signatures import Candidate, Claimed, Key, digest
from integrations.shopify import mistakes as shopify_mistakes
from integrations.shopify import signatures as shopify_signatures
from integrations.shopify import signed_queries
from integrations.shopline import canonical, mistakes, queries
from integrations.shopline.signatures import NEAR_SECONDS

PROXY_SECONDS = 300  # Shopify names no limit for its app proxy
LONGEST_SHOWN = 20_000
CURRENT, OLD = "current secret", "old secret"
_STRINGS = ("merchant_id", "customer_id", "path_prefix", "timestamp")
_PLAINER = "Parsers differ on it or lose some of it, so it is refused whoever signed it: send plainer parameters."
_BESIDE = "A shopper or a script added it beside SHOPLINE's own: drop it before signing."
_CHANGE_OVER = "It is accepted for a while only: put the current secret in at the other side."
_OTHER_SECRET = "Put the right secret in at both ends; the first characters below tell which was used."  # noqa: S105


@dataclass(frozen=True)
class Finding:
    """What a check found; `rule` is blank where the request is accepted."""

    rule: str = ""
    told: str = ""
    advice: str = ""
    parsed: str = ""
    canonical: str = ""
    claimed: str = ""
    expected: tuple[tuple[str, str], ...] = ()
    matches: str = ""

    @property
    def headline(self) -> str:
        """The rule that failed first, and what happened."""
        return f"{self.rule[0].upper()}{self.rule[1:].replace('_', ' ')}: {self.told}" if self.rule else self.told

    @property
    def sentence(self) -> str:
        """The finding as a log of refused requests keeps it."""
        return f"{self.told} {self.advice}".strip()


@dataclass(frozen=True)
class Secrets:
    """Whose secrets are tried: `own` may be right, `others` explain a wrong signature."""

    own: Sequence[Key]
    others: Sequence[Key] = ()


def shopline(query: str, secrets: Secrets, now: float) -> Finding:
    """Check a request as SHOPLINE's App Proxy signs it, rule by rule in the order in which Hemi does."""
    try:
        values, flat = queries.read_extended(query), queries.read_simple(query)
    except queries.QueryRefused as refused:
        return Finding(refused.rule, str(refused), _PLAINER)
    signature = values.pop("signature", None)
    flat.pop("signature", None)
    messages = [canonical.message(values), canonical.message(flat)]
    shown = Finding(parsed=_pretty(values), canonical=messages[0][:LONGEST_SHOWN])
    if not isinstance(signature, str):
        return _without_signature(shown, "signature", is_repeated=signature is not None)
    found = _compared(shown, Claimed(signature), messages, secrets, mistakes.candidates(_unsigned(query)))
    for name in _STRINGS if found.rule != "form" else ():
        if not isinstance(values.get(name, ""), str):
            told = f"“{name}” comes more than once, or nested; it must be one plain value."
            return replace(found, rule="repeated key", told=told, advice=_BESIDE)
        if name not in values:
            told, advice = f"“{name}” is missing.", "Add it before signing; for a guest customer_id is empty."
            return replace(found, rule="missing", told=told, advice=advice)
    return found if found.rule else _clocked(found, str(values["timestamp"]), now, NEAR_SECONDS)


def shopify_query(query: str, secrets: Secrets, now: float) -> Finding:
    """Check a visit to the App URL or a callback."""
    messages = shopify_signatures.query_messages(query)
    candidates = shopify_mistakes.in_query(query)
    return _shopify(query, "hmac", messages, (secrets, candidates), (now, signed_queries.NEAR_SECONDS))


def shopify_proxy(query: str, secrets: Secrets, now: float) -> Finding:
    """Check a request through Shopify's app proxy."""
    messages = [shopify_signatures.proxy_message(query)]
    candidates = shopify_mistakes.in_proxy(query)
    return _shopify(query, "signature", messages, (secrets, candidates), (now, PROXY_SECONDS))


def shopify_webhook(headers: dict[str, str], body: bytes, secrets: Secrets) -> Finding:
    """Check a webhook; header names are in small letters."""
    told = {name: value for name, value in headers.items() if name.startswith("x-shopify-") and "hmac" not in name}
    summary = f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}\n\n{body[:2000].decode(errors='replace')}"
    shown = Finding(parsed=_pretty(told), canonical=summary)
    claimed = headers.get("x-shopify-hmac-sha256", "").strip()
    if not claimed:
        return _without_signature(shown, "X-Shopify-Hmac-Sha256", is_repeated=False)
    return _compared(shown, Claimed(claimed, is_base64=True), [body], secrets, shopify_mistakes.in_webhook(body))


def _shopify(
    query: str,
    name: str,
    messages: Sequence[str],
    search: tuple[Secrets, Iterable[Candidate]],
    clock: tuple[float, int],
) -> Finding:
    pairs = parse_qsl(query, keep_blank_values=True)
    values: dict[str, Any] = {}
    for key, value in pairs:
        values[key] = value if key not in values else [*_listed(values[key]), value]
    signature = values.pop(name, None)
    shown = Finding(parsed=_pretty(values), canonical="\n".join(messages)[:LONGEST_SHOWN])
    if not isinstance(signature, str):
        return _without_signature(shown, name, is_repeated=signature is not None)
    found = _compared(shown, Claimed(signature), messages, *search)
    if not found.rule and (gone := [key for key in ("shop", "timestamp") if not isinstance(values.get(key), str)]):
        told = f"It is signed, but “{gone[0]}” is missing or comes more than once."
        return replace(found, rule="incomplete", told=told, advice="Use the whole address as Shopify made it.")
    return found if found.rule else _clocked(found, values["timestamp"], *clock)


def _unsigned(query: str) -> str:
    return "&".join(part for part in query.split("&") if part.partition("=")[0] != "signature")


def _compared(
    shown: Finding,
    claimed: Claimed,
    messages: Sequence[str | bytes],
    secrets: Secrets,
    candidates: Iterable[Candidate],
) -> Finding:
    """Say with which secret the right thing was signed, or what was signed instead."""
    signed = [text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass") for text in messages]
    expected = tuple((key.title, claimed.written(digest(signed[0], key.secret))) for key in secrets.own if key.secret)
    shown = replace(shown, claimed=claimed.shown, expected=expected)
    if not expected:
        return replace(
            shown, rule="no secret", told="No secret is stored.", advice="Put it in first, then check again."
        )
    right = [Candidate(message) for message in signed]
    match = claimed.found_in(right, secrets.own)
    if match and claimed.form:
        told, advice = f"The signature is right, but {claimed.form}.", "Write it the way the other side expects it."
        return replace(shown, rule="form", told=told, advice=advice, matches=match.key.title)
    if match:
        return _matched(shown, match.key)
    if claimed.form:
        told = f"The signature cannot be right: {claimed.form}."
        return replace(shown, rule="form", told=told, advice="Copy all of it, or see how the other side writes it.")
    if match := claimed.found_in(right, secrets.others):
        told = f"It was signed with {match.key.title}."
        return replace(shown, rule="other secret", told=told, advice=_OTHER_SECRET, matches=match.key.title)
    if match := claimed.found_in(candidates, secrets.own):
        made = match.candidate
        told = f"{made.told[0].upper()}{made.told[1:]}."
        return replace(shown, rule=made.rule, told=told, advice=made.advice, matches=match.key.title)
    told = "The signature fits none of the secrets, and none of the usual mistakes explains it."
    advice = "Compare the text below with what the other side signs, letter for letter; then the secrets at both ends."
    return replace(shown, rule="signature", told=told, advice=advice)


def _matched(shown: Finding, key: Key) -> Finding:
    if key.is_accepted:
        told, is_current = f"The signature is right: made with the {key.title}.", key.title == CURRENT
        return replace(shown, told=told, matches=key.title, advice="" if is_current else _CHANGE_OVER)
    told = "It was signed with the old secret, which is no longer accepted."
    advice = "Put the current secret in at the other side; it may take its old one from a file or a cache."
    return replace(shown, rule="old secret", told=told, advice=advice, matches=key.title)


def _without_signature(shown: Finding, name: str, *, is_repeated: bool) -> Finding:
    if is_repeated:
        told, advice = f"“{name}” comes more than once.", "Send one; drop what a shopper or a proxy adds."
        return replace(shown, rule="repeated key", told=told, advice=advice)
    told, advice = f"There is no “{name}”.", "Copy the whole address or all headers; what is not signed is refused."
    return replace(shown, rule="no signature", told=told, advice=advice)


def _clocked(found: Finding, timestamp: str, now: float, limit: int) -> Finding:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        told, advice = "It is signed, but its timestamp is not a number of seconds.", "Use Unix time in whole seconds."
        return replace(found, rule="clock", told=told, advice=advice)
    off = int(now) - int(timestamp)
    if abs(off) <= limit:
        return found
    told = f"{found.told} But it was signed {_span(abs(off))} {'earlier' if off > 0 else 'later'}; {limit} seconds are "
    advice = "If you pasted an address of some time ago that is all there is to it. Else set the clocks (NTP)"
    advice += "; a timestamp in milliseconds would lie far ahead."
    return replace(found, rule="clock", told=f"{told}allowed.", advice=advice)


def _span(seconds: int) -> str:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pretty(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2)[:LONGEST_SHOWN]
