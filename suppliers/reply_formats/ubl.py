"""UBL 2.0 and 2.1 (docs.oasis-open.org/ubl): OrderResponse, OrderResponseSimple and DespatchAdvice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import etree

from suppliers.reply_formats import trees
from suppliers.reply_formats.statements import (
    ACCEPTED,
    DISPUTED,
    REJECTED,
    SHIPPED,
    TAKEN,
    LineStatement,
    Statement,
    Unreadable,
    pieces,
)

NAME = "UBL"
_URN = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMES = {"a": f"{_URN}CommonAggregateComponents-2", "b": f"{_URN}CommonBasicComponents-2"}
# UBL's own words, UN/ECE 4343 (header) and 1229 (lines), as EN 16931's relatives and Peppol use them.
_OF_ORDER = {"ab": TAKEN, "ap": ACCEPTED, "ac": ACCEPTED, "ca": ACCEPTED, "re": REJECTED, "27": REJECTED}
_OF_ORDER |= {"29": ACCEPTED, "30": ACCEPTED, "accepted": ACCEPTED, "rejected": REJECTED}
_OF_LINE = {"nostatus": "", "cancelled": REJECTED, "disputed": DISPUTED, "revised": ACCEPTED, "added": DISPUTED}
_OF_LINE |= {"1": DISPUTED, "3": ACCEPTED, "5": ACCEPTED, "7": REJECTED, "42": ""}
_OF_LINE |= {"accepted": ACCEPTED, "rejected": REJECTED}
_LONGEST_REFERENCE = 200
_TELLING_ID = 6  # letters: a consignment that is just numbered 1 has no tracking number


def reader(root: etree._Element) -> Callable[[etree._Element], list[Statement]] | None:
    """Return the function that reads such a document; None if it is no UBL reply."""
    readers = {"OrderResponse": _response, "OrderResponseSimple": _simple, "DespatchAdvice": _despatch}
    return {f"{{{_URN}{name}-2}}{name}": read for name, read in readers.items()}.get(str(root.tag))


def _response(root: etree._Element) -> list[Statement]:
    code = _text(root, "b:OrderResponseCode").casefold()
    rows = [(line, line.find("a:LineItem", _NAMES)) for line in root.findall("a:OrderLine", _NAMES)]
    lines = tuple(_response_line(line, item) for line, item in rows if item is not None)
    reason = _text(root, "b:RejectionNote") or _text(root, "b:Note")
    # Whoever sends this document has read the order, even where its codes say no more.
    return [_about(root, status=_OF_ORDER.get(code, TAKEN), lines=lines, reason=reason[:500])]


def _response_line(line: etree._Element, item: etree._Element) -> LineStatement:
    code, quantity, other = _text(item, "b:LineStatusCode"), _text(item, "b:Quantity"), _substitute(line)
    status = DISPUTED if other else _OF_LINE.get(code.casefold(), DISPUTED if code else "")
    notes = [_text(item, "b:Note"), code if status == DISPUTED and not other else "", other]
    meant = (_text(place, "a:OrderLineReference/b:LineID") for place in (item, line))
    return LineStatement(
        line=next(filter(None, meant), "") or _text(item, "b:ID"),
        sku=_sku(item),
        status=status,
        quantity=pieces(quantity, "Quantity") if quantity and status == ACCEPTED else None,
        reason=": ".join(note for note in notes if note)[:500],
    )


def _substitute(line: etree._Element) -> str:
    """Say which other article the supplier sends or proposes; "" if none."""
    for name in ("SellerSubstitutedLineItem", "SellerProposedSubstituteLineItem"):
        if (item := line.find(f"a:{name}", _NAMES)) is not None:
            return f"another article instead: {_text(item, 'a:Item/b:Name') or _sku(item) or 'without a name'}"
    return ""


def _simple(root: etree._Element) -> list[Statement]:
    indicator = _text(root, "b:AcceptedIndicator")
    if indicator not in ("true", "false", "1", "0"):
        raise Unreadable("Its AcceptedIndicator is neither true nor false.")
    status = ACCEPTED if indicator in ("true", "1") else REJECTED
    reason = _text(root, "b:RejectionNote") or ("" if status == ACCEPTED else _text(root, "b:Note"))
    return [_about(root, status=status, reason=reason[:500])]


def _despatch(root: etree._Element) -> list[Statement]:
    number = trees.fit(_text(root, "b:ID"), 200, "ID")
    if not number:
        raise Unreadable("It has no ID, so a repeat could not be told from a second shipment.")
    if _text(root, "b:DocumentStatusCode").casefold() == "cancelled":
        raise Unreadable(f"It takes shipment {number} back, which Hemi cannot. Ask the supplier what was shipped.")
    headers = {_reference(header): header for header in root.findall("a:OrderReference", _NAMES)}
    only = next(iter(headers)) if len(headers) == 1 else ""
    orders: dict[str, list[LineStatement]] = {}
    for line in root.findall("a:DespatchLine", _NAMES):
        reference = _text(line, "a:OrderLineReference/a:OrderReference/b:ID") or only
        if not reference:
            raise Unreadable("A DespatchLine does not name its order.")
        orders.setdefault(reference, []).append(_despatch_line(line))
    if not orders:
        raise Unreadable("It has no DespatchLine.")
    sellers = {reference: _text(header, "b:SalesOrderID") for reference, header in headers.items()}
    shipped: dict[str, Any] = {"despatch": number, "carrier": _carrier_of(root), "numbers": _tracking(root)}
    return [
        _checked(replace(Statement(reference, "", tuple(lines), sellers.get(reference, "")[:200]), **shipped))
        for reference, lines in orders.items()
    ]


def _despatch_line(line: etree._Element) -> LineStatement:
    quantity = _text(line, "b:DeliveredQuantity")
    if not quantity:
        raise Unreadable("A DespatchLine has no DeliveredQuantity.")
    waiting = _text(line, "b:BackorderQuantity")
    words = f"{waiting} to follow" if waiting.strip("0.") else ""
    notes = [words, _text(line, "b:BackorderReason"), _text(line, "b:OutstandingReason")]
    return LineStatement(
        line=_text(line, "a:OrderLineReference/b:LineID"),
        sku=_sku(line),
        status=SHIPPED,
        quantity=pieces(quantity, "DeliveredQuantity"),
        reason=": ".join(note for note in notes if note)[:500],
    )


def _carrier_of(root: etree._Element) -> str:
    places = ("a:Shipment/a:Consignment", "a:Shipment/a:ShipmentStage", "a:Shipment/a:Delivery")
    found = (_carrier(place) for path in places for place in root.findall(path, _NAMES))
    return next((carrier for carrier in found if carrier), "")[:100]


def _tracking(root: etree._Element) -> tuple[str, ...]:
    numbers = [_text(place, "b:TrackingID") for place in root.findall("a:Shipment/a:Delivery", _NAMES)]
    numbers += [_consignment_number(place) for place in root.findall("a:Shipment/a:Consignment", _NAMES)]
    return tuple(dict.fromkeys(number[:200] for number in numbers if number))


def _consignment_number(place: etree._Element) -> str:
    assigned = _text(place, "b:CarrierAssignedID")
    number = _text(place, "b:ID")
    return assigned or (number if len(number) >= _TELLING_ID else "")


def _carrier(place: etree._Element | None) -> str:
    return _text(place, "a:CarrierParty/a:PartyName/b:Name")


def _about(root: etree._Element, **said: object) -> Statement:
    header = root.find("a:OrderReference", _NAMES)
    if header is None:
        raise Unreadable("It does not name its order in OrderReference/ID.")
    seller = _text(header, "b:SalesOrderID") or _text(root, "b:SalesOrderID")
    return _checked(Statement(_reference(header), supplier_reference=seller[:200], **said))  # type: ignore[arg-type]


def _checked(statement: Statement) -> Statement:
    if not statement.reference:
        raise Unreadable("It does not name its order in OrderReference/ID.")
    trees.fit(statement.reference, _LONGEST_REFERENCE, "OrderReference/ID")
    return statement


def _reference(header: etree._Element) -> str:
    return _text(header, "b:ID")


def _sku(line: etree._Element) -> str:
    item = line.find("a:Item", _NAMES)
    return _text(item, "a:SellersItemIdentification/b:ID") or _text(item, "a:BuyersItemIdentification/b:ID")


def _text(parent: etree._Element | None, path: str) -> str:
    return trees.text(parent, path, _NAMES)
