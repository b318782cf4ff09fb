"""What a person may ask of a supplier."""

import logging
import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from integrations.models import AccountShopify
from orders import intake, timeline
from orders.services import Refused
from suppliers import addressing, parts, samples
from suppliers.models import Delivery, Supplier, SupplierOrder
from suppliers.services import ground

log = logging.getLogger("suppliers")


def send_test_order(*, supplier: Supplier, account: AccountShopify, by: Any) -> SupplierOrder:
    """Make a test order of the account and give it to a supplier in test mode. Raises Refused."""
    with transaction.atomic():
        supplier = Supplier.objects.get(pk=supplier.pk)
        if supplier.is_live:
            raise Refused(f"{supplier} is live and gets real orders only. Take it back to test first.")
        order = intake.store(account, samples.order(time.time_ns() // 1_000_000))
        part = parts.allocate(order, supplier, order.lines.all(), by=by)
        timeline.record(order, "test_order", f"Test order made for {supplier}.", part.reference, by)
        return part


def go_live(*, supplier: Supplier, by: Any) -> Supplier:
    """From now on the supplier gets real orders. Raises Refused."""
    supplier = _set_mode(supplier, Supplier.Mode.LIVE, "The supplier is live already.")
    _log("supplier.went_live", supplier, by)
    return supplier


def back_to_test(*, supplier: Supplier, by: Any) -> Supplier:
    """From now on the supplier gets test orders only. Raises Refused."""
    supplier = _set_mode(supplier, Supplier.Mode.TEST, "The supplier is in test mode already.")
    _log("supplier.back_to_test", supplier, by)
    return supplier


def pause(*, supplier: Supplier, reason: str, by: Any) -> Supplier:
    """Keep every file of the supplier back until it is resumed. Raises Refused."""
    text = ground.reason(reason)
    rows = Supplier.objects.filter(pk=supplier.pk, paused_at=None)
    if not rows.update(paused_at=timezone.now(), pause_reason=text):
        raise Refused("The supplier is paused already.")
    _log("supplier.paused", supplier, by)
    return Supplier.objects.get(pk=supplier.pk)


def resume(*, supplier: Supplier, by: Any) -> Supplier:
    """Let the supplier's files go again. Raises Refused."""
    if not Supplier.objects.filter(pk=supplier.pk).exclude(paused_at=None).update(paused_at=None, pause_reason=""):
        raise Refused("The supplier is not paused.")
    _log("supplier.resumed", supplier, by)
    queue.kick("suppliers.deliver", supplier.endpoint_id)
    return Supplier.objects.get(pk=supplier.pk)


def switched(*, supplier: Supplier, by: Any) -> tuple[int, int]:
    """Let files follow the supplier to the endpoint that it has now; return how many, and how many could not."""
    files = Delivery.objects.filter(supplier_order__supplier=supplier).exclude(endpoint=supplier.endpoint_id)
    moved = addressing.follow(files)
    _log("supplier.switched", supplier, by)
    return moved, files.exclude(status__in=Delivery.FINAL).count()


def _log(event: str, supplier: Supplier, by: Any) -> None:
    ids = {"supplier_id": supplier.pk, "endpoint_id": supplier.endpoint_id}
    log.info(event, extra={**ids, "by": getattr(by, "pk", None)})


def _set_mode(supplier: Supplier, mode: str, refusal: str) -> Supplier:
    if not Supplier.objects.filter(pk=supplier.pk).exclude(mode=mode).update(mode=mode):
        raise Refused(refusal)
    queue.kick("suppliers.deliver", supplier.endpoint_id)  # files of the one kind stay, those of the other go
    return Supplier.objects.get(pk=supplier.pk)
