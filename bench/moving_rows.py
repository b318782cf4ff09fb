"""Inside an installation: orders by the thousand, each with all that it leaves behind on its way."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.db.models import Max

from integrations.models import AccountShopify, WebhookEvent
from orders.models import Fulfilment, Order, OrderEvent, OrderLine, Shipment
from suppliers.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryContent,
    DeliveryDocument,
    Endpoint,
    ReplyStatement,
    Supplier,
    SupplierOrder,
    SupplierOrderLine,
    SupplierReply,
)

BATCH = 500
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_PADDING = "Ärmel, 100 % Größe: “ünïcode” 漢字 😀 " * 40


def answer(do: str, **question: Any) -> dict[str, Any]:
    """Make tables or orders."""
    if do == "prepare":
        call_command("migrate", interactive=False, verbosity=0)
        return {}
    make(question["count"])
    return {"orders": Order.objects.count()}


def make(count: int) -> None:
    """Make so many orders more."""
    account, _ = AccountShopify.objects.get_or_create(
        shop_name="moving", defaults={"access_token": "shpat_a-token", "orders_from": _BEGIN}
    )
    supplier = Supplier.objects.filter(code="MOVE").first() or _supplier()
    first = (Order.objects.aggregate(last=Max("shopify_id"))["last"] or 0) + 1
    for start in range(first, first + count, BATCH):
        with transaction.atomic():
            _make(account, supplier, range(start, min(start + BATCH, first + count)))


def _supplier() -> Supplier:
    endpoint = Endpoint.objects.create(name="Move", host="127.0.0.1", username="move", password="pass-word")
    return Supplier.objects.create(name="Move", code="MOVE", endpoint=endpoint)


def _make(account: AccountShopify, supplier: Supplier, numbers: range) -> None:
    orders = Order.objects.bulk_create(_order(account, number) for number in numbers)
    events = WebhookEvent.objects.bulk_create(_webhook(account, order) for order in orders)
    for order, event in zip(orders, events, strict=True):
        order.event = event
    Order.objects.bulk_update(orders, ["event"])
    lines = OrderLine.objects.bulk_create(_line(order, place) for order in orders for place in (1, 2))
    parts = SupplierOrder.objects.bulk_create(_part(order, supplier) for order in orders)
    of_order = {part.order_id: part for part in parts}
    SupplierOrderLine.objects.bulk_create(
        SupplierOrderLine(supplier_order=of_order[line.order_id], order_line=line, quantity=line.quantity)
        for line in lines
    )
    OrderEvent.objects.bulk_create(
        OrderEvent(order=order, at=order.placed_at, kind=kind, text=f"{kind} of {order.number}")
        for order in orders
        for kind in ("received", "routed", "sent")
    )
    _deliver(parts, supplier.endpoint)
    _reply(parts, supplier.endpoint)


def _deliver(parts: list[SupplierOrder], endpoint: Endpoint) -> None:
    files = [f"<Order>{part.reference}{_PADDING}</Order>".encode() for part in parts]
    rows = Delivery.objects.bulk_create(
        Delivery(
            supplier_order=part,
            endpoint=endpoint,
            folder="in",
            final_name=f"{part.reference}.xml",
            sha256=hashlib.sha256(file).hexdigest(),
            size=len(file),
            status="sent",
            step="sent",
            created_at=part.created_at,
            sent_at=part.sent_at,
        )
        for part, file in zip(parts, files, strict=True)
    )
    DeliveryDocument.objects.bulk_create(
        DeliveryDocument(delivery=row, content=file) for row, file in zip(rows, files, strict=True)
    )
    DeliveryContent.objects.bulk_create(
        DeliveryContent(delivery=row, content={"z": 1.50, "a": [1, None, {"ü": _PADDING[:50]}], "big": 10**20})
        for row in rows
    )
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(delivery=row, number=1, started_at=row.sent_at, ended_at=row.sent_at, outcome="sent")
        for row in rows
    )


def _reply(parts: list[SupplierOrder], endpoint: Endpoint) -> None:
    replies = SupplierReply.objects.bulk_create(
        SupplierReply(
            endpoint=endpoint,
            file_name=f"{part.reference}.reply.xml",
            sha256=hashlib.sha256(part.reference.encode()).hexdigest(),
            size=200,
            content=part.reference.encode() * 8,
            status="applied",
            supplier_order=part,
            received_at=part.sent_at,
        )
        for part in parts
    )
    ReplyStatement.objects.bulk_create(
        ReplyStatement(
            reply=reply, position=1, reference=reply.supplier_order.reference, status="applied", kind="shipped"
        )
        for reply in replies
    )
    shipments = Shipment.objects.bulk_create(
        Shipment(
            order_id=part.order_id,
            reference=part.reference,
            despatch="1",
            numbers=["1Z"],
            status="told",
            created_at=part.sent_at,
        )
        for part in parts
    )
    Fulfilment.objects.bulk_create(
        Fulfilment(shipment=shipment, fulfillment_order_id=shipment.pk, status="done") for shipment in shipments
    )


def _order(account: AccountShopify, number: int) -> Order:
    at = _BEGIN + timedelta(seconds=number * 7, microseconds=number % 1000)
    amounts = {name: Decimal(number) / 100 for name in ("total", "total_tax", "total_discount", "total_shipping")}
    address = {"name": f"Zoë Müller {number}", "address1": "Straße 1", "city": "Zürich", "zip": "8001"}
    return Order(
        account=account,
        shopify_id=number,
        number=f"#{number}",
        placed_at=at,
        shop_updated_at=at,
        stored_at=at,
        currency="EUR",
        customer_id=number % 5000,
        email=f"zoe{number}@example.com",
        customer_name=address["name"],
        shipping_address=address,
        billing_address=address if number % 2 else None,
        content_hash=hashlib.sha256(str(number).encode()).hexdigest(),
        is_test=bool(number % 2),
        **amounts,
    )


def _webhook(account: AccountShopify, order: Order) -> WebhookEvent:
    body = json.dumps({"id": order.shopify_id, "email": order.email, "note": _PADDING}).encode()
    return WebhookEvent(
        account=account,
        webhook_id=f"w-{order.shopify_id}",
        topic="orders/create",
        body=body,
        status="done",
        received_at=order.placed_at,
    )


def _line(order: Order, place: int) -> OrderLine:
    amounts = dict.fromkeys(("price", "discount", "tax"), Decimal("19.99"))
    counts = dict.fromkeys(("quantity", "current", "sendable"), place)
    names = {"shopify_id": order.shopify_id * 10 + place, "sku": f"SKU-{place}", "title": f"Größe {place} 漢字"}
    return OrderLine(order=order, position=place, **names, **amounts, **counts)


def _part(order: Order, supplier: Supplier) -> SupplierOrder:
    return SupplierOrder(
        order=order,
        supplier=supplier,
        reference=f"HM{order.pk:06d}-MOVE-1",
        status="shipped",
        created_at=order.placed_at,
        sent_at=order.placed_at,
        replied_at=order.placed_at,
    )
