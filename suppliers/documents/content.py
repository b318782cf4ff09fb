"""What a document says, whatever its format."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class LineContent:
    """One line; discount and tax are those of `quantity` pieces."""

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


@dataclass(frozen=True)
class DocumentContent:
    """A supplier's part of an order; nothing in it depends on when it is made."""

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

    @property
    def lines_total(self) -> Decimal:
        """What the lines cost less their discounts."""
        return sum((line.unit_price * line.quantity - line.discount for line in self.lines), Decimal(0))
