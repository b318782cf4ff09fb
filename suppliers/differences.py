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


def _head(sent: DocumentContent, today: DocumentContent) -> Iterator[Difference]:
    yield from _group("Ship to", _ADDRESS, sent.ship_to, today.ship_to)
    yield from _group("Customer", _CUSTOMER, sent.customer, today.customer)
    ways = [", ".join(title for title, _ in content.shipping_methods) for content in (sent, today)]
    yield from _text("Shipping method", *ways)
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
            yield Difference(f"{_name(line)} is not wanted any more", _pieces(line), "none", key)
    for key, line in after.items():
        if key not in before:
            yield Difference(f"{_name(line)} is new", "", _pieces(line), key)


def _line(before: LineContent, after: LineContent) -> Iterator[Difference]:
    name, key = _name(before), before.shopify_id
    if before.quantity != after.quantity:
        yield Difference(f"{name}, quantity", str(before.quantity), str(after.quantity), key)
    if before.unit_price != after.unit_price:
        yield Difference(f"{name}, price of one", f"{before.unit_price:f}", f"{after.unit_price:f}", key)
    yield from _text(f"{name}, SKU", before.sku, after.sku, key)
    yield from _text(f"{name}, title", before.title, after.title, key)
    yield from _text(f"{name}, variant", before.variant, after.variant, key)
    properties = ["; ".join(f"{key}: {value}" for key, value in line.properties) for line in (before, after)]
    yield from _text(f"{name}, properties", *properties, key)


def _name(line: LineContent) -> str:
    return " ".join(part for part in (line.sku, line.title) if part)[:200] or f"Line {line.number}"


def _pieces(line: LineContent) -> str:
    return f"{line.quantity} {'piece' if line.quantity == 1 else 'pieces'}"
