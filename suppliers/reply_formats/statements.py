"""What a reply says, whatever its format."""

from dataclasses import dataclass

TAKEN, ACCEPTED, REJECTED, SHIPPED = STATES = ("taken", "accepted", "rejected", "shipped")
DISPUTED = "disputed"  # of a line: the supplier neither accepts nor rejects it; a person must ask
LONGEST_QUANTITY = 7  # digits


class Unreadable(ValueError):
    """The file, or a row of it, cannot be read; the text says why."""


@dataclass(frozen=True)
class LineStatement:
    """What is said of one line. `line` is its number in the order file, or Shopify's id; `quantity` None: all of it."""

    line: str = ""
    sku: str = ""
    status: str = ""
    quantity: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Statement:
    """What is said of one order: `status` of the lines that `lines` do not name, "" if nothing is said of those.

    With `fault` set the statement stands for rows that cannot be read. A shipment without a `despatch` says how much
    was shipped so far; one with it, how much that shipment holds.
    """

    reference: str
    status: str = ""
    lines: tuple[LineStatement, ...] = ()
    supplier_reference: str = ""
    reason: str = ""
    despatch: str = ""
    carrier: str = ""
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    fault: str = ""

    @property
    def kind(self) -> str:
        """The strongest thing that is said, for lists."""
        said = {self.status, *(line.status for line in self.lines)}
        return next((state for state in (SHIPPED, REJECTED, DISPUTED, ACCEPTED, TAKEN) if state in said), "")


def pieces(text: str, where: str) -> int:
    """Read a number of whole pieces, such as 2 or 2.0. Raises Unreadable."""
    whole, _, rest = text.strip().replace(",", ".").partition(".")
    is_number = whole.isascii() and whole.isdigit() and len(whole) <= LONGEST_QUANTITY and not rest.strip("0")
    if not is_number:
        raise Unreadable(f"“{text[:40]}” ({where}) is not a number of whole pieces.")
    return int(whole)
