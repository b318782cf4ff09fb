"""A test order that Hemi makes by itself, to try a supplier with."""

from datetime import UTC, datetime
from decimal import Decimal

from integrations.shopify.payloads import LineSnapshot, OrderSnapshot

_ADDRESS = {
    "name": "Zoë Test",
    "company": "Hemi test order",
    "address1": "1 Example Street",
    "address2": "",
    "city": "Łódź",
    "zip": "90-001",
    "province": "",
    "province_code": "",
    "country": "Poland",
    "country_code": "PL",
    "phone": "",
}


def order(number: int) -> OrderSnapshot:
    """Return a paid test order of two lines; a store's ids are positive, so a sample's are not."""
    now = datetime.now(UTC)
    lines = (_line(number, 1, "TEST-1", "Test article, do not ship", 2), _line(number, 2, "TEST-2", "Größe 東京", 1))
    return OrderSnapshot(
        shopify_id=-number,
        number=f"TEST-{number % 1_000_000:06d}",
        source_name="hemi",
        placed_at=now,
        shop_updated_at=now,
        is_test=True,
        is_paid=True,
        cancelled_at=None,
        financial_status="paid",
        fulfillment_status="",
        currency="EUR",
        total=Decimal("30.00"),
        total_tax=Decimal(0),
        total_discount=Decimal(0),
        total_shipping=Decimal(0),
        are_taxes_included=True,
        email="",
        phone="",
        customer_name=_ADDRESS["name"],
        shipping_address=_ADDRESS,
        billing_address=None,
        shipping_methods=[{"title": "Standard", "code": ""}],
        note="This is a test order. Nothing is to be made or shipped.",
        lines=lines,
    )


def _line(number: int, position: int, sku: str, title: str, quantity: int) -> LineSnapshot:
    return LineSnapshot(
        shopify_id=-(number * 10 + position),
        position=position,
        sku=sku,
        title=title,
        variant_title="",
        vendor="",
        product_id=None,
        variant_id=None,
        quantity=quantity,
        current=quantity,
        sendable=quantity,
        requires_shipping=True,
        is_gift_card=False,
        price=Decimal("10.00"),
        discount=Decimal(0),
        tax=Decimal(0),
        properties=[],
    )
