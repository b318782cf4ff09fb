"""A signature that somebody claims, and the search for how it was made."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SHOWN = 8  # characters of a signature: enough to compare two, useless to forge one
HIDDEN = "***"  # stands where something was taken out
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_SHORT = re.compile(rf"[\x21-\x7e]{{{SHOWN}}}{re.escape(HIDDEN)}")


@dataclass(frozen=True)
class Key:
    """A secret under the name by which staff know it."""

    title: str
    secret: str = field(repr=False)
    is_accepted: bool = True


@dataclass(frozen=True)
class Candidate:
    """What the other side may have signed; `rule` is blank for the right thing, `told` says what went wrong."""

    message: bytes = field(repr=False)
    rule: str = ""
    told: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Match:
    """How a signature was made."""

    candidate: Candidate
    key: Key


@dataclass(frozen=True)
class Claimed:
    """A signature as it was sent, or of a kept request the first characters of one."""

    text: str
    is_base64: bool = False  # how the right one is written

    @property
    def shown(self) -> str:
        return self.text[:SHOWN]

    @property
    def form(self) -> str:
        """Say what is odd about how it is written; blank where it is what it should be."""
        if _SHORT.fullmatch(self.text):
            return ""
        if self._raw is None:
            wanted = "44 characters of base64" if self.is_base64 else "64 hexadecimal digits"
            return f"it is {len(self.text)} characters long, where {wanted} belong" if self.text else "it is empty"
        is_hex = bool(_HEX.fullmatch(self.text))
        if is_hex == self.is_base64:
            return f"it is written as {'hexadecimal digits' if is_hex else 'base64'}"
        return "it is written in capital letters" if is_hex and self.text != self.text.lower() else ""

    @property
    def _raw(self) -> bytes | None:
        if _HEX.fullmatch(self.text):
            return bytes.fromhex(self.text)
        try:
            raw = base64.b64decode(self.text, validate=True)
        except (binascii.Error, ValueError):
            return None
        return raw if len(raw) == hashlib.sha256().digest_size else None

    def written(self, digest: bytes) -> str:
        """Return the first characters of a digest, written as it should be."""
        return (base64.b64encode(digest).decode() if self.is_base64 else digest.hex())[:SHOWN]

    def fits(self, digest: bytes) -> bool:
        """Say whether it is this digest, however it is written.

        Never by fewer characters than are shown anyway: by trying, more of a signature could be found out.
        """
        if _SHORT.fullmatch(self.text):
            return hmac.compare_digest(self.text[:SHOWN].encode(), self.written(digest).encode())
        raw = self._raw
        return raw is not None and hmac.compare_digest(raw, digest)

    def found_in(self, candidates: Iterable[Candidate], keys: Sequence[Key]) -> Match | None:
        """Return the first candidate that was signed with one of the keys."""
        for candidate in candidates:
            for key in keys:
                if key.secret and self.fits(digest(candidate.message, key.secret)):
                    return Match(candidate, key)
        return None


def digest(message: bytes, secret: str) -> bytes:
    """Return the HMAC-SHA256."""
    return hmac.digest(secret.encode(), message, hashlib.sha256)
