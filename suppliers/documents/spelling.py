"""Letters in other letters: what a supplier's table says, then a built-in one, then the bare letter."""

import unicodedata
from collections.abc import Callable, Mapping

# What the canonical decomposition of Unicode does not take apart.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ß": "ss",
        "ẞ": "SS",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ı": "i",
        "ħ": "h",
        "Ħ": "H",
        "ŋ": "n",
        "Ŋ": "N",
        "ŧ": "t",
        "Ŧ": "T",
        "ĸ": "k",
        "ſ": "s",
        "ə": "e",
        "Ə": "E",
        "ƒ": "f",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "−": "-",
        "‘": "'",
        "’": "'",
        "‚": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‹": "'",
        "›": "'",
        "…": "...",
        "€": "EUR",
        "£": "GBP",
        "•": "*",
        "×": "x",
        "÷": "/",
        "©": "(c)",
        "®": "(R)",
        "™": "TM",
        "°": " deg",
        "№": "No",
        "\u00a0": " ",
    }
)
_SPACES = "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\n\r"


def table(text: str) -> dict[str, str]:
    """Read a table of pairs, one a line, such as `ł l`; the second half may be missing. Raises ValueError."""
    pairs = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.split():
            if len(words[0]) != 1 or len(words) > 2:
                raise ValueError(f"Line {number} is not one character, a space and what to write for it.")
            pairs[words[0]] = words[1] if len(words) == 2 else ""
    return pairs


def spell(text: str, is_allowed: Callable[[str], bool], own: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return `text` in allowed characters only, and what was written for which character."""
    if all(map(is_allowed, text)):
        return text, {}
    composed = unicodedata.normalize("NFC", text)
    written = {letter: _one(letter, is_allowed, own) for letter in set(composed) if not is_allowed(letter)}
    return "".join(written.get(letter, letter) for letter in composed), written


def _one(letter: str, is_allowed: Callable[[str], bool], own: Mapping[str, str]) -> str:
    """Return the first way of writing a letter that is allowed as a whole; "" where there is none."""
    bare = unicodedata.normalize("NFKD", letter)
    base = "".join(part for part in bare if not unicodedata.combining(part))
    space = " " if letter in _SPACES else ""
    for way in (own.get(letter), letter.translate(_LETTERS), base, base.translate(_LETTERS), space):
        if way is not None and way != letter and all(map(is_allowed, way)):
            return way
    return ""
