"""What every format gives back: bytes, what had to be changed to make them, or the fault."""

import re
from dataclasses import dataclass, field

# What XML 1.0 allows (w3.org/TR/xml, production 2); everything else is removed and reported.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class InvalidDocument(ValueError):
    """The document cannot be made, or does not satisfy its schema; the text names the first fault."""


@dataclass
class Rendered:
    """The bytes of a document, what had to be changed to make it, and how its file's name ends."""

    document: bytes
    remarks: list[str] = field(default_factory=list)
    ending: str = "xml"


def clean(text: str, where: str, remarks: list[str]) -> str:
    """Return `text` without what XML forbids, and say in `remarks` how much that was; lines end in a line feed."""
    cleaned, count = _FORBIDDEN.subn("", text)
    if count:
        noun = "character" if count == 1 else "characters"
        remarks.append(f"{count} {noun} that XML forbids removed from {where}.")
    return cleaned.replace("\r\n", "\n").replace("\r", "\n")
