"""The fields of a document that rules may speak of, in words, and how each is read and replaced."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

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
    "line.property_names": "Line: names of properties",
}
# Codes and keys: a rule may ask for them, and never writes others.
FIXED = {"order_number", "currency", "ship_to.country_code"}


def edit(content: DocumentContent, field: str, change: Edit) -> DocumentContent:
    """Return the content with `change` applied to every value of the field."""
    group, _, name = field.rpartition(".")
    if group == "line":
        return replace(content, lines=tuple(_edit_lines(content, name, change)))
    new: dict[str, Any] = {}
    if group:
        values = getattr(content, group)
        value = change(values.get(name, ""), "")
        new = {group: {**values, name: value}} if value != values.get(name, "") else {}
    elif name == "shipping_method":
        edited = ((change(title, ""), code) for title, code in content.shipping_methods or (("", ""),))
        new = {"shipping_methods": tuple(way for way in edited if way[0])}
    else:
        new = {name: change(getattr(content, name), "")}
    return replace(content, **new)


def _edit_lines(content: DocumentContent, name: str, change: Edit) -> Iterator[LineContent]:
    for line in content.lines:
        where = f"line {line.number}"
        if name in ("properties", "property_names"):
            yield replace(line, properties=_edit_properties(line, name, partial(_at, change, where)))
        else:
            new: dict[str, Any] = {name: change(getattr(line, name), where)}
            yield replace(line, **new)


def _at(change: Edit, where: str, text: str) -> str:
    return change(text, where)


def _edit_properties(line: LineContent, name: str, change: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    if not line.properties:
        change("")  # what is required is missing
    if name == "property_names":
        return tuple((change(key) or "property", value) for key, value in line.properties)
    return tuple((key, change(value)) for key, value in line.properties)
