"""From rows to what a document says."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from orders.models import Order, OrderLine
from suppliers.documents.content import ADDED, CANCELLED, CHANGED, DocumentContent, LineContent
from suppliers.models import Delivery, DeliveryContent, Supplier, SupplierOrder, SupplierOrderLine

Kind = SupplierOrder.Kind


def compose(part: SupplierOrder) -> DocumentContent:
    """Gather what the part's document says from the rows of today."""
    return DocumentContent(
        **_head(part.order, part.supplier),
        reference=part.reference,
        revision=part.revision,
        lines=tuple(_lines(part)),
        kind=part.kind,
        replaces=part.replaces.reference if part.replaces else "",
        issued_at=None if part.kind == Kind.ORDER else part.created_at,
    )


def wanted(allocation: SupplierOrderLine) -> int:
    """Return how many pieces of an allocated line the order wants today, whatever was shipped of them.

    Never fewer than were shipped: a store takes returns off `current`, and they are no business of the supplier.
    """
    line, then = allocation.order_line, allocation.ordered_then
    moved = min(0, line.current - allocation.quantity) if then is None else line.current - then
    return max(allocation.shipped, allocation.quantity + moved)


def numbers(part_id: int) -> dict[int, int]:
    """Return the numbers that a part's file gives its lines, by Shopify's id; empty where that is not kept."""
    said = DeliveryContent.objects.filter(delivery__supplier_order=part_id).first()
    return {line["shopify_id"]: line["number"] for line in said.content["lines"]} if said else {}


def compose_trial(order: Order, supplier: Supplier) -> DocumentContent:
    """Gather what a document of the whole order would say, to look at only."""
    lines = enumerate((line for line in order.lines.order_by("position") if line.quantity), start=1)
    return DocumentContent(
        **_head(order, supplier),
        reference=f"HM{order.pk:06d}-{supplier.code}-1",
        revision=1,
        lines=tuple(_line(line, number, line.sendable or line.quantity) for number, line in lines),
    )


def _head(order: Order, supplier: Supplier) -> dict:
    return {
        "is_test": order.is_test,
        "supplier_code": supplier.code,
        "supplier_name": supplier.name,
        "shop": order.account.domain,
        "order_number": order.number,
        "order_id": order.shopify_id,
        "placed_at": order.placed_at,
        "currency": order.currency,
        "are_taxes_included": order.are_taxes_included,
        "customer": {"name": order.customer_name, "email": order.email, "phone": order.phone},
        "ship_to": order.shipping_address or {},
        "shipping_methods": tuple((way["title"] or "Shipping", way["code"]) for way in order.shipping_methods),
        "note": order.note,
    }


def _lines(part: SupplierOrder) -> Iterator[LineContent]:
    if part.kind == Kind.CANCELLATION and part.replaces:
        known = _numbers(part.replaces)
        for allocation in _allocations(part.replaces):
            line = allocation.order_line
            yield _line(line, known[line.shopify_id], 0, CANCELLED)
    elif part.kind == Kind.CHANGE and part.replaces:
        yield from _changed_lines(part, part.replaces)
    else:
        is_with_supplier = Delivery.objects.filter(Delivery.HANDED_OVER, supplier_order=part).exists()
        for number, allocation in enumerate(_allocations(part), start=1):
            line = allocation.order_line
            # What the supplier itself ships must not look like a change: only what the order's lines have moved does.
            is_whole = is_with_supplier or part.kind != Kind.ORDER
            quantity = wanted(allocation) if is_whole else line.sendable
            if quantity:
                yield _line(line, number, quantity)


def _changed_lines(part: SupplierOrder, sent: SupplierOrder) -> Iterator[LineContent]:
    """Every line as it is to be now, and what became of those that were sent: each under the number it had there."""
    before = {allocation.order_line_id: allocation.quantity for allocation in _allocations(sent)}
    now = {allocation.order_line_id: allocation for allocation in _allocations(part)}
    lines = {allocation.order_line_id: allocation.order_line for allocation in (*_allocations(sent), *now.values())}
    known = _numbers(sent)
    for pk, line in sorted(lines.items(), key=lambda pair: pair[1].position):
        quantity = wanted(now[pk]) if pk in now else 0
        number = known.setdefault(line.shopify_id, max(known.values(), default=0) + 1)
        yield _line(line, number, quantity, _change(before.get(pk, 0), quantity))


def _numbers(sent: SupplierOrder) -> dict[int, int]:
    plain = {allocation.order_line.shopify_id: count for count, allocation in enumerate(_allocations(sent), start=1)}
    return {**plain, **numbers(sent.pk)}


def _change(before: int, now: int) -> str:
    if before == now:
        return ""
    return CANCELLED if not now else CHANGED if before else ADDED


def _allocations(part: SupplierOrder) -> Iterable[SupplierOrderLine]:
    return part.lines.select_related("order_line").order_by("order_line__position")


def _line(line: OrderLine, number: int, quantity: int, change: str = "") -> LineContent:
    share = Decimal(quantity) / line.quantity if line.quantity else Decimal(0)
    return LineContent(
        shopify_id=line.shopify_id,
        number=number,
        sku=line.sku,
        title=line.title,
        variant=line.variant_title,
        vendor=line.vendor,
        quantity=quantity,
        unit_price=line.price,
        discount=_share(line.discount, share),
        tax=_share(line.tax, share),
        properties=tuple((item["name"] or "property", item["value"]) for item in line.properties),
        change=change,
    )


def _share(value: Decimal, share: Decimal) -> Decimal:
    return (value * share).quantize(Decimal("0.0001"))
