"""See the document of an order for a supplier, also as a mapping that is not yet live would make it."""

from dataclasses import dataclass

from lxml import etree

from integrations.shopify.payloads import LineSnapshot, OrderSnapshot
from orders.models import Order
from suppliers import composing, drafting, samples
from suppliers.documents import formats
from suppliers.documents.content import DocumentContent, LineContent, from_json
from suppliers.models import DeliveryContent, Mapping, Supplier, SupplierOrder

_SHOWN = 200_000  # characters of a document on a page
_INDENTED = 1_000_000  # bytes; a larger one is shown as it is


class NotFound(ValueError):
    """No order is meant by these words."""


@dataclass(frozen=True)
class Preview:
    """A document to look at; `of` says whose, `validity` how it was checked."""

    of: str
    draft: drafting.Draft
    text: str
    validity: str


def look(supplier: Supplier, wanted: str, mapping: Mapping | None = None) -> Preview:
    """Make the document of the order that `wanted` names, by reference or number; blank: of an example.

    Raises NotFound.
    """
    of, content = _content(supplier, wanted.strip())
    draft = drafting.draft(content, supplier, mapping)
    return Preview(of, draft, shown(draft, supplier.encoding), validity(supplier, draft, mapping))


def recent(supplier: Supplier) -> list[SupplierOrder]:
    """Return the supplier's newest parts, to choose from."""
    parts = SupplierOrder.objects.filter(supplier=supplier, order__redacted_at=None)
    return list(parts.select_related("order").order_by("-pk")[:20])


def example(supplier: Supplier) -> DocumentContent:
    """Return what a document of Hemi's own test order says."""
    return of_snapshot(samples.order(1), supplier)


def of_snapshot(order: OrderSnapshot, supplier: Supplier) -> DocumentContent:
    """Return what a document of an order would say that is not in the database."""
    return DocumentContent(
        reference=f"HM000000-{supplier.code}-1",
        revision=1,
        is_test=order.is_test,
        supplier_code=supplier.code,
        supplier_name=supplier.name,
        shop="example.myshopify.com",
        order_number=order.number,
        order_id=abs(order.shopify_id),
        placed_at=order.placed_at,
        currency=order.currency,
        are_taxes_included=order.are_taxes_included,
        customer={"name": order.customer_name, "email": order.email, "phone": order.phone},
        ship_to=order.shipping_address or {},
        shipping_methods=tuple((way["title"] or "Shipping", way["code"]) for way in order.shipping_methods),
        note=order.note,
        lines=tuple(_line(line) for line in order.lines if line.quantity),
    )


def said(part: SupplierOrder) -> DocumentContent:
    """Return what the part's document says: as it was stored, or as it would be made today."""
    stored = DeliveryContent.objects.filter(delivery__supplier_order=part).first()
    return from_json(stored.content) if stored else composing.compose(part)


def shown(draft: drafting.Draft, encoding: str) -> str:
    """Return the document as text, XML indented."""
    if draft.rendered is None:
        return ""
    return cut(pretty(draft.rendered.document, encoding))


def cut(text: str) -> str:
    """Return what a page has room for, and say where more follows."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… and {len(text) - _SHOWN:,} characters more."


def pretty(document: bytes, encoding: str) -> str:
    """Return a document as text, XML indented; what is no XML as it is."""
    if document.lstrip()[:1] == b"<" and len(document) < _INDENTED:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
        try:
            root = etree.fromstring(document, parser)
        except etree.XMLSyntaxError:
            return document.decode(encoding, "replace")
        return etree.tostring(root.getroottree(), pretty_print=True, encoding="unicode")
    return document.decode(encoding, "replace")


def validity(supplier: Supplier, draft: drafting.Draft, mapping: Mapping | None = None) -> str:
    """Say in words how the document was checked; "" where there is none."""
    if draft.rendered is None:
        return ""
    if supplier.schema_id:
        return f"Valid: it satisfies the schema {supplier.schema}."
    by_itself = {formats.HEMI: "Valid: it satisfies Hemi's schema.", formats.UBL: "Its codes and sums are valid."}
    checked = by_itself.get(formats.OWN if mapping else supplier.format, "It can be made.")
    return f"{checked} No schema is set at the supplier, so nothing more was asked."


def _line(line: LineSnapshot) -> LineContent:
    return LineContent(
        shopify_id=abs(line.shopify_id),
        number=line.position,
        sku=line.sku,
        title=line.title,
        variant=line.variant_title,
        vendor=line.vendor,
        quantity=line.quantity,
        unit_price=line.price,
        discount=line.discount,
        tax=line.tax,
        properties=tuple((item["name"] or "property", item["value"]) for item in line.properties),
    )


def _content(supplier: Supplier, wanted: str) -> tuple[str, DocumentContent]:
    if not wanted:
        return "an example order", example(supplier)
    parts = SupplierOrder.objects.filter(supplier=supplier).select_related("order__account", "supplier", "replaces")
    numbers = [wanted, f"#{wanted}"]  # as Shopify writes them, and as people do
    by_number = parts.filter(order__number__in=numbers).order_by("-pk")
    part = parts.filter(reference=wanted.upper()).first() or by_number.first()
    if part:
        if part.order.redacted_at:
            raise NotFound("The customer's data of this order was removed.")
        return f"{part.reference}, order {part.order.number}", said(part)
    order = Order.objects.filter(number__in=numbers, redacted_at=None).select_related("account").order_by("-pk").first()
    if order is None:
        raise NotFound("There is no order with this number or reference.")
    return f"{order}, as if all of it went to {supplier}", composing.compose_trial(order, supplier)
