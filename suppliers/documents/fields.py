"""The fields of a document that rules may speak of, in words, and how each is read and replaced."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from suppliers.documents.content import DocumentContent, LineContent

# (value, where it is: "" or "line 2") -> the value to write
Edit = Callable[[str, str], str]

LABELS = {
    "order_number": "Order number",
    "currency": "Currency",
    "note": "Shopper's note",
    "shipping_method": "Shipping method",
    "customer.name": "Customer's name",
    "customer.email": "Customer's email",
    "customer.phone": "Customer's phone",
    "ship_to.name": "Delivery name",
    "ship_to.company": "Delivery company",
    "ship_to.address1": "Delivery address, first line",
    "ship_to.address2": "Delivery address, second line",
    "ship_to.zip": "Delivery postal code",
    "ship_to.city": "Delivery city",
    "ship_to.province": "Delivery province",
    "ship_to.country": "Delivery country",
    "ship_to.country_code": "Delivery country code",
    "ship_to.phone": "Delivery phone",
    "line.sku": "Line: SKU",
    "line.title": "Line: title",
    "line.variant": "Line: variant",
    "line.vendor": "Line: vendor",
    "line.properties": "Line: properties",
}
# Codes and keys: a rule may ask for them, and never writes others.
FIXED = {"order_number", "currency", "ship_to.country_code"}


def edit(content: DocumentContent, field: str, change: Edit) -> DocumentContent:
    """Return the content with `change` applied to every value of the field."""
    group, _, name = field.rpartition(".")
    if group == "line":
        return replace(content, lines=tuple(_edit_lines(content, name, change)))
    if group:
        values = getattr(content, group)
        new = change(values.get(name, ""), "")
        return content if new == values.get(name, "") else replace(content, **{group: {**values, name: new}})
    if name == "shipping_method":
        ways = content.shipping_methods or (("", ""),)
        edited = ((change(title, ""), code) for title, code in ways)
        return replace(content, shipping_methods=tuple(way for way in edited if way[0]))
    return replace(content, **{name: change(getattr(content, name), "")})


def _edit_lines(content: DocumentContent, name: str, change: Edit) -> Iterator[LineContent]:
    for line in content.lines:
        where = f"line {line.number}"
        if name == "properties":
            yield replace(line, properties=tuple((key, change(value, where)) for key, value in line.properties))
        else:
            yield replace(line, **{name: change(getattr(line, name), where)})
