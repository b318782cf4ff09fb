"""What changed between two contents of a document, line by line, in words for people.

Only what a supplier works by is compared: amounts that the shop alone is concerned with (discount, tax) are not, and a
value that turned empty is missing data, never a change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from suppliers.documents.content import DocumentContent, LineContent

_ADDRESS = {
    "name": "name",
    "company": "company",
    "address1": "street",
    "address2": "street, second line",
    "zip": "postal code",
    "city": "city",
    "province": "province",
    "country": "country",
    "country_code": "country code",
    "phone": "phone",
}
_CUSTOMER = {"name": "name", "email": "email", "phone": "phone"}


@dataclass(frozen=True)
class Difference:
    """One change; `line` is Shopify's id of the line, None where it concerns the whole order."""

    what: str
    before: str
    after: str
    line: int | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {"line": self.line, "what": self.what, "before": self.before, "after": self.after}


def between(sent: DocumentContent, today: DocumentContent) -> list[Difference]:
    """Return what differs between what was sent and what would be sent today."""
    return [*_lines(sent, today), *_head(sent, today)]


def added(line: int, sku: str, title: str, quantity: int) -> Difference:
    """Return the change that a new line is."""
    return Difference(f"{_name(sku, title)} is new", "", _pieces(quantity), line)


def are_same(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    """Tell whether two lists of rows say the same, in whatever order."""
    return _told(rows) == _told(others)


def _told(rows: list[dict[str, Any]]) -> set[tuple]:
    return {(row["line"], row["what"], row["before"], row["after"]) for row in rows}


def _head(sent: DocumentContent, today: DocumentContent) -> Iterator[Difference]:
    yield from _group("Ship to", _ADDRESS, sent.ship_to, today.ship_to)
    yield from _group("Customer", _CUSTOMER, sent.customer, today.customer)
    yield from _text("Shipping method", _ways(sent), _ways(today))
    yield from _text("Note", sent.note, today.note)


def _group(title: str, names: dict[str, str], sent: dict[str, str], today: dict[str, str]) -> Iterator[Difference]:
    for key, name in names.items():
        yield from _text(f"{title}, {name}", sent.get(key) or "", today.get(key) or "")


def _text(what: str, before: str, after: str, line: int | None = None) -> Iterator[Difference]:
    if after and " ".join(before.split()) != " ".join(after.split()):
        yield Difference(what, before, after, line)


def _lines(sent: DocumentContent, today: DocumentContent) -> Iterator[Difference]:
    before = {line.shopify_id: line for line in sent.lines if line.quantity}
    after = {line.shopify_id: line for line in today.lines if line.quantity}
    for key, line in before.items():
        if key in after:
            yield from _line(line, after[key])
        else:
            what = f"{_name(line.sku, line.title)} is not wanted any more"
            yield Difference(what, _pieces(line.quantity), "none", key)
    for key, line in after.items():
        if key not in before:
            yield added(key, line.sku, line.title, line.quantity)


def _line(before: LineContent, after: LineContent) -> Iterator[Difference]:
    name, key = _name(before.sku, before.title), before.shopify_id
    if before.quantity != after.quantity:
        yield Difference(f"{name}, quantity", str(before.quantity), str(after.quantity), key)
    if before.unit_price != after.unit_price:
        yield Difference(f"{name}, price of one", f"{before.unit_price:f}", f"{after.unit_price:f}", key)
    yield from _text(f"{name}, SKU", before.sku, after.sku, key)
    yield from _text(f"{name}, title", before.title, after.title, key)
    yield from _text(f"{name}, variant", before.variant, after.variant, key)
    yield from _text(f"{name}, properties", _properties(before), _properties(after), key)


def _ways(content: DocumentContent) -> str:
    return ", ".join(title for title, _ in content.shipping_methods)


def _properties(line: LineContent) -> str:
    return "; ".join(f"{name}: {value}" for name, value in line.properties)


def _name(sku: str, title: str) -> str:
    return " ".join(part for part in (sku, title) if part)[:200]


def _pieces(quantity: int) -> str:
    return f"{quantity} {'piece' if quantity == 1 else 'pieces'}"
