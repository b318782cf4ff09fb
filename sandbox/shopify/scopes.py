"""Access scopes: what a list means, and how Shopify shortens it."""

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"(unauthenticated_)?(read|write)_[a-z_]+")
_WRITE = re.compile(r"(unauthenticated_)?write_(.+)")


def parse(text: str) -> list[str]:
    """Split a comma-separated list, each scope once, in the order given."""
    return list(dict.fromkeys(scope.strip() for scope in text.split(",") if scope.strip()))


def invalid(scopes: Iterable[str]) -> list[str]:
    """Return those that cannot be an access scope."""
    return [scope for scope in scopes if not _SCOPE.fullmatch(scope)]


def expand(scopes: Iterable[str]) -> set[str]:
    """Add the read twin of every write scope."""
    asked = set(scopes)
    return asked | {twin for scope in asked if (twin := _read_twin(scope))}


def compress(scopes: Iterable[str]) -> list[str]:
    """Drop each read scope whose write twin is there, as the token answer does."""
    listed = list(dict.fromkeys(scopes))
    implied = {_read_twin(scope) for scope in listed}
    return [scope for scope in listed if scope not in implied]


def _read_twin(scope: str) -> str | None:
    match = _WRITE.fullmatch(scope)
    return f"{match[1] or ''}read_{match[2]}" if match else None
