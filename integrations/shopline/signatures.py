"""What proves that a storefront request comes through the App Proxy: HMAC-SHA256 over the canonical string, in hex."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrations.shopline import canonical, queries
from integrations.shopline.queries import Value

NEAR_SECONDS = 300
EXTENDED = "extended"
SIMPLE = "simple"
EITHER = "either"
_BRACKET = re.compile(r"\[|%5[Bb]")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Refused(Exception):
    """The query is not what the App Proxy sends now: `rule` is a short word, the text a sentence about it."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


@dataclass(frozen=True)
class Verified:
    """What was signed, without its signature. `reading` says how it was read: extended, simple, or either alike."""

    values: dict[str, Value] = field(repr=False)
    reading: str
    is_old_secret: bool
    signature: str = field(repr=False)
    timestamp: int

    def text(self, name: str) -> str:
        """Return the text of a parameter; blank where there is none or it is no text."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""


def sign(values: Mapping[str, Value], secret: str) -> str:
    """Return the signature of these parameters, whatever `signature` stands among them."""
    unsigned = {name: value for name, value in values.items() if name != "signature"}
    return hmac.digest(secret.encode(), canonical.message(unsigned).encode(), hashlib.sha256).hex()


@dataclass(frozen=True)
class Claim:
    """A query that can be read and says who signed it, not verified yet: only `merchant_id` may be used, to look up."""

    readings: tuple[tuple[str, dict[str, Value]], ...] = field(repr=False)
    signature: str = field(repr=False)
    merchant_id: str


def read(query: str) -> Claim:
    """Return what the raw query claims to be; raises Refused."""
    readings = _readings(query)
    values = readings[0][1]
    signature = _claimed(values)
    for name in ("merchant_id", "customer_id", "path_prefix", "timestamp"):
        _require_text(values, name)
    return Claim(tuple(readings), signature, str(values["merchant_id"]))


def check(claim: Claim, secrets: Sequence[str], *, now: float) -> Verified:
    """Return what was signed, if that was done just now with one of the secrets; raises Refused.

    The first secret is the current one. `now` is Unix time in seconds.
    """
    found = _match(claim, secrets)
    if found is None:
        raise Refused("signature", "The signature was made over something else, or with another secret.")
    reading, signed, secret = found
    timestamp = _near(signed["timestamp"], now)
    signed = {name: value for name, value in signed.items() if name != "signature"}
    return Verified(signed, reading, secret != secrets[0], claim.signature, timestamp)


def verify(query: str, secrets: Sequence[str], *, now: float) -> Verified:
    """Read and check at once; raises Refused."""
    return check(read(query), secrets, now=now)


def _readings(query: str) -> list[tuple[str, dict[str, Value]]]:
    try:
        extended = queries.read_extended(query)
        simple = queries.read_simple(query) if _BRACKET.search(query) else extended
    except queries.QueryRefused as refusal:
        raise Refused(refusal.rule, str(refusal)) from None
    return [(EITHER, extended)] if extended == simple else [(EXTENDED, extended), (SIMPLE, simple)]


def _claimed(values: Mapping[str, Value]) -> str:
    claimed = values.get("signature")
    if claimed is None:
        raise Refused("unsigned", "There is no signature.")
    if not isinstance(claimed, str):
        raise Refused("repeated", "There is more than one signature.")
    if not _SIGNATURE.fullmatch(claimed):
        raise Refused("malformed", "The signature is not 64 digits of lowercase hex.")
    return claimed


def _require_text(values: Mapping[str, Value], name: str) -> None:
    if name not in values:
        raise Refused("missing", f"There is no {name}.")
    if not isinstance(values[name], str):
        raise Refused("repeated", f"{name} is there more than once, or nested.")


def _match(claim: Claim, secrets: Sequence[str]) -> tuple[str, dict[str, Value], str] | None:
    for reading, values in claim.readings:
        for secret in filter(None, secrets):
            if hmac.compare_digest(sign(values, secret), claim.signature):
                return reading, values, secret
    return None


def _near(timestamp: Value, now: float) -> int:
    if not isinstance(timestamp, str) or not _TIMESTAMP.fullmatch(timestamp):
        raise Refused("clock", "The timestamp is not Unix time in seconds.")
    if abs(now - int(timestamp)) > NEAR_SECONDS:
        raise Refused("clock", f"The timestamp is more than {NEAR_SECONDS} seconds away.")
    return int(timestamp)
