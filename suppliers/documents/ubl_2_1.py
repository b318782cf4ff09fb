"""UBL 2.1 (docs.oasis-open.org/ubl/UBL-2.1.html): Order, OrderChange and OrderCancellation.

Valid beyond the schema: codes are those of ISO 4217, ISO 3166-1 and UN/ECE Rec 20, sums are the sums of the lines.
"""

import uuid
from datetime import UTC

from lxml import etree

from suppliers.documents import codes, hemi_1_0, ubl_lines, units
from suppliers.documents.content import CANCELLATION, CHANGE, DocumentContent
from suppliers.documents.rendered import InvalidDocument, Rendered
from suppliers.documents.ubl_tree import Tree

_NAMESPACE = uuid.UUID("5b0a3d0e-0f0d-5a52-9c3e-7a1f6a6d2c11")  # fixed: a document has the same UUID whenever made
_TEST = "THIS IS A TEST ORDER. Make and ship nothing."
_ROOTS = {CHANGE: "OrderChange", CANCELLATION: "OrderCancellation"}


def render(content: DocumentContent, encoding: str, unit_code: str) -> Rendered:
    """Write the document in the supplier's encoding. Raises InvalidDocument."""
    if not codes.is_currency(content.currency):
        raise InvalidDocument(f"The currency {content.currency} is not in ISO 4217, which UBL asks for.")
    if not units.is_unit(unit_code):
        raise InvalidDocument(f"The unit {unit_code} is not in UN/ECE Recommendation 20. Mend it at the supplier.")
    tree = Tree(content.currency, unit_code)
    root = tree.root(_ROOTS.get(content.kind, "Order"))
    _write_head(tree, root, content)
    _write_parties(tree, root, content)
    if content.kind != CANCELLATION:
        _write_delivery(tree, root, content)
        ubl_lines.write_totals(tree, root, content)
        for line in content.lines:
            ubl_lines.write_line(tree, root, line, content)
    return Rendered(hemi_1_0.written(root, encoding), tree.remarks)


def _write_head(tree: Tree, root: etree._Element, content: DocumentContent) -> None:
    issued = (content.issued_at or content.placed_at).astimezone(UTC)
    tree.text(root, "UBLVersionID", "2.1")
    tree.text(root, "ID", content.reference)
    tree.text(root, "UUID", str(uuid.uuid5(_NAMESPACE, content.reference)))
    tree.text(root, "IssueDate", issued.date().isoformat())
    tree.text(root, "IssueTime", issued.strftime("%H:%M:%SZ"))
    if content.kind == CHANGE:
        tree.text(root, "SequenceNumberID", str(content.revision))
    for note in (_TEST if content.is_test else "", content.note):
        tree.text(root, "Note", note)
    if content.kind == CANCELLATION:
        tree.text(root, "CancellationNote", "The order is cancelled. Do not make or ship it.")
    else:
        tree.text(root, "DocumentCurrencyCode", content.currency)
        tree.text(root, "CustomerReference", content.order_number)
        tree.text(root, "LineCountNumeric", str(len(content.lines)))
    if content.kind in _ROOTS:
        tree.text(tree.group(root, "OrderReference"), "ID", content.replaces)
    elif content.replaces:
        tree.text(tree.group(root, "OrderDocumentReference"), "ID", content.replaces)


def _write_parties(tree: Tree, root: etree._Element, content: DocumentContent) -> None:
    buyer = tree.group(root, "BuyerCustomerParty", "Party")
    tree.text(buyer, "WebsiteURI", f"https://{content.shop}/")
    tree.named(buyer, "PartyName", "Name", content.shop)
    seller = tree.group(root, "SellerSupplierParty", "Party")
    tree.named(seller, "PartyIdentification", "ID", content.supplier_code)
    tree.named(seller, "PartyName", "Name", content.supplier_name)
    if any(content.customer.values()):
        shopper = tree.group(root, "OriginatorCustomerParty", "Party")
        tree.named(shopper, "PartyName", "Name", content.customer.get("name", ""))
        _write_contact(tree, shopper, content.customer)


def _write_delivery(tree: Tree, root: etree._Element, content: DocumentContent) -> None:
    if content.ship_to:
        delivery = tree.group(root, "Delivery")
        _write_address(tree, delivery, content.ship_to)
        receiver = tree.group(delivery, "DeliveryParty")
        name = content.ship_to.get("company") or content.ship_to.get("name", "")
        tree.named(receiver, "PartyName", "Name", name)
        _write_contact(tree, receiver, content.ship_to)
    else:
        tree.remarks.append("The order has no shipping address.")
    # An OrderChange has room for one way of shipping only.
    for title, code in content.shipping_methods[: 1 if content.kind == CHANGE else None]:
        terms = tree.group(root, "DeliveryTerms")
        tree.text(terms, "ID", code)
        tree.text(terms, "SpecialTerms", title)


def _write_address(tree: Tree, delivery: etree._Element, values: dict[str, str]) -> None:
    address = tree.group(delivery, "DeliveryAddress")
    tree.text(address, "StreetName", values.get("address1", ""))
    tree.text(address, "AdditionalStreetName", values.get("address2", ""))
    tree.text(address, "CityName", values.get("city", ""))
    tree.text(address, "PostalZone", values.get("zip", ""))
    tree.text(address, "CountrySubentity", values.get("province", ""))
    tree.text(address, "CountrySubentityCode", values.get("province_code", ""))
    given, name = values.get("country_code", ""), values.get("country", "")
    code = codes.country(given)
    if given and code != given:
        said = f"{code} is written for it" if code else "it was left out"
        tree.remarks.append(f"“{given}” is not a country code of ISO 3166-1; {said}.")
    if code or name:
        country = tree.group(address, "Country")
        tree.text(country, "IdentificationCode", code)
        tree.text(country, "Name", name)


def _write_contact(tree: Tree, party: etree._Element, values: dict[str, str]) -> None:
    if any(values.get(key) for key in ("name", "phone", "email")):
        contact = tree.group(party, "Contact")
        tree.text(contact, "Name", values.get("name", ""))
        tree.text(contact, "Telephone", values.get("phone", ""))
        tree.text(contact, "ElectronicMail", values.get("email", ""))
