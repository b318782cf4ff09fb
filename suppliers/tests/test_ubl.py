"""UBL: valid by the standard's schemas, and in what they do not see: codes, sums, identities."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pycountry
import pytest
from lxml import etree

from suppliers.documents import formats, ubl_2_1, units
from suppliers.documents.rendered import InvalidDocument
from suppliers.tests import shapes
from suppliers.tests.test_samples import CONTENT

NS = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


@pytest.fixture(scope="module")
def schemas():
    """The standard's schemas of what Hemi writes, by the name of the root."""
    if not shapes.UBL.exists():
        pytest.skip("needs the reference data: HEMI_REFERENCE_DATA")
    parser = etree.XMLParser(no_network=True)
    names = ("Order", "OrderChange", "OrderCancellation")
    files = {name: shapes.UBL / "xsd" / "maindoc" / f"UBL-{name}-2.1.xsd" for name in names}
    return {name: etree.XMLSchema(etree.parse(file, parser)) for name, file in files.items()}


def _tree(content, encoding="utf-8"):
    return etree.fromstring(ubl_2_1.render(content, encoding, "C62").document)


def _amount(element, path):
    return Decimal(element.findtext(path, namespaces=NS))


def _check_codes(root):
    for value in root.xpath("//@currencyID | //cbc:DocumentCurrencyCode/text()", namespaces=NS):
        assert pycountry.currencies.get(alpha_3=str(value)), value
    for value in root.xpath("//cbc:IdentificationCode/text()", namespaces=NS):
        assert pycountry.countries.get(alpha_2=str(value)), value
    assert set(root.xpath("//@unitCode")) <= {"C62"}


def _check_sums(root):
    lines = root.findall("cac:OrderLine/cac:LineItem", NS)
    for line in lines:
        if not _amount(line, "cbc:Quantity"):
            assert _amount(line, "cbc:LineExtensionAmount") == 0 and line.find("cac:Price", NS) is None
            continue
        price = _amount(line, "cac:Price/cbc:PriceAmount") / _amount(line, "cac:Price/cbc:BaseQuantity")
        off = sum(Decimal(text) for text in line.xpath("cac:AllowanceCharge/cbc:Amount/text()", namespaces=NS))
        expected = _amount(line, "cbc:Quantity") * price - off
        assert abs(_amount(line, "cbc:LineExtensionAmount") - expected) < Decimal("0.0001")
    totals = root.find("cac:AnticipatedMonetaryTotal", NS)
    net = sum(_amount(line, "cbc:LineExtensionAmount") for line in lines)
    tax = _amount(root, "cac:TaxTotal/cbc:TaxAmount")
    assert _amount(totals, "cbc:LineExtensionAmount") == _amount(totals, "cbc:TaxExclusiveAmount") == net
    assert tax == sum(_amount(line, "cbc:TotalTaxAmount") for line in lines)
    assert _amount(totals, "cbc:PayableAmount") == _amount(totals, "cbc:TaxInclusiveAmount") == net + tax


def test_500_orders_of_every_shape_are_valid_and_use_valid_codes(schemas):
    seen = Counter()
    for number, content in enumerate(shapes.contents(500)):
        root = _tree(content, ("utf-8", "iso-8859-1", "windows-1252")[number % 3])
        name = etree.QName(root).localname
        schemas[name].assertValid(root)
        _check_codes(root)
        if name != "OrderCancellation":
            _check_sums(root)
        assert not root.xpath("//*[not(*) and not(normalize-space())]"), "UBL has no empty elements"
        seen[name] += 1
    assert sum(seen.values()) == 500
    assert all(seen[name] > 2 for name in schemas)


def _blank(value, blank):
    """Everything that a person wrote, blank."""
    if isinstance(value, dict):
        return dict.fromkeys(value, blank)
    return replace(value, sku=blank, title=blank, variant=blank, vendor=blank, properties=((blank, "x"), ("y", blank)))


@pytest.mark.parametrize("blank", [" ", "\x07", "\ufffe \ufffe"])
def test_what_says_nothing_leaves_no_group_that_lacks_its_name(schemas, blank):
    for content in (CONTENT, *shapes.changes(CONTENT)):
        groups = {name: _blank(getattr(content, name), blank) for name in ("customer", "ship_to")}
        lines = tuple(_blank(line, blank) for line in content.lines)
        ways = ((blank, blank),)
        root = _tree(replace(content, note=blank, lines=lines, shipping_methods=ways, **groups))
        schemas[etree.QName(root).localname].assertValid(root)


def test_an_order_says_who_what_where_and_for_how_much():
    root = _tree(CONTENT)
    assert root.findtext("cbc:ID", namespaces=NS) == "HM000042-NORTH-1"
    assert root.findtext("cac:SellerSupplierParty/cac:Party/cac:PartyIdentification/cbc:ID", namespaces=NS) == "NORTH"
    assert root.findtext("cac:Delivery/cac:DeliveryAddress/cbc:CityName", namespaces=NS) == "Łódź"
    assert _amount(root, "cac:AnticipatedMonetaryTotal/cbc:PayableAmount") == CONTENT.lines_total == Decimal("30.00")
    assert root.findtext("cac:OrderLine/cac:LineItem/cac:AllowanceCharge/cbc:ChargeIndicator", namespaces=NS) == "false"
    assert root.find("cac:OrderLine/cac:LineItem/cbc:Quantity", NS).get("unitCode") == "C62"


def test_the_same_document_is_the_same_whenever_it_is_made():
    assert ubl_2_1.render(CONTENT, "utf-8", "EA").document == ubl_2_1.render(CONTENT, "utf-8", "EA").document


def test_a_change_names_what_it_changes_line_by_line():
    _, change, cancellation = shapes.changes(CONTENT)
    root = _tree(change)
    assert root.findtext("cac:OrderReference/cbc:ID", namespaces=NS) == CONTENT.reference
    said = [code.text for code in root.findall("cac:OrderLine/cac:LineItem/cbc:LineStatusCode", NS)]
    assert said == ["Cancelled", "Revised", "Added", "NoStatus"]
    assert "not make or ship" in _tree(cancellation).findtext("cbc:CancellationNote", namespaces=NS)


def test_a_test_order_says_so_first():
    root = _tree(replace(CONTENT, is_test=True))
    assert root.findtext("cbc:Note", namespaces=NS) == "THIS IS A TEST ORDER. Make and ship nothing."


@pytest.mark.parametrize(("given", "written"), [("XK", None), ("AC", "SH"), ("ZZ", None), ("PL", "PL")])
def test_shopifys_own_country_codes_are_not_written(given, written):
    rendered = ubl_2_1.render(replace(CONTENT, ship_to={"country_code": given, "country": "There"}), "utf-8", "C62")
    country = etree.fromstring(rendered.document).find("cac:Delivery//cac:Country", NS)
    assert country.findtext("cbc:IdentificationCode", namespaces=NS) == written
    assert country.findtext("cbc:Name", namespaces=NS) == "There"
    assert any("ISO 3166-1" in remark for remark in rendered.remarks) == (given != written)


# As the list was published in 2021; what is not in it is often written all the same.
@pytest.mark.parametrize(
    ("code", "is_one"),
    [(code, True) for code in ("C62", "EA", "H87", "KGM", "LTR", "MTR", "PR", "SET", "DZN", "T3")]
    + [(code, False) for code in ("KG", "PCE", "PC", "ST", "NPR", "XX", "c62", "")],
)
def test_units_are_those_of_the_recommendation(code, is_one):
    assert units.is_unit(code) == is_one


def test_the_units_of_ubls_own_examples_are_known():
    if not shapes.UBL.exists():
        pytest.skip("needs the reference data: HEMI_REFERENCE_DATA")
    examples = [etree.parse(file).getroot() for file in (shapes.UBL / "xml").glob("*.xml")]
    codes = {str(code) for root in examples for code in root.xpath("//@unitCode")}
    assert len(codes) > 2
    assert all(map(units.is_unit, codes)), codes


@pytest.mark.parametrize(
    ("changes", "told"), [({"currency": "JEP"}, "ISO 4217"), ({"unit": "XX"}, "Recommendation 20")]
)
def test_a_code_that_is_none_stops_the_document(changes, told):
    unit = changes.pop("unit", "C62")
    settings = formats.FileSettings(format=formats.UBL, unit_code=unit)
    with pytest.raises(InvalidDocument, match=told):
        formats.render(replace(CONTENT, **changes), settings)
