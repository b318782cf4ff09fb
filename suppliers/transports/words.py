"""A server's words, as they may be shown and stored."""

import re

LONGEST = 1_000
# No database keeps a NUL or half a surrogate pair; the others steer a terminal or turn the reading direction round.
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str) -> str:
    """Return the text on one line of limited length, with nothing in it that cannot be seen."""
    return " ".join(_UNSHOWABLE.sub(" ", text[: 2 * LONGEST]).split())[:LONGEST]
