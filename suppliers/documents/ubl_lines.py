"""The lines of a UBL document and what they cost. UBL's amounts are net of tax, whatever a shop's prices are."""

from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from suppliers.documents.content import ADDED, CANCELLED, CHANGED, DocumentContent, LineContent
from suppliers.documents.ubl_tree import Tree

_FOUR_PLACES = Decimal("0.0001")
# UBL's code list LineStatusCode.
_STATUS = {ADDED: "Added", CHANGED: "Revised", CANCELLED: "Cancelled", "": "NoStatus"}


@dataclass(frozen=True)
class Net:
    """A line without its tax: `price` is that of `base` pieces, so that price less allowance is exactly `total`."""

    price: Decimal
    base: int
    allowance: Decimal
    total: Decimal


def net(line: LineContent, are_taxes_included: bool) -> Net:
    """Take the tax out of a line's amounts where the shop's prices hold it."""
    whole = line.unit_price * line.quantity
    paid = whole - line.discount
    if not are_taxes_included or not line.tax or not line.quantity:
        return Net(line.unit_price, 1, line.discount, paid)
    total = paid - line.tax
    allowance = (line.discount * total / paid).quantize(_FOUR_PLACES) if paid else line.discount
    return Net(total + allowance, line.quantity, allowance, total)


def write_totals(tree: Tree, root: etree._Element, content: DocumentContent) -> None:
    """Write the tax, and the sums that follow from the lines."""
    tax = sum((line.tax for line in content.lines), Decimal(0))
    lines = sum((net(line, content.are_taxes_included).total for line in content.lines), Decimal(0))
    tree.amount(tree.group(root, "TaxTotal"), "TaxAmount", tax)
    totals = tree.group(root, "AnticipatedMonetaryTotal")
    tree.amount(totals, "LineExtensionAmount", lines)
    tree.amount(totals, "TaxExclusiveAmount", lines)
    tree.amount(totals, "TaxInclusiveAmount", lines + tax)
    tree.amount(totals, "PayableAmount", lines + tax)


def write_line(tree: Tree, root: etree._Element, line: LineContent, content: DocumentContent) -> None:
    """Write one order line."""
    amounts = net(line, content.are_taxes_included)
    item = tree.group(root, "OrderLine", "LineItem")
    tree.text(item, "ID", str(line.number))
    if content.replaces:
        tree.text(item, "LineStatusCode", _STATUS[line.change])
    tree.quantity(item, "Quantity", line.quantity)
    tree.amount(item, "LineExtensionAmount", amounts.total)
    tree.amount(item, "TotalTaxAmount", line.tax)
    if amounts.allowance:
        allowance = tree.group(item, "AllowanceCharge")
        tree.text(allowance, "ChargeIndicator", "false")
        tree.text(allowance, "AllowanceChargeReason", "Discount")
        tree.amount(allowance, "Amount", amounts.allowance)
    if line.quantity:  # of no piece there is no tax that could be taken out of the price
        price = tree.group(item, "Price")
        tree.amount(price, "PriceAmount", amounts.price)
        tree.quantity(price, "BaseQuantity", amounts.base)
    _write_item(tree, item, line)


def _write_item(tree: Tree, parent: etree._Element, line: LineContent) -> None:
    item = tree.group(parent, "Item")
    tree.text(item, "Name", line.title)
    tree.text(item, "BrandName", line.vendor)
    tree.named(item, "SellersItemIdentification", "ID", line.sku)
    for name, value in (("Variant", line.variant), ("Line id", str(line.shopify_id)), *line.properties):
        if value:
            _write_property(tree, item, name, value)


def _write_property(tree: Tree, item: etree._Element, name: str, value: str) -> None:
    note = tree.named(item, "AdditionalItemProperty", "Name", name)
    if note is None:
        note = tree.group(item, "AdditionalItemProperty")
        tree.text(note, "Name", "property")
    tree.text(note, "Value", value)
