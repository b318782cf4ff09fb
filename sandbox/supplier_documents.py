"""The documents that a supplier reads and writes."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

ORDER = "urn:hemi:order:1.0"
REPLY = "urn:hemi:reply:1.0"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


@dataclass(frozen=True)
class Despatch:
    """One shipment: its number, how it can be followed, and pieces by the order file's line number; none: all."""

    number: str
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_urls: tuple[str, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Say what the supplier makes of an order: taken, accepted, rejected (with a reason) or shipped (with how)."""

    status: str = "accepted"
    reason: str = ""
    despatch: Despatch | None = None


@dataclass(frozen=True)
class ReceivedOrder:
    """Keep one order file as it arrived."""

    file_name: str
    reference: str
    line_count: int
    content: bytes
    arrived_at: datetime

    @property
    def sha256(self) -> str:
        """Return the content's checksum in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class NotAnOrder(ValueError):
    """Say why a file cannot be read as an order."""


def read_order(file_name: str, content: bytes) -> ReceivedOrder:
    """Read an order document, or raise `NotAnOrder` for one that is half-written or something else."""
    try:
        root = etree.fromstring(content, PARSER)
    except etree.XMLSyntaxError as error:
        raise NotAnOrder(f"{file_name} ({len(content)} bytes) is not whole XML: {error}") from error
    reference = (root.findtext(f"{{{ORDER}}}Reference") or "").strip()
    if root.tag != f"{{{ORDER}}}Order" or not reference:
        raise NotAnOrder(f"{file_name} is not an order with a reference; its root is {root.tag}")
    lines = root.findall(f"{{{ORDER}}}Lines/{{{ORDER}}}Line")
    return ReceivedOrder(file_name, reference, len(lines), content, datetime.now(UTC))


def reply_document(reference: str, supplier_reference: str, verdict: Verdict) -> bytes:
    """Return the reply document to an order."""
    # The stubs of lxml know no default namespace.
    root = etree.Element(f"{{{REPLY}}}Reply", {"version": "1.0"}, nsmap={None: REPLY})  # type: ignore[dict-item]
    fields = {"Reference": reference, "Status": verdict.status, "SupplierReference": supplier_reference}
    if verdict.status == "rejected":
        fields["Reason"] = verdict.reason
    fields["CreatedAt"] = datetime.now(UTC).isoformat(timespec="seconds")
    for name, value in fields.items():
        etree.SubElement(root, f"{{{REPLY}}}{name}").text = value
    if verdict.despatch:
        _add_despatch(root, verdict.despatch)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_despatch(root: etree._Element, despatch: Despatch) -> None:
    shipment = etree.SubElement(root, f"{{{REPLY}}}Shipment")
    fields = [("Number", despatch.number), ("Carrier", despatch.carrier)]
    fields += [("TrackingNumber", number) for number in despatch.tracking_numbers]
    fields += [("TrackingUrl", url) for url in despatch.tracking_urls]
    for name, value in fields:
        if value:
            etree.SubElement(shipment, f"{{{REPLY}}}{name}").text = value
    if despatch.lines:
        lines = etree.SubElement(root, f"{{{REPLY}}}Lines")
        for number, quantity in despatch.lines:
            line = etree.SubElement(lines, f"{{{REPLY}}}Line", {"number": str(number)})
            etree.SubElement(line, f"{{{REPLY}}}Status").text = "shipped"
            etree.SubElement(line, f"{{{REPLY}}}Quantity").text = str(quantity)
