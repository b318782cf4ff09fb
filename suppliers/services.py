"""What a person may ask of a supplier, a part of an order, a delivery. Each locks, checks, writes rows, says who."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from integrations.models import AccountShopify
from orders import intake, services, settlement, timeline
from orders.models import Order, OrderLine
from orders.services import Refused
from suppliers import parts, samples, waiting
from suppliers.models import Delivery, Endpoint, Supplier, SupplierOrder, SupplierReply

log = logging.getLogger("suppliers")

_OVER = "Its file is being handed over or is with the supplier already; tell {} directly."


def hold_order(*, order: Order, reason: str, by: Any) -> Order:
    """Hold an order and every file of it that can still be stopped. Raises Refused."""
    with transaction.atomic():
        order = services.hold(order=order, reason=reason, by=by)
        _refuse_if_over(order)
        for part in _unsent(order):
            if not parts.stop(part):
                timeline.record(order, "too_late", _OVER.format(part.supplier), reference=part.reference)
        return order


def release_order(*, order: Order, reason: str, by: Any) -> Order:
    """Let a held order go on; its files follow within seconds. Raises Refused."""
    return services.release(order=order, reason=reason, by=by)


def cancel_order(*, order: Order, reason: str, by: Any) -> Order:
    """Cancel an order and every file of it that can still be stopped. Raises Refused."""
    with transaction.atomic():
        order = services.cancel(order=order, reason=reason, by=by)
        _refuse_if_over(order)
        for part in _unsent(order):
            parts.cancel(part, reason, by=by)
        return order


def route_again(*, order: Order, by: Any) -> Order:
    """Ask the rules again for the lines that nobody has. Raises Refused."""
    return services.route_again(order=order, by=by)


def send_to_supplier(*, order: Order, lines: Iterable[OrderLine], supplier: Supplier, by: Any) -> SupplierOrder:
    """Give lines to a supplier by hand, whatever the rules say. Raises Refused."""
    with transaction.atomic():
        order, supplier = settlement.locked(order.pk), Supplier.objects.get(pk=supplier.pk)
        if order.state != Order.State.READY:
            raise Refused(f"The order does not go out: {order.state_reason}")
        if supplier.is_live == order.is_test:
            kind = "test" if order.is_test else "real"
            raise Refused(f"This is a {kind} order, and {supplier} is {supplier.get_mode_display()}")
        wanted = order.lines.filter(pk__in=[line.pk for line in lines], sendable__gt=0)
        free = list(wanted.exclude(allocations__is_live=True))
        if not free:
            raise Refused("None of these lines is free: each is with a supplier, fulfilled or removed.")
        part = parts.allocate(order, supplier, free, by=by)
        settlement.settle(order)
        return part


def hold(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Hold one supplier's part. Raises Refused when its file can no longer be stopped."""
    with transaction.atomic():
        part = _locked(supplier_order)
        if part.held_at:
            raise Refused("This part is on hold already.")
        if part.status not in SupplierOrder.UNSENT or not parts.stop(part):
            raise Refused(_OVER.format(part.supplier))
        part.held_at, part.hold_reason = timezone.now(), _reason(reason)
        part.save(update_fields=["held_at", "hold_reason"])
        timeline.record(part.order, "part_held", f"Put on hold: {part.hold_reason}", part.reference, by)
        return part


def release(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Let a held part go on. Raises Refused."""
    with transaction.atomic():
        part = _locked(supplier_order)
        if not part.held_at:
            raise Refused("This part is not on hold.")
        text = f"Released from hold: {_reason(reason)}"
        part.held_at, part.hold_reason = None, ""
        part.save(update_fields=["held_at", "hold_reason"])
        if part.order.state == Order.State.READY:
            parts.let_go(part)
        timeline.record(part.order, "part_released", text, part.reference, by)
        return part


def cancel(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Cancel one supplier's unsent or rejected part; its lines are free to be sent elsewhere. Raises Refused."""
    with transaction.atomic():
        part = _locked(supplier_order)
        lines = list(OrderLine.objects.filter(allocations__supplier_order=part, allocations__is_live=True))
        if not parts.cancel(part, _reason(reason), by=by):
            raise Refused(_OVER.format(part.supplier))
        OrderLine.objects.filter(pk__in=[line.pk for line in lines]).update(
            routing=OrderLine.Routing.WITHDRAWN, routing_note=f"Taken back from {part.supplier}. Send it by hand."
        )
        settlement.settle(part.order)
        return part


def deal_with(*, supplier_order: SupplierOrder, reason: str, by: Any) -> SupplierOrder:
    """Take a part off “needs attention” once a person has seen to it. Raises Refused."""
    with transaction.atomic():
        part = _locked(supplier_order)
        if not part.attention or part.status == SupplierOrder.Status.BLOCKED:
            raise Refused("There is nothing here that a word could settle.")
        text = f"Dealt with: {_reason(reason)} (It was: {part.attention})"
        _clear_attention(part)
        timeline.record(part.order, "dealt_with", text, part.reference, by)
        return part


def make_document_again(*, supplier_order: SupplierOrder, by: Any) -> SupplierOrder:
    """Try again to make a document that could not be made. Raises Refused."""
    with transaction.atomic():
        part = _locked(supplier_order)
        if part.status != SupplierOrder.Status.BLOCKED:
            raise Refused("The document was made; there is nothing to try again.")
        parts.ask_for_document(part)
        timeline.record(part.order, "document_again", "Document asked for again.", part.reference, by)
        return part


def retry_now(*, delivery: Delivery, by: Any) -> Delivery:
    """Try a waiting or given-up delivery now; its step stays, so a look decides what is left to do. Raises Refused."""
    with transaction.atomic():
        part = _locked(delivery.supplier_order)
        rows = Delivery.objects.filter(pk=delivery.pk, status__in=Delivery.RETRYABLE, is_held=False, redacted_at=None)
        if reason := waiting.reason(Delivery.objects.defer("document").get(pk=delivery.pk)):
            raise Refused(reason)
        if not rows.update(status=Delivery.Status.DUE, attempts=0, next_attempt_at=timezone.now()):
            raise Refused("Only a file that is waiting or given up, and not on hold, can be tried again.")
        Endpoint.objects.filter(pk=delivery.endpoint_id).update(next_attempt_at=timezone.now())
        _clear_attention(part)
        timeline.record(part.order, "retry", f"{delivery.final_name} to be tried again now.", part.reference, by)
        queue.kick("suppliers.deliver", delivery.endpoint_id)
        return Delivery.objects.get(pk=delivery.pk)


def settle_uncertain(*, delivery: Delivery, was_sent: bool, reason: str, by: Any) -> Delivery:
    """Settle by a person's word whether an uncertain file arrived: sent, or to be sent again. Raises Refused."""
    with transaction.atomic():
        part = _locked(delivery.supplier_order)
        now = timezone.now()
        outcome = (
            {"status": Delivery.Status.SENT, "step": Delivery.Step.SENT, "sent_at": now}
            if was_sent
            else {"status": Delivery.Status.DUE, "step": Delivery.Step.UPLOADING, "attempts": 0, "next_attempt_at": now}
        )
        text = _reason(reason)
        uncertain = Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.UNCERTAIN, redacted_at=None)
        if not uncertain.update(**outcome, claim_token="", lease_until=None):
            raise Refused("This delivery is not uncertain.")
        if was_sent:
            SupplierOrder.objects.filter(pk=part.pk, status=SupplierOrder.Status.READY).update(
                status=SupplierOrder.Status.SENT, sent_at=now
            )
        _clear_attention(part)
        word = "was sent" if was_sent else "is to be sent again"
        timeline.record(part.order, "settled", f"{delivery.final_name} {word}: {text}", part.reference, by)
        queue.kick("suppliers.deliver", delivery.endpoint_id)
        return Delivery.objects.get(pk=delivery.pk)


def read_again(*, reply: SupplierReply, by: Any) -> SupplierReply:
    """Read a reply again that could not be read or matched. Raises Refused."""
    unread = [SupplierReply.Status.UNMATCHED, SupplierReply.Status.UNREADABLE]
    rows = SupplierReply.objects.filter(pk=reply.pk, status__in=unread, redacted_at=None)
    if not rows.update(status=SupplierReply.Status.NEW, attempts=0, next_attempt_at=timezone.now(), note=""):
        raise Refused("This reply was read and applied.")
    queue.kick("suppliers.apply_replies")
    return SupplierReply.objects.get(pk=reply.pk)


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
    text = _reason(reason)
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


def restart_endpoint(*, endpoint: Endpoint, by: Any) -> Endpoint:
    """Let a stopped endpoint try again, once what stopped it is mended. Raises Refused."""
    stopped = Endpoint.objects.filter(pk=endpoint.pk).exclude(stopped_at=None)
    if not stopped.update(stopped_at=None, stop_reason="", attempts=0, next_attempt_at=timezone.now()):
        raise Refused("The endpoint is not stopped.")
    log.info("endpoint.restarted", extra={"endpoint_id": endpoint.pk, "by": getattr(by, "pk", None)})
    queue.kick("suppliers.deliver", endpoint.pk)
    return Endpoint.objects.get(pk=endpoint.pk)


def _log(event: str, supplier: Supplier, by: Any) -> None:
    ids = {"supplier_id": supplier.pk, "endpoint_id": supplier.endpoint_id}
    log.info(event, extra={**ids, "by": getattr(by, "pk", None)})


def _set_mode(supplier: Supplier, mode: str, refusal: str) -> Supplier:
    if not Supplier.objects.filter(pk=supplier.pk).exclude(mode=mode).update(mode=mode):
        raise Refused(refusal)
    queue.kick("suppliers.deliver", supplier.endpoint_id)  # files of the one kind stay, those of the other go
    return Supplier.objects.get(pk=supplier.pk)


def why_over(order: Order) -> str:
    """Say why nothing of the order can be stopped any more; "" if something can."""
    live = order.supplier_orders.exclude(status=SupplierOrder.Status.CANCELLED)
    if not live.exists() or live.filter(status__in=SupplierOrder.CANCELLABLE).exists():
        return ""
    free = order.lines.filter(sendable__gt=0).exclude(allocations__is_live=True)
    is_over = not free.exclude(routing=OrderLine.Routing.SET_ASIDE).exists()
    return "Everything of this order is with its suppliers already; tell them directly." if is_over else ""


def _refuse_if_over(order: Order) -> None:
    if reason := why_over(order):
        raise Refused(reason)


def _unsent(order: Order) -> list[SupplierOrder]:
    return list(order.supplier_orders.filter(status__in=SupplierOrder.UNSENT).select_related("order", "supplier"))


def _locked(part: SupplierOrder) -> SupplierOrder:
    order = settlement.locked(part.order_id)
    fresh = SupplierOrder.objects.select_related("supplier").get(pk=part.pk)
    fresh.order = order
    return fresh


def _clear_attention(part: SupplierOrder) -> None:
    SupplierOrder.objects.filter(pk=part.pk).exclude(attention="").update(attention="")


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused("Give a reason; whoever looks at this next will want to know.")
    return text.strip()[:300]
