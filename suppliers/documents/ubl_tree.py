"""Elements of UBL 2.1: leaves below cbc, groups below cac, nothing empty."""

from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from hemi.lib import money
from suppliers.documents.rendered import clean

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC = f"{_UBL}CommonAggregateComponents-2"
CBC = f"{_UBL}CommonBasicComponents-2"


@dataclass
class Tree:
    """Writes elements in a currency, and collects remarks on the way."""

    currency: str
    unit_code: str
    remarks: list[str] = field(default_factory=list)

    def root(self, name: str) -> etree._Element:
        namespace = f"{_UBL}{name}-2"
        nsmap: dict[str | None, str] = {None: namespace, "cac": CAC, "cbc": CBC}
        return etree.Element(f"{{{namespace}}}{name}", nsmap=nsmap)  # type: ignore[arg-type]

    def group(self, parent: etree._Element, *path: str) -> etree._Element:
        """Write a group, and the groups on the way to it."""
        for name in path:
            parent = etree.SubElement(parent, f"{{{CAC}}}{name}")
        return parent

    def text(self, parent: etree._Element, name: str, text: str, **attributes: str) -> None:
        """Write a leaf unless it would be empty."""
        if cleaned := clean(text, name, self.remarks).strip():
            etree.SubElement(parent, f"{{{CBC}}}{name}", attributes).text = cleaned

    def named(self, parent: etree._Element, group: str, name: str, text: str) -> etree._Element | None:
        """Write a group whose first leaf UBL requires, and return it; nothing where that would be empty."""
        if not (cleaned := clean(text, name, self.remarks).strip()):
            return None
        element = self.group(parent, group)
        self.text(element, name, cleaned)
        return element

    def amount(self, parent: etree._Element, name: str, value: Decimal) -> None:
        self.text(parent, name, money.text(value), currencyID=self.currency)

    def quantity(self, parent: etree._Element, name: str, count: int) -> None:
        self.text(parent, name, str(count), unitCode=self.unit_code)
