"""Colours that text can be read on, by the contrast of WCAG 2 (w3.org/TR/WCAG22/#contrast-minimum)."""

import re

_HEX = re.compile(r"\A#[0-9A-Fa-f]{6}\Z")
_ENOUGH = 4.5


def ink_on(colour: str) -> str:
    """Return the colour of text on `colour`: white or black, one of which can always be read."""
    return max("#ffffff", "#000000", key=lambda ink: contrast(ink, colour))


def readable(colour: str) -> str:
    """Return `colour`, darkened until it can be read on white, and white on it."""
    while contrast(colour, "#ffffff") < _ENOUGH:
        colour = "#" + "".join(f"{int(part * 0.94):02x}" for part in _parts(colour))
    return colour


def checked(colour: str, *, otherwise: str) -> str:
    """Return `colour` if it is one such as #1f6feb, else the other."""
    return colour if _HEX.match(colour) else otherwise


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _parts(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
