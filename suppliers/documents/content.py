"""What a document says, whatever its format."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hemi.lib import money

# Kinds of documents, as SupplierOrder.Kind spells them, and what a change says of a line.
ORDER, REVISION, CHANGE, CANCELLATION = "order", "revision", "change", "cancellation"
ADDED, CHANGED, CANCELLED = "added", "changed", "cancelled"


@dataclass(frozen=True)
class LineContent:
    """One line; discount and tax are those of `quantity` pieces. `change` is blank outside changes."""

    shopify_id: int
    number: int
    sku: str
    title: str
    variant: str
    vendor: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    properties: tuple[tuple[str, str], ...]
    change: str = ""


@dataclass(frozen=True)
class DocumentContent:
    """A supplier's part of an order; nothing in it depends on when it is made.

    `replaces` is the reference of the file that a revision, change or cancellation is about.
    """

    reference: str
    revision: int
    is_test: bool
    supplier_code: str
    supplier_name: str
    shop: str
    order_number: str
    order_id: int
    placed_at: datetime
    currency: str
    are_taxes_included: bool
    customer: dict[str, str]
    ship_to: dict[str, str]
    shipping_methods: tuple[tuple[str, str], ...]
    note: str
    lines: tuple[LineContent, ...]
    kind: str = ORDER
    replaces: str = ""
    issued_at: datetime | None = None  # None: when the order was placed

    @property
    def lines_total(self) -> Decimal:
        """What the lines cost less their discounts."""
        return sum((line.unit_price * line.quantity - line.discount for line in self.lines), Decimal(0))


def as_json(content: DocumentContent) -> dict[str, Any]:
    """Return the content as JSON can hold it: amounts and moments as texts."""
    return _plain(asdict(content))


def from_json(data: dict[str, Any]) -> DocumentContent:
    """Return the content that `as_json` wrote."""
    issued = data["issued_at"]
    return DocumentContent(
        **{
            **data,
            "placed_at": datetime.fromisoformat(data["placed_at"]),
            "issued_at": datetime.fromisoformat(issued) if issued else None,
            "shipping_methods": tuple((title, code) for title, code in data["shipping_methods"]),
            "lines": tuple(_line(line) for line in data["lines"]),
        }
    )


def _line(data: dict[str, Any]) -> LineContent:
    amounts = {name: Decimal(data[name]) for name in ("unit_price", "discount", "tax")}
    properties = tuple((name, value) for name, value in data["properties"])
    return LineContent(**{**data, **amounts, "properties": properties})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return money.text(value) if isinstance(value, Decimal) else value
