"""Rows for the tests of suppliers, made directly and with as little as each needs."""

import hashlib
import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.models import AccountShopify
from orders.models import Order
from suppliers.models import Delivery, DeliveryDocument, Endpoint, Supplier, SupplierOrder, SupplierReply

_numbers = itertools.count(1)


def endpoint(server: Any = None, **values: Any) -> Endpoint:
    """Make an endpoint; `server` is a file server of the sandbox, or a real one."""
    number = next(_numbers)
    where = {
        "protocol": "ftp",
        "host": "127.0.0.1",
        "port": 9,
        "username": f"user-{number}",
        "password": "right-password",
    }
    if server:
        where.update(host=server.host, port=server.port, username=server.user, password=server.password)
        where.update(protocol=server.protocol, host_identity=server.identity)
    where.update(connect_timeout=2, data_timeout=2, next_poll_at=timezone.now())
    return Endpoint.objects.create(**{"name": f"Endpoint {number}", **where, **values})


def supplier(**values: Any) -> Supplier:
    """Make a live supplier, with an endpoint of its own unless one is given."""
    number = next(_numbers)
    values.setdefault("endpoint", None)
    values["endpoint"] = values["endpoint"] or endpoint()
    defaults = {"name": f"Supplier {number}", "code": f"SUP{number}", "mode": Supplier.Mode.LIVE}
    return Supplier.objects.create(**{**defaults, **values})


def order(**values: Any) -> Order:
    """Make an order that goes out, of an account of its own unless one is given."""
    number = next(_numbers)
    account = values.pop("account", None) or AccountShopify.objects.create(shop_name=f"shop-{number}")
    amounts = dict.fromkeys(("total", "total_tax", "total_discount", "total_shipping"), 0)
    now = timezone.now()
    defaults = {"shopify_id": number, "number": f"#{number}", "placed_at": now, "shop_updated_at": now}
    return Order.objects.create(**{"account": account, "currency": "EUR", **amounts, **defaults, **values})


def part(supplier: Supplier, **values: Any) -> SupplierOrder:
    """Make a supplier's part of an order, its document being ready."""
    values["order"] = values.get("order") or order()
    defaults = {"reference": f"HM{next(_numbers):06d}-{supplier.code}-1", "status": SupplierOrder.Status.READY}
    return SupplierOrder.objects.create(supplier=supplier, **{**defaults, **values})


def delivery(supplier: Supplier, *, content: bytes = b"", **values: Any) -> Delivery:
    """Make a delivery that is due."""
    owner = values.pop("supplier_order", None) or part(supplier)
    content = content or f"<Order>{owner.reference}</Order>".encode() * 10
    frozen = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    where = {"endpoint": supplier.endpoint, "folder": "in", "final_name": f"ORDER_{owner.reference}.xml"}
    row = Delivery.objects.create(supplier_order=owner, **{**frozen, **where, **values})
    DeliveryDocument.objects.create(delivery=row, content=content)
    return row


def let_time_pass() -> None:
    """Move the clock: every lease has run out and everything that waits is due."""
    past = timezone.now() - timedelta(seconds=1)
    for model in (Endpoint, Delivery, SupplierReply):
        model.objects.update(next_attempt_at=past)
        model.objects.exclude(lease_until=None).update(lease_until=past)
    Endpoint.objects.update(next_poll_at=past)


def killed(row: Delivery, **values: Any) -> Delivery:
    """Leave `row` as a worker that died left it: claimed, its lease run out."""
    past = timezone.now() - timedelta(seconds=1)
    left = {"claim_token": "dead" * 8, "lease_until": past, "attempts": 1, "first_claimed_at": past}
    Delivery.objects.filter(pk=row.pk).update(**{**left, **values})
    row.refresh_from_db()
    return row
