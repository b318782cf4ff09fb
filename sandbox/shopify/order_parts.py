"""The parts of an order payload: addresses, customer, line items, shipping lines."""

from dataclasses import dataclass
from random import Random

from sandbox.shopify.catalogue import Article, Person
from sandbox.shopify.money import amount


@dataclass(frozen=True)
class Ids:
    """The ids of one order and of all that belongs to it; no two numbers share one."""

    number: int
    base: int = 0

    @property
    def order(self) -> int:
        """The order's own id."""
        return self.base + 6_000_000_000_000 + self.number * 1000

    @property
    def customer(self) -> int:
        """The buyer's id."""
        return self.base + 8_000_000_000_000 + self.number * 1000

    @property
    def shipping_line(self) -> int:
        """The id of the shipping line."""
        return self.base + 4_500_000_000_000 + self.number * 1000

    def line(self, index: int) -> int:
        """The id of the line at an index below 1000."""
        return self.base + 14_000_000_000_000 + self.number * 1000 + index


def address(person: Person) -> dict:
    """Return a billing or shipping address."""
    return {
        "first_name": person.first_name,
        "address1": person.street,
        "phone": person.phone,
        "city": person.city,
        "zip": person.postcode,
        "province": person.province,
        "country": person.country,
        "last_name": person.last_name,
        "address2": None,
        "company": None,
        "latitude": None,
        "longitude": None,
        "name": f"{person.first_name} {person.last_name}".strip(),
        "country_code": person.country_code,
        "province_code": person.province_code,
    }


def customer(person: Person, ids: Ids, currency: str) -> dict:
    """Return the buyer, with a default address."""
    default = address(person) | {"id": ids.customer + 1, "customer_id": ids.customer, "default": True}
    return {
        "id": ids.customer,
        "email": person.email,
        "created_at": "2025-02-01T09:00:00+01:00",
        "updated_at": "2026-02-01T09:00:00+01:00",
        "first_name": person.first_name,
        "last_name": person.last_name,
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "phone": person.phone,
        "currency": currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{ids.customer}",
        "default_address": default | {"country_name": person.country},
    }


def line_item(article: Article, line_id: int, quantity: int, currency: str) -> dict:
    """Return one line, unfulfilled and without money sets, which the totals add."""
    variant = article.variant_title
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "attributed_staffs": [],
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": article.grams,
        "name": f"{article.title} - {variant}" if variant else article.title,
        "price": amount(article.price, currency),
        "product_exists": True,
        "product_id": article.product_id,
        "properties": [],
        "quantity": quantity,
        "requires_shipping": article.grams > 0,
        "sales_line_item_group_id": None,
        "sku": article.sku,
        "taxable": True,
        "title": article.title,
        "total_discount": amount(0, currency),
        "variant_id": article.variant_id,
        "variant_inventory_management": "shopify",
        "variant_title": variant or None,
        "vendor": article.vendor,
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
    }


def shipping_line(line_id: int, price: str) -> dict:
    """Return the shipping line; the totals add its money sets."""
    return {
        "id": line_id,
        "carrier_identifier": None,
        "code": "Standard",
        "discounted_price": price,
        "is_removed": False,
        "phone": None,
        "price": price,
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": "Standard",
        "tax_lines": [],
        "discount_allocations": [],
    }


def token(rng: Random) -> str:
    """Return 32 hex digits, as carts and checkouts are named."""
    return f"{rng.getrandbits(128):032x}"
