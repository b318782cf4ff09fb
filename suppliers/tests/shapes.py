"""Orders of every shape that stores have, and what their documents say, for tests of formats."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from integrations.shopify import payloads
from sandbox.shopify.orders import VARIANTS, make_order
from suppliers import previews
from suppliers.documents.content import (
    ADDED,
    CANCELLATION,
    CANCELLED,
    CHANGE,
    CHANGED,
    REVISION,
    DocumentContent,
)
from suppliers.models import Supplier

DATA = Path(os.environ.get("HEMI_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
UBL = DATA / "ubl-2.1"
NORTH = Supplier(name="Northwind & Söhne", code="NORTH")
_ODD = "Łódź ß “quoted” 東京 \x07\ufffe =SUM(A1) <b>&amp;</b> ‮"


def contents(count: int) -> Iterator[DocumentContent]:
    """Return so many documents: each of the sandbox's variants in turn, the official samples, and oddities."""
    made = 0
    while made < count:
        for content in _round(made):
            if content.lines and made < count:
                made += 1
                yield content


def _round(start: int) -> Iterator[DocumentContent]:
    for number, variant in enumerate(VARIANTS, start=start + 1):
        yield _content(make_order(number, variant=variant))
    for sample in sorted((DATA / "orders").glob("official_sample_*.json")):
        data = json.loads(sample.read_text())
        yield _content(data.get("order", data))
    yield from _oddities(_content(make_order(start + 1)))


def _oddities(plain: DocumentContent) -> Iterator[DocumentContent]:
    for code in ("XK", "AC", "TA", "AN", "ZZ", "pl", "", "PL"):
        yield replace(plain, ship_to={**plain.ship_to, "country_code": code, "country": "Somewhere"})
    yield replace(plain, ship_to={}, customer={}, shipping_methods=(), note="")
    yield replace(plain, note=_ODD, customer={"name": _ODD, "email": _ODD, "phone": ""}, are_taxes_included=True)
    odd = replace(plain.lines[0], title=_ODD, sku="", vendor="", properties=(("", "x"), (_ODD, _ODD), ("empty", "")))
    yield replace(plain, lines=(odd,), order_number="->1003", is_test=True)
    free = replace(plain.lines[0], discount=plain.lines[0].unit_price * plain.lines[0].quantity, tax=Decimal(0))
    yield replace(plain, lines=(free,), are_taxes_included=True)
    tiny = replace(plain.lines[0], unit_price=Decimal("0.0001"), tax=Decimal("0.3333"), quantity=3, discount=Decimal(0))
    yield replace(plain, lines=(tiny, replace(tiny, number=2)), currency="JPY", are_taxes_included=True)
    yield from changes(plain)


def changes(plain: DocumentContent) -> Iterator[DocumentContent]:
    """Return a revision, a change and a cancellation of an order."""
    issued = plain.placed_at.replace(year=2027)
    later = replace(plain, reference=f"{plain.reference[:-1]}2", revision=2, replaces=plain.reference, issued_at=issued)
    first = plain.lines[0]
    lines = (
        replace(first, number=1, quantity=0, discount=Decimal(0), tax=Decimal(0), change=CANCELLED),
        replace(first, number=2, quantity=5, change=CHANGED),
        replace(first, number=3, quantity=1, change=ADDED),
        replace(first, number=4),
    )
    yield replace(later, kind=REVISION)
    yield replace(later, kind=CHANGE, lines=lines)
    gone = [replace(line, quantity=0, discount=Decimal(0), tax=Decimal(0), change=CANCELLED) for line in plain.lines]
    yield replace(later, kind=CANCELLATION, lines=tuple(gone))


def _content(body: dict) -> DocumentContent:
    return previews.of_snapshot(payloads.parse_order(json.dumps(body).encode()), NORTH)
