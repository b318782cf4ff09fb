"""Take an order as a store has it: one order by account and Shopify id, the newest state wins.

Events come in any order, twice and at once. All that is done under the order's lock, header and lines in one
transaction.
"""

from dataclasses import asdict, fields

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from integrations import redaction as webhook_redaction
from integrations.models import AccountShopify, WebhookEvent
from integrations.shopify import payloads
from orders import redaction, settlement, shipments, timeline
from orders.models import Order, OrderLine

# A value that turns empty is missing data (a redaction, a missing right), never a change of the order.
_KEPT_WHEN_EMPTIED = ("customer_id", "email", "phone", "customer_name", "shipping_address", "billing_address", "note")
_LINE_KEPT_WHEN_EMPTIED = ("sku", "variant_title", "vendor", "product_id", "variant_id", "properties", "product_type")


def take_event(event: WebhookEvent) -> None:
    """Take the order that a webhook brought. Raises payloads.PayloadError."""
    snapshot = payloads.parse_order(bytes(event.body))
    store(event.account, snapshot, event)


def store(account: AccountShopify, snapshot: payloads.OrderSnapshot, event: WebhookEvent | None = None) -> Order:
    """Create or update the order from a snapshot, work out its state and ask for its routing."""
    with transaction.atomic():
        order, snapshot, is_new = _get_or_create(account, snapshot, event)
        if is_new:
            timeline.record(order, "received", f"Received from {account.domain}{_by(event)}.")
            _write_lines(order, snapshot)
            settlement.settle(order)
        elif snapshot.shop_updated_at < order.shop_updated_at:
            _drop_latches(order, snapshot)
        elif snapshot.content_hash != order.content_hash:
            _take_newer(order, snapshot, event)
        if order.redacted_at and event:
            webhook_redaction.strip(event)
        return order


def take_answer(order: Order, snapshot: payloads.OrderSnapshot) -> None:
    """Take the locked order's state as the store itself answered it, unless a newer one came meanwhile."""
    snapshot = _permitted(order, snapshot)
    if snapshot.shop_updated_at < order.shop_updated_at:
        _drop_latches(order, snapshot)
    elif snapshot.content_hash != order.content_hash:
        _write_header(order, snapshot, None)
        _write_lines(order, snapshot)
        timeline.record(order, "changed", "Changed in the store (read from Shopify).")
        shipments.look_again(order)


def _get_or_create(
    account: AccountShopify, snapshot: payloads.OrderSnapshot, event: WebhookEvent | None
) -> tuple[Order, payloads.OrderSnapshot, bool]:
    """Return the locked order, and what of the snapshot may be stored: never a person whose data was redacted."""
    rows = Order.objects.filter(account=account, shopify_id=snapshot.shopify_id)
    pk, is_new = rows.values_list("pk", flat=True).first(), False
    if pk is None:
        is_redacted = redaction.is_covered(account, snapshot)
        stored = snapshot.without_person() if is_redacted else snapshot
        more = {"event": event, "redacted_at": timezone.now() if is_redacted else None}
        order, is_new = rows.get_or_create(
            account=account, shopify_id=snapshot.shopify_id, defaults={**_header(stored), **more}
        )
        pk = order.pk
    order = settlement.locked(pk)
    return order, _permitted(order, snapshot), is_new


def _permitted(order: Order, snapshot: payloads.OrderSnapshot) -> payloads.OrderSnapshot:
    return snapshot.without_person() if order.redacted_at else snapshot


def _header(snapshot: payloads.OrderSnapshot) -> dict[str, object]:
    values = asdict(snapshot)
    for name in ("lines", "is_paid", "shopify_id"):
        del values[name]
    return {
        **values,
        "paid_at": snapshot.shop_updated_at if snapshot.is_paid else None,
        "content_hash": snapshot.content_hash,
    }


def _take_newer(order: Order, snapshot: payloads.OrderSnapshot, event: WebhookEvent | None) -> None:
    is_tie = snapshot.shop_updated_at == order.shop_updated_at
    if is_tie and order.account.is_authorised:
        # Two states of the same moment: only the store knows which is the last. Routing waits for its answer.
        order.needs_reread = True
        order.save(update_fields=["needs_reread"])
        queue.kick("orders.reread")
    if is_tie and snapshot.content_hash < order.content_hash:
        _drop_latches(order, snapshot)  # until then: the same choice, whichever of the two came first
        return
    _write_header(order, snapshot, event)
    _write_lines(order, snapshot)
    timeline.record(order, "changed", f"Changed in the store{_by(event)}.")
    shipments.look_again(order)
    settlement.settle(order)


def _write_header(order: Order, snapshot: payloads.OrderSnapshot, event: WebhookEvent | None) -> None:
    header = _header(snapshot)
    for name in _KEPT_WHEN_EMPTIED:
        header[name] = header[name] or getattr(order, name)
    header["paid_at"] = order.paid_at or header["paid_at"]
    header["cancelled_at"] = order.cancelled_at or header["cancelled_at"]
    for name, value in header.items():
        setattr(order, name, value)
    order.event = event or order.event
    order.save(update_fields=[*header, "event"])


def _write_lines(order: Order, snapshot: payloads.OrderSnapshot) -> None:
    known = {line.shopify_id: line for line in order.lines.all()}
    fresh, changed = [], []
    for taken in snapshot.lines:
        values = asdict(taken)
        line = known.pop(taken.shopify_id, None)
        if line is None:
            fresh.append(OrderLine(order=order, **values))
            continue
        for name in _LINE_KEPT_WHEN_EMPTIED:
            values[name] = values[name] or getattr(line, name)
        for name, value in values.items():
            setattr(line, name, value)
        changed.append(line)
    for line in known.values():  # gone from the order: kept, with nothing left to send
        line.current = line.sendable = 0
        changed.append(line)
    OrderLine.objects.bulk_create(fresh)
    if changed:
        OrderLine.objects.bulk_update(changed, [field.name for field in fields(payloads.LineSnapshot)])


def _drop_latches(order: Order, snapshot: payloads.OrderSnapshot) -> None:
    """Let an older state say no more than that the order was paid, or was cancelled."""
    paid_at = order.paid_at or (snapshot.shop_updated_at if snapshot.is_paid else None)
    cancelled_at = order.cancelled_at or snapshot.cancelled_at
    if (paid_at, cancelled_at) == (order.paid_at, order.cancelled_at):
        return
    order.paid_at, order.cancelled_at = paid_at, cancelled_at
    settlement.settle(order, "paid_at", "cancelled_at")


def _by(event: WebhookEvent | None) -> str:
    return f" ({event.topic})" if event else ""
