"""A store with an order, and shipments of it as suppliers tell them."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from orders import fulfilments, intake, settlement, shipments
from orders.models import Fulfilment, Order, Shipment

SCOPES = ["read_orders", "read_products", "read_customers", "write_merchant_managed_fulfillment_orders"]


def sold(account, store, pieces=None, **changes):
    """Let somebody buy in the store, so many of each line, and take the order; return it with the store's own copy."""
    body = store.place_order("test", announce=False, **changes)
    if pieces:
        counts = dict.fromkeys(["quantity", "current_quantity", "fulfillable_quantity"], pieces)
        body = store.update_order("test", body["id"], line_items=[line | counts for line in body["line_items"]])
    return intake.store(account, intake.payloads.from_resource(body)), body


def quantities(body, *counts):
    """Return pieces by line id; all of each line, or so many of them."""
    lines = body["line_items"]
    return {
        line["id"]: count for line, count in zip(lines, counts or [line["quantity"] for line in lines], strict=True)
    }


def ship(order, pieces, despatch="D-1", **tracking):
    """Record a despatch, as a reply does."""
    said = {"carrier": "dhl express", "numbers": ["JJD1"], "urls": []} | tracking
    with transaction.atomic():
        order = settlement.locked(order.pk)
        return shipments.record(order, reference=f"HM{order.pk}-A-1", despatch=despatch, quantities=pieces, **said)


def tell():
    """Call the runner; everything that waits is due, and what was called has had its time."""
    past = timezone.now() - timedelta(seconds=1)
    Shipment.objects.update(next_attempt_at=past)
    Shipment.objects.exclude(lease_until=None).update(lease_until=past)
    for row in Fulfilment.objects.filter(status=Fulfilment.Status.CALLING):
        assert row.called_at
        Fulfilment.objects.filter(pk=row.pk).update(called_at=row.called_at - fulfilments.SETTLED_AFTER)
    fulfilments.tell()


def in_store(store, order):
    """Return the order's fulfilments as the store has them: pieces by line id, and the tracking numbers."""
    rows = store.state.shops["test"].orders[order.shopify_id]["fulfillments"]
    return [({line["id"]: line["quantity"] for line in row["line_items"]}, row["tracking_numbers"]) for row in rows]


def state(shipment):
    """Return the shipment's state and note as they are now."""
    shipment.refresh_from_db()
    return shipment.status, shipment.note


def said(order, kind):
    """Return the sentences of one kind on the order's timeline."""
    return list(Order.objects.get(pk=order.pk).events.filter(kind=kind).values_list("text", flat=True))
