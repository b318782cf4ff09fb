"""What docs/supplier-files.md shows to suppliers is what Hemi writes and reads."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from suppliers import replies
from suppliers.documents import hemi_1_0
from suppliers.documents.content import DocumentContent, LineContent

DOCS = Path(__file__).resolve().parents[2] / "docs"
CONTENT = DocumentContent(
    reference="HM000042-NORTH-1",
    revision=1,
    is_test=False,
    supplier_code="NORTH",
    supplier_name="Northwind",
    shop="example.myshopify.com",
    order_number="#1001",
    order_id=450789469001,
    placed_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
    currency="EUR",
    are_taxes_included=True,
    customer={"name": "Ola Łuk", "email": "ola@example.com", "phone": "+48 600 000 000"},
    ship_to={
        "name": "Ola Łuk",
        "company": "Łuk Sp. z o.o.",
        "address1": "Łąkowa 1",
        "address2": "Floor 2",
        "zip": "90-001",
        "city": "Łódź",
        "province": "Łódzkie",
        "province_code": "LD",
        "country": "Poland",
        "country_code": "PL",
        "phone": "+48 600 000 000",
    },
    shipping_methods=(("Standard", "STD"),),
    note="Please ring twice.",
    lines=(
        LineContent(
            shopify_id=45078946900101,
            number=1,
            sku="NW-1001",
            title="Wool coat",
            variant="M / navy",
            vendor="Northwind",
            quantity=2,
            unit_price=Decimal("15.50"),
            discount=Decimal("1.00"),
            tax=Decimal("5.61"),
            properties=(("Engraving", "For Ola"),),
        ),
    ),
)


def test_the_order_sample_is_what_hemi_writes():
    sample = (DOCS / "samples" / "order-hemi-1.0.xml").read_bytes()
    assert hemi_1_0.render(CONTENT, "utf-8").document == sample


def test_the_order_table_names_every_element_of_the_sample():
    page = (DOCS / "supplier-files.md").read_text()
    root = etree.parse(DOCS / "samples" / "order-hemi-1.0.xml").getroot()
    names = {etree.QName(element).localname for element in root.iter()}
    assert {name for name in names if name not in page} == set()


@pytest.mark.parametrize(("name", "status"), [("reply-accepted.xml", "accepted"), ("reply-rejected.xml", "rejected")])
def test_the_reply_samples_are_read(name, status):
    reply = replies.parse((DOCS / "samples" / name).read_bytes())
    assert (reply.reference, reply.status) == ("HM000042-NORTH-1", status)
