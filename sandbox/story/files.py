"""The order files on a supplier's server: fetched from it, checked against the XSD and the store's order."""

import ftplib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import asyncssh
from lxml import etree

from sandbox.story import fetching
from sandbox.story.stage import StoryFailed, expect

_NAMES = {"o": "urn:hemi:order:1.0"}


@dataclass(frozen=True)
class OrderFile:
    """One file as it lies on the server."""

    name: str
    content: bytes

    @property
    def root(self) -> etree._Element:
        """The parsed document."""
        return etree.fromstring(self.content)

    @property
    def order_id(self) -> int:
        """Shopify's id of the order."""
        return int(self._text("OrderId"))

    @property
    def reference(self) -> str:
        """Hemi's own reference."""
        return self._text("Reference")

    @property
    def lines(self) -> set[tuple]:
        """Line id, SKU, pieces, price and currency of each line."""
        return set(self.ordered_lines)

    @property
    def ordered_lines(self) -> list[tuple]:
        """The lines in the order of the file."""
        rows = self.root.findall("o:Lines/o:Line", _NAMES)
        return [
            (
                int(row.findtext("o:LineId", "", _NAMES)),
                row.findtext("o:Sku", "", _NAMES),
                int(row.findtext("o:Quantity", "", _NAMES)),
                Decimal(row.findtext("o:UnitPrice", "", _NAMES)),
                row.xpath("string(o:UnitPrice/@currency)", namespaces=_NAMES),
            )
            for row in rows
        ]

    def _text(self, name: str) -> str:
        return self.root.findtext(f"o:{name}", "", _NAMES)


def fetch(server: dict) -> list[OrderFile]:
    """Read every file of the orders folder, as the supplier would."""
    try:
        found = fetching.read_all(server)
    except (OSError, EOFError, ftplib.Error, asyncssh.Error) as error:
        raise StoryFailed(f"The file server of {server['user']} at port {server['port']} fails: {error}") from error
    return [OrderFile(name, found[name]) for name in sorted(found)]


def check(file: OrderFile, order: dict, vendor: str, schema: Path) -> None:
    """Fail unless the file satisfies the schema and holds just this vendor's lines of the order."""
    xsd = etree.XMLSchema(etree.parse(schema))
    expect(xsd.validate(file.root), f"{file.name} does not satisfy {schema.name}: {xsd.error_log}")
    wanted = lines_for(order, vendor)
    expect(file.lines == wanted, f"{file.name} holds {sorted(file.lines)} instead of {sorted(wanted)}")


def lines_for(order: dict, vendor: str) -> set[tuple]:
    """Return what a vendor has to send of a store's order, as OrderFile.lines does."""
    rows = [line for line in order["line_items"] if (line["vendor"] or "").casefold() == vendor.casefold()]
    return {
        (line["id"], line["sku"] or "", _to_send(line), Decimal(line["price"]), order["currency"])
        for line in rows
        if _to_send(line)
    }


def _to_send(line: dict) -> int:
    return min(line.get("current_quantity", line["quantity"]), line["fulfillable_quantity"])
