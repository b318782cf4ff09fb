"""Inside an installation: the rows of files that are due at a supplier's server."""

import hashlib
import uuid
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from integrations.models import AccountShopify
from orders.models import Order
from suppliers.models import Delivery, DeliveryDocument, Endpoint, Supplier, SupplierOrder

_AMOUNTS = dict.fromkeys(("total", "total_tax", "total_discount", "total_shipping"), Decimal())


def make(endpoint: Endpoint, folder: str, count: int, document: bytes, due_at: datetime | None = None) -> None:
    """Make so many orders that are ready to go to the endpoint's supplier, and their files."""
    supplier, _ = Supplier.objects.get_or_create(
        code=f"S{endpoint.pk:03d}", defaults={"name": endpoint.name, "endpoint": endpoint, "mode": Supplier.Mode.LIVE}
    )
    orders = _orders(count)
    ready = SupplierOrder.Status.READY
    parts = SupplierOrder.objects.bulk_create(
        [
            SupplierOrder(order=order, supplier=supplier, reference=f"HM{uuid.uuid4().hex}", status=ready)
            for order in orders
        ],
        batch_size=500,
    )
    frozen = {"sha256": hashlib.sha256(document).hexdigest(), "size": len(document)}
    where = {"endpoint": endpoint, "folder": folder, "next_attempt_at": due_at or timezone.now()}
    deliveries = Delivery.objects.bulk_create(
        [Delivery(supplier_order=part, final_name=f"ORDER_{part.reference}.xml", **where, **frozen) for part in parts],
        batch_size=500,
    )
    DeliveryDocument.objects.bulk_create(
        [DeliveryDocument(delivery=delivery, content=document) for delivery in deliveries], batch_size=50
    )
    with connection.cursor() as cursor:  # what autovacuum does within a minute; the files were due for longer
        cursor.execute("ANALYZE")


def _orders(count: int) -> list[Order]:
    account, _ = AccountShopify.objects.get_or_create(shop_name="bench")
    now, first = timezone.now(), Order.objects.count()
    return Order.objects.bulk_create(
        [
            Order(
                account=account,
                shopify_id=number,
                number=f"#{number}",
                state=Order.State.READY,
                currency="EUR",
                placed_at=now,
                shop_updated_at=now,
                **_AMOUNTS,
            )
            for number in range(first, first + count)
        ],
        batch_size=500,
    )
