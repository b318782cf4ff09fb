"""Hemi's own order document, version 1.0: suppliers/schemas/hemi-order-1.0.xsd, described in docs/supplier-files.md."""

import re
from datetime import UTC
from decimal import Decimal
from functools import cache
from pathlib import Path

from lxml import etree

from hemi.lib import money
from suppliers.documents.content import ORDER, DocumentContent, LineContent
from suppliers.documents.rendered import InvalidDocument, Rendered, clean

NAMESPACE = "urn:hemi:order:1.0"
SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


def render(content: DocumentContent, encoding: str) -> Rendered:
    """Write the document in the supplier's encoding and check it. Raises InvalidDocument.

    A character that the encoding lacks is written as a character reference, so nothing is lost.
    """
    root, remarks = tree(content)
    return Rendered(written(root, encoding), remarks)


def tree(content: DocumentContent) -> tuple[etree._Element, list[str]]:
    """Return the checked tree of the document and the remarks. Raises InvalidDocument."""
    writer = _Writer(content)
    root = writer.order()
    schema = _schema()
    if not schema.validate(root):
        raise InvalidDocument(schema.error_log[0].message)  # type: ignore[index]
    return root, writer.remarks


def written(root: etree._Element, encoding: str) -> bytes:
    """Return the tree as bytes, indented, with its XML declaration."""
    document = etree.tostring(root, xml_declaration=True, encoding=encoding, pretty_print=True)
    assert isinstance(document, bytes)  # the stubs know of text only
    return document


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / "hemi-order-1.0.xsd"))


class _Writer:
    """Builds the tree and collects remarks on the way."""

    def __init__(self, content: DocumentContent) -> None:
        self.content = content
        self.remarks: list[str] = []

    def order(self) -> etree._Element:
        content = self.content
        root = etree.Element(f"{{{NAMESPACE}}}Order", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
        root.set("version", "1.0")
        root.set("test", "true" if content.is_test else "false")
        if content.kind != ORDER:  # an ordinary order reads as before there were others
            root.set("kind", content.kind)
        self.add(root, "Reference", content.reference)
        self.add(root, "Revision", str(content.revision))
        self.add(root, "Replaces", content.replaces)
        self.add(root, "Supplier", content.supplier_name, code=content.supplier_code)
        self.add(root, "Shop", content.shop)
        self.add(root, "OrderNumber", content.order_number)
        self.add(root, "OrderId", str(content.order_id))
        self.add(root, "PlacedAt", content.placed_at.astimezone(UTC).isoformat(timespec="seconds"))
        self.add(root, "Currency", content.currency)
        self.group(root, "Customer", _CUSTOMER, content.customer)
        self.ship_to(root)
        for title, code in content.shipping_methods:
            self.add(root, "ShippingMethod", title, code=code)
        self.add(root, "Note", content.note)
        lines = etree.SubElement(root, f"{{{NAMESPACE}}}Lines")
        for line in content.lines:
            self.line(lines, line)
        self.money(root, "LinesTotal", content.lines_total)
        return root

    def ship_to(self, root: etree._Element) -> None:
        address = dict(self.content.ship_to)
        if not address:
            self.remarks.append("The order has no shipping address.")
        code = address.get("country_code", "")
        if code and not re.fullmatch("[A-Z]{2}", code):
            self.remarks.append(f"“{code}” is not a country code and was left out.")
            address["country_code"] = ""
        self.group(root, "ShipTo", _ADDRESS, address)

    def line(self, lines: etree._Element, line: LineContent) -> None:
        row = etree.SubElement(lines, f"{{{NAMESPACE}}}Line", number=str(line.number))
        if line.change:
            row.set("change", line.change)
        self.add(row, "LineId", str(line.shopify_id))
        self.add(row, "Sku", line.sku)
        title = self.clean(line.title, "Title")
        self.add(row, "Title", title if title.strip() else "(no title)")  # such as where a rule left all of it out
        self.add(row, "Variant", line.variant)
        self.add(row, "Vendor", line.vendor)
        self.add(row, "Quantity", str(line.quantity))
        self.money(row, "UnitPrice", line.unit_price)
        self.money(row, "Discount", line.discount)
        self.money(row, "Tax", line.tax).set("included", "true" if self.content.are_taxes_included else "false")
        for name, value in line.properties:
            prop = etree.SubElement(row, f"{{{NAMESPACE}}}Property", name=self.clean(name, "a property's name"))
            prop.text = self.clean(value, f"property {name}")

    def group(self, parent: etree._Element, name: str, fields: dict[str, str], values: dict[str, str]) -> None:
        """Write the fields that have a value below one element, or nothing."""
        if not any(values.get(key) for key in fields):
            return
        element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        for key, tag in fields.items():
            code = values.get(f"{key}_code", "")
            self.add(element, tag, values.get(key) or code, code=code)

    def money(self, parent: etree._Element, name: str, value: Decimal) -> etree._Element:
        element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", currency=self.content.currency)
        element.text = money.text(value)
        return element

    def add(self, parent: etree._Element, name: str, text: str, code: str = "") -> None:
        """Write an element unless it would be empty."""
        if cleaned := self.clean(text, name):
            element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
            element.text = cleaned
            if code:
                element.set("code", self.clean(code, name))

    def clean(self, text: str, where: str) -> str:
        return clean(text, where, self.remarks)


_CUSTOMER = {"name": "Name", "email": "Email", "phone": "Phone"}
_ADDRESS = {
    "name": "Name",
    "company": "Company",
    "address1": "Address1",
    "address2": "Address2",
    "zip": "PostalCode",
    "city": "City",
    "province": "Province",
    "country": "Country",
    "phone": "Phone",
}
