"""A query that Shopify signed, read strictly: of a callback after consent, and of a visit to the App URL.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

import re
import time
from collections.abc import Iterable
from urllib.parse import parse_qsl

from integrations.shopify import domains

NEAR_SECONDS = 90  # as in Shopify's own library
MOST_FIELDS = 100
_SHAPES = {
    "code": re.compile(r"[\x21-\x7e]{1,500}"),
    "hmac": re.compile(r"[0-9a-f]{64}"),
    "state": re.compile(r"[A-Za-z0-9._-]{1,200}"),
    "timestamp": re.compile(r"[0-9]{1,12}"),
}
_HARMLESS = {
    "shop": re.compile(r"[a-z0-9.-]{1,80}"),
    "timestamp": _SHAPES["timestamp"],
    "host": re.compile(r"[A-Za-z0-9]{1,120}"),
}
_NAME = re.compile(r"[a-z_]{1,30}(\[\])?")


class QueryRefused(Exception):
    """The query is not what Shopify sends: `rule` is incomplete, malformed or shop."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def pairs(query: str) -> list[tuple[str, str]]:
    """Return the parameters in their order; none at all where there are endlessly many."""
    if query.count("&") >= MOST_FIELDS:
        return []
    return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)


def read(query: str, required: Iterable[str]) -> dict[str, str]:
    """Return the parameters by name, those required being there and in shape; raises QueryRefused."""
    found = pairs(query)
    fields = dict(found)
    if not all(fields.get(name) for name in required):
        raise QueryRefused("incomplete")
    is_repeated = len(fields) != len([name for name, _ in found if not name.endswith("[]")])
    if is_repeated or not all(_SHAPES[name].fullmatch(fields[name]) for name in required if name in _SHAPES):
        raise QueryRefused("malformed")
    return fields


def shop_name(fields: dict[str, str]) -> str:
    """Return the name of the shop in `shop`, which must be a shop's domain in full; raises QueryRefused."""
    try:
        return domains.from_domain(fields["shop"])
    except ValueError:
        raise QueryRefused("shop") from None


def seconds_off(timestamp: str) -> int:
    """Return how long ago the query was signed; negative where it lies ahead."""
    return int(time.time()) - int(timestamp)


def is_near(timestamp: str) -> bool:
    """Say whether the query was signed just now."""
    return abs(seconds_off(timestamp)) <= NEAR_SECONDS


def outline(query: str) -> str:
    """Return what was signed, for a log: names in order, and of most values only how long they are."""
    kept = sorted(pair for pair in pairs(query) if pair[0] not in ("hmac", "signature") and _NAME.fullmatch(pair[0]))
    return "&".join(f"{name}={_shown(name, value)}" for name, value in kept)[:500]


def _shown(name: str, value: str) -> str:
    shape = _HARMLESS.get(name)
    return value if shape and shape.fullmatch(value) else f"<{len(value)}>"
