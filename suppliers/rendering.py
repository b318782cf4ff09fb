"""The rendering runner: make each part's document, check it, store it byte for byte as a Delivery."""

import hashlib
import logging
from datetime import timedelta
from decimal import Decimal
from time import monotonic

from django.db import transaction
from django.db.models import Q

from hemi.lib import claims, queue
from orders import settlement, timeline
from orders.models import Order
from suppliers.documents import hemi_1_0
from suppliers.documents.content import DocumentContent, LineContent
from suppliers.models import Delivery, SupplierOrder, SupplierOrderLine

log = logging.getLogger("suppliers")

Status = SupplierOrder.Status
LEASE = timedelta(seconds=60)
SLICE_SECONDS = 20
BATCH = 20
_WAITING = Q(status=Status.WAITING)


def render() -> int:
    """Make the documents that are due, for a time slice; return how many were looked at."""
    done, until = 0, monotonic() + SLICE_SECONDS
    while claimed := claims.claim(
        SupplierOrder.objects.filter(_WAITING).order_by("next_attempt_at"), still=_WAITING, limit=BATCH, lease=LEASE
    ):
        for part in claimed:
            with transaction.atomic():
                _render_one(part)
        done += len(claimed)
        if monotonic() > until:
            queue.kick("suppliers.render")
            break
    return done


def draft(part: SupplierOrder) -> hemi_1_0.Rendered:
    """Return the document that the part would be today. Raises hemi_1_0.InvalidDocument."""
    return hemi_1_0.render(compose(part), part.supplier.encoding)


def has_changed(part: SupplierOrder) -> bool:
    """Say whether the part's stored document differs from what it would be today."""
    delivery = Delivery.objects.filter(supplier_order=part).first()
    if delivery is None or delivery.redacted_at:
        return False
    try:
        return draft(part).document != bytes(delivery.document)
    except hemi_1_0.InvalidDocument:
        return True


def compose(part: SupplierOrder) -> DocumentContent:
    """Gather what the part's document says from the rows of today."""
    order = part.order
    is_tried = Delivery.objects.filter(supplier_order=part).exclude(first_claimed_at=None).exists()
    allocations = part.lines.select_related("order_line").order_by("order_line__position")
    lines = (_line(allocation, number, is_tried) for number, allocation in enumerate(allocations, start=1))
    return DocumentContent(
        reference=part.reference,
        revision=part.revision,
        is_test=order.is_test,
        supplier_code=part.supplier.code,
        supplier_name=part.supplier.name,
        shop=order.account.domain,
        order_number=order.number,
        order_id=order.shopify_id,
        placed_at=order.placed_at,
        currency=order.currency,
        are_taxes_included=order.are_taxes_included,
        customer={"name": order.customer_name, "email": order.email, "phone": order.phone},
        ship_to=order.shipping_address or {},
        shipping_methods=tuple((method["title"] or "Shipping", method["code"]) for method in order.shipping_methods),
        note=order.note,
        lines=tuple(line for line in lines if line.quantity),
    )


def _line(allocation: SupplierOrderLine, number: int, is_tried: bool) -> LineContent:
    line = allocation.order_line
    # Once tried, what the supplier itself ships must not look like a change: only what was removed does.
    quantity = min(allocation.quantity, line.current) if is_tried else line.sendable
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
    )


def _share(value: Decimal, share: Decimal) -> Decimal:
    return (value * share).quantize(Decimal("0.0001"))


def _render_one(claimed: SupplierOrder) -> None:
    order = settlement.locked(claimed.order_id)
    part = SupplierOrder.objects.select_related("supplier__endpoint").get(pk=claimed.pk)
    if part.claim_token != claimed.claim_token or part.status != Status.WAITING:
        return
    part.order = order
    part.claim_token, part.lease_until, part.attempts = "", None, 0
    try:
        rendered = draft(part)
    except (hemi_1_0.InvalidDocument, LookupError) as error:
        _block(part, str(error))
        return
    _store(part, rendered)


def _store(part: SupplierOrder, rendered: hemi_1_0.Rendered) -> None:
    Delivery.objects.create(
        supplier_order=part,
        endpoint=part.supplier.endpoint,
        folder=part.supplier.endpoint.orders_folder,
        final_name=f"ORDER_{part.reference}.xml",
        document=rendered.document,
        sha256=hashlib.sha256(rendered.document).hexdigest(),
        size=len(rendered.document),
        remarks="\n".join(rendered.remarks),
        is_held=bool(part.held_at) or part.order.state != Order.State.READY,
    )
    part.status = Status.READY
    part.save(update_fields=["status", "claim_token", "lease_until", "attempts"])
    text = " ".join([f"Document ORDER_{part.reference}.xml made.", *rendered.remarks])
    timeline.record(part.order, "document_made", text, reference=part.reference)
    queue.kick("suppliers.deliver", part.supplier.endpoint_id)


def _block(part: SupplierOrder, reason: str) -> None:
    part.status, part.attention = Status.BLOCKED, f"The document cannot be made: {reason}"[:500]
    part.save(update_fields=["status", "attention", "claim_token", "lease_until", "attempts"])
    timeline.record(part.order, "document_failed", part.attention, reference=part.reference)
