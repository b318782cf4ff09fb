"""An order while it is being put together: who buys what, in which currency."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from sandbox.shopify.catalogue import NORTHWIND, PEOPLE, SUEDHAUS, Article, Person
from sandbox.shopify.money import amount
from sandbox.shopify.order_parts import Ids, address, customer, line_item, shipping_line


@dataclass
class Draft:
    """What a variant may change before the payload's parts are made of it."""

    number: int
    rng: Random
    currency: str = "EUR"
    presentment_currency: str = ""
    presentment_rate: Decimal | None = None
    shipping_price: str = "4.90"
    basket: list[tuple[Article, int]] = field(default_factory=list)
    line_changes: dict[int, dict] = field(default_factory=dict)
    order_changes: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = Ids(self.number)
        self.person: Person = self.rng.choice(PEOPLE)
        self.basket = [self.pick(NORTHWIND), self.pick(SUEDHAUS)]

    def pick(self, shelf: Sequence[Article]) -> tuple[Article, int]:
        """Take one article off a shelf, one to three pieces of it."""
        return self.rng.choice(shelf), self.rng.randint(1, 3)

    def parts(self) -> dict:
        """Return the parts of the payload that depend on buyer, basket and currency."""
        lines = [
            line_item(article, self.ids.line(index), quantity, self.currency) | self.line_changes.get(index, {})
            for index, (article, quantity) in enumerate(self.basket)
        ]
        needs_shipping = any(line["requires_shipping"] for line in lines)
        shipping = shipping_line(self.ids.shipping_line, amount(self.shipping_price, self.currency))
        parts = {
            "currency": self.currency,
            "presentment_currency": self.presentment_currency or self.currency,
            "email": self.person.email,
            "contact_email": self.person.email,
            "billing_address": address(self.person),
            "shipping_address": address(self.person) if needs_shipping else None,
            "customer": customer(self.person, self.ids, self.currency),
            "line_items": lines,
            "shipping_lines": [shipping] if needs_shipping else [],
        }
        return parts | self.order_changes
