"""Hemi's own reply, version 1.0: suppliers/schemas/hemi-reply-1.0.xsd, described in docs/supplier-files.md."""

from datetime import datetime
from functools import cache
from pathlib import Path

from lxml import etree

from suppliers.reply_formats import trees
from suppliers.reply_formats.statements import LineStatement, Statement, Unreadable, pieces

NAME = "Hemi 1.0"
ROOT = "{urn:hemi:reply:1.0}Reply"
_NAMES = {"r": "urn:hemi:reply:1.0"}
_SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "hemi-reply-1.0.xsd"


def read(root: etree._Element) -> list[Statement]:
    """Return what the reply says. Raises Unreadable."""
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as error:
        raise Unreadable(f"It is not a Hemi reply 1.0: {error}") from None
    try:
        datetime.fromisoformat(_text(root, "CreatedAt"))
    except ValueError as error:
        raise Unreadable(f"It has no valid time in CreatedAt: {error}") from None
    shipment = root.find("r:Shipment", _NAMES)
    statement = Statement(
        reference=_text(root, "Reference"),
        status=_text(root, "Status"),
        lines=tuple(_line(row) for row in root.findall("r:Lines/r:Line", _NAMES)),
        supplier_reference=_text(root, "SupplierReference"),
        reason=_text(root, "Reason"),
        despatch=_text(shipment, "Number"),
        carrier=_text(shipment, "Carrier"),
        numbers=_texts(shipment, "TrackingNumber"),
        urls=_texts(shipment, "TrackingUrl"),
    )
    return [_without_rest(statement)]


def _without_rest(statement: Statement) -> Statement:
    """Where a shipment names its lines, nothing is said of the others."""
    if statement.status != "shipped" or not statement.lines:
        return statement
    return Statement(**{**vars(statement), "status": ""})


def _line(row: etree._Element) -> LineStatement:
    quantity = _text(row, "Quantity")
    return LineStatement(
        line=row.get("number", "") or _text(row, "LineId"),
        sku=_text(row, "Sku"),
        status=_text(row, "Status"),
        quantity=pieces(quantity, "Quantity") if quantity else None,
        reason=_text(row, "Reason"),
    )


def _text(parent: etree._Element | None, name: str) -> str:
    return trees.text(parent, f"r:{name}", _NAMES)


def _texts(parent: etree._Element | None, name: str) -> tuple[str, ...]:
    found = parent.findall(f"r:{name}", _NAMES) if parent is not None else []
    return tuple(" ".join((element.text or "").split()) for element in found)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_SCHEMA))
