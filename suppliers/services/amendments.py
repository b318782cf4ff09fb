"""What a person may ask about a change that came after a supplier had its file."""

from typing import Any

from django.db import transaction

from orders import timeline
from orders.services import Refused
from suppliers import amendments
from suppliers.models import Amendment, SupplierOrder
from suppliers.services import ground


def send_revision(*, amendment: Amendment, reason: str, by: Any) -> SupplierOrder:
    """Send the whole order again, as a newer revision. Raises Refused."""
    return _send(amendment, SupplierOrder.Kind.REVISION, reason, by)


def send_change(*, amendment: Amendment, reason: str, by: Any) -> SupplierOrder:
    """Send a change, or a cancellation where nothing is left of the part. Raises Refused."""
    kind = SupplierOrder.Kind.CANCELLATION if amendment.is_cancellation else SupplierOrder.Kind.CHANGE
    return _send(amendment, kind, reason, by)


def settle(*, amendment: Amendment, reason: str, by: Any) -> Amendment:
    """Note that the supplier was told in another way, or need not know. Raises Refused."""
    with transaction.atomic():
        fresh = _locked(amendment)
        if fresh.status != Amendment.Status.OPEN:
            raise Refused("This change does not wait any more.")
        amendments.settle(fresh, reason=ground.reason(reason), by=by)
        part = fresh.supplier_order
        timeline.record(part.order, "change_settled", f"Change settled: {fresh.reason}", part.reference, by)
        return fresh


def why_no_revision(amendment: Amendment) -> str:
    """Say why the whole order cannot be sent again; "" if it can."""
    if amendment.is_cancellation:
        return "Nothing is left of this part. Send a cancellation instead."
    return amendments.why_not_sent(amendment)


def _send(amendment: Amendment, kind: str, reason: str, by: Any) -> SupplierOrder:
    with transaction.atomic():
        fresh = _locked(amendment)
        is_whole = kind == SupplierOrder.Kind.REVISION
        if refusal := why_no_revision(fresh) if is_whole else amendments.why_not_sent(fresh):
            raise Refused(refusal)
        return amendments.send(fresh, kind=kind, reason=ground.reason(reason), by=by)


def _locked(amendment: Amendment) -> Amendment:
    part = ground.locked(amendment.supplier_order)
    fresh = Amendment.objects.get(pk=amendment.pk)
    fresh.supplier_order = part
    return fresh
