"""Which lines of a supplier's part a reply means by a number, an id or an article."""

from collections.abc import Callable
from dataclasses import dataclass

from suppliers import composing
from suppliers.models import SupplierOrderLine
from suppliers.reply_formats.statements import LineStatement, Statement


@dataclass(frozen=True)
class FileLines:
    """The lines by their number in the part's file, whatever their order is now; of a change also those gone."""

    lines: dict[str, SupplierOrderLine]
    gone: frozenset[str]

    @classmethod
    def of(cls, lines: list[SupplierOrderLine], said: Statement) -> "FileLines":
        """Number the lines of a part as its file does, where a statement names one by its number."""
        is_asked = bool(lines) and any(row.line for row in said.lines)
        kept = composing.numbers(lines[0].supplier_order_id) if is_asked else {}
        plain = {line.order_line.shopify_id: number for number, line in enumerate(lines, start=1)}
        known = kept or plain
        numbered = {str(known[key]): line for line in lines if (key := line.order_line.shopify_id) in known}
        gone = {str(word) for key, number in kept.items() if key not in plain for word in (key, number)}
        return cls(numbered, frozenset(gone))


def name(line: SupplierOrderLine) -> str:
    """Name a line for people."""
    return line.order_line.sku or line.order_line.title[:100]


def find(lines: list[SupplierOrderLine], row: LineStatement, file: FileLines) -> list[SupplierOrderLine]:
    """Return the lines that a row means: by number, by Shopify's id, else all of its article."""
    if row.line:
        if row.line in file.lines:
            return [file.lines[row.line]]
        if by_id := [line for line in lines if str(line.order_line.shopify_id) == row.line]:
            return by_id
    return [line for line in lines if row.sku and line.order_line.sku.casefold() == row.sku.casefold()]


def other_article(lines: list[SupplierOrderLine], found: list[SupplierOrderLine], row: LineStatement) -> str:
    """Name the line that was found where its number and its SKU lead to different ones; "" where they do not."""
    named = [line for line in lines if row.sku and line.order_line.sku.casefold() == row.sku.casefold()]
    is_contradictory = found and named and not {line.pk for line in found} & {line.pk for line in named}
    return name(found[0]) if is_contradictory else ""


def share(
    found: list[SupplierOrderLine], quantity: int | None, room: Callable[[SupplierOrderLine], int]
) -> list[tuple[SupplierOrderLine, int | None]]:
    """Spread a quantity over the lines of one article, as far as each has room; what is too much goes to the last."""
    if quantity is None or len(found) < 2:
        return [(line, quantity) for line in found]
    shares, left = [], quantity
    for line in found:
        share = left if line is found[-1] else min(left, room(line))
        shares.append((line, share))
        left -= share
    return [(line, share) for line, share in shares if share]
