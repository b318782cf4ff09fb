"""What docs/supplier-files.md shows to suppliers is what Hemi writes and reads."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from suppliers.documents import confined, csv_rows, formats, hemi_1_0
from suppliers.documents.content import DocumentContent, LineContent
from suppliers.reply_formats import reading
from suppliers.tests import shapes

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


@pytest.mark.parametrize(
    ("sample", "settings"),
    [
        ("order-ubl-2.1.xml", formats.FileSettings(format=formats.UBL)),
        ("order.csv", formats.FileSettings(format=formats.CSV)),
    ],
)
def test_the_samples_of_other_formats_are_what_hemi_writes(sample, settings):
    assert formats.render(CONTENT, settings).document == (DOCS / "samples" / sample).read_bytes()


@pytest.mark.parametrize(("number", "kind"), [(0, "revision"), (1, "change"), (2, "cancellation")])
def test_the_samples_of_later_files_are_what_hemi_writes(number, kind):
    content = list(shapes.changes(CONTENT))[number]
    assert content.kind == kind
    for sample, wanted in (("hemi-1.0", formats.HEMI), ("ubl-2.1", formats.UBL)):
        document = formats.render(content, formats.FileSettings(format=wanted)).document
        if kind != "revision":
            assert document == (DOCS / "samples" / f"{kind}-{sample}.xml").read_bytes()


def test_an_ordinary_order_reads_as_it_did_before_there_were_others():
    document = hemi_1_0.render(CONTENT, "utf-8").document
    assert b"kind=" not in document and b"Replaces" not in document and b"change=" not in document


def test_the_csv_table_names_every_column():
    page = (DOCS / "supplier-files.md").read_text()
    assert [name for name in csv_rows.COLUMNS if f"`{name}`" not in page] == []


def test_the_example_mapping_of_the_docs_works():
    page = (DOCS / "mappings.md").read_text()
    example = page.split("```xml")[1].split("```")[0].strip()
    source = confined.Source(f"docs {hash(example)}", example.encode, {"encoding": "iso-8859-1"})
    settings = formats.FileSettings(format=formats.OWN, encoding="iso-8859-1", stylesheet=source)
    root = etree.fromstring(formats.render(CONTENT, settings).document)
    assert (root.get("number"), root.findtext("Position/Pieces")) == (CONTENT.reference, "2")


def test_the_order_table_names_every_element_of_the_sample():
    page = (DOCS / "supplier-files.md").read_text()
    root = etree.parse(DOCS / "samples" / "order-hemi-1.0.xml").getroot()
    names = {etree.QName(element).localname for element in root.iter()}
    assert {name for name in names if name not in page} == set()


@pytest.mark.parametrize(("name", "status"), [("reply-accepted.xml", "accepted"), ("reply-rejected.xml", "rejected")])
def test_the_reply_samples_are_read(name, status):
    _, (reply,) = reading.read((DOCS / "samples" / name).read_bytes(), None)
    assert (reply.reference, reply.status) == ("HM000042-NORTH-1", status)
