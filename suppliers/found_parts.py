"""Parts that only the journal knows: sent before a restore, of an order that the store has cancelled since.

An order that still goes out gets its parts anew, and their files are looked up. Of a cancelled one nothing would be
made, and its supplier would go on with what nobody wants.
"""

from django.utils import timezone

from orders import timeline
from orders.models import Order
from suppliers.models import SentBefore, Supplier, SupplierOrder

State = SentBefore.State
_SENT = "Sent before the restore"
_ASKED = "It may have been sent before the restore"
_TELL = "and nothing of the order is wanted any more. Tell {}, or send a cancellation."


def take_over(order: Order) -> bool:
    """Make the parts of the locked order that were sent before a restore, so that their suppliers are told.

    False: there were none.
    """
    if not is_over(order):
        return False
    lines = {
        line.reference: line for line in SentBefore.objects.filter(shopify_id=order.shopify_id).order_by("resends")
    }
    known = set(SupplierOrder.objects.filter(reference__in=lines).values_list("reference", flat=True))
    unknown = [reference for reference in sorted(set(lines) - known) if lines[reference].state != State.BACK]
    for reference in unknown:
        _make(order, lines[reference])
    return bool(unknown)


def is_over(order: Order) -> bool:
    """Tell whether nothing of the order goes out any more, and not because it was shipped."""
    is_empty = order.state == Order.State.NOTHING and not (order.fulfillment_status or order.redacted_at)
    return order.state == Order.State.CANCELLED or is_empty


def _make(order: Order, line: SentBefore) -> None:
    _, code, revision = line.reference.rsplit("-", 2)
    supplier = Supplier.objects.filter(code=code).first()
    if supplier is None or order.supplier_orders.filter(supplier=supplier, revision=revision).exists():
        return
    sent = order.supplier_orders.filter(supplier=supplier, status__in=list(SupplierOrder.RANK))
    former = sent.filter(revision__lt=revision).order_by("-revision").first()
    said = _SENT if line.state == State.SENT else _ASKED
    attention = f"{said} ({line.name}), {_TELL.format(supplier)}"
    SupplierOrder.objects.create(
        order=order,
        supplier=supplier,
        revision=int(revision),
        reference=line.reference,
        replaces=former,
        status=SupplierOrder.Status.SENT,
        sent_at=line.at,
        created_at=timezone.now(),
        attention=attention,
    )
    if former:
        SupplierOrder.objects.filter(pk=former.pk).update(status=SupplierOrder.Status.REPLACED, attention="")
    timeline.record(order, "sent_before", f"{said}: {line.name}.", line.reference)
