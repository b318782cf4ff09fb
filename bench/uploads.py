"""Inside an installation: bring files to a server, with and without keeping the session."""

import hashlib
import time
import uuid
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from integrations.models import AccountShopify
from orders.models import Order
from suppliers import connections, outbox
from suppliers.models import Delivery, Endpoint, Supplier, SupplierOrder
from suppliers.transports import opening
from suppliers.transports.session import Server, Session

DOCUMENT = b"<Order>" + b"x" * 2000 + b"</Order>"


def answer(name: str, count: int, **server: Any) -> dict[str, float]:
    """Return the files per second of each way to bring them."""
    call_command("migrate", interactive=False, verbosity=0)
    endpoint, _ = Endpoint.objects.get_or_create(name=name, defaults={"replies_folder": "", **server})
    where, prefix = connections.server(endpoint), uuid.uuid4().hex
    return {
        "kept": over_kept_session(where, prefix, count),
        "fresh": with_fresh_logins(where, prefix, count),
        "outbox": through_outbox(endpoint, count),
    }


def over_kept_session(server: Server, prefix: str, count: int) -> float:
    """Bring `count` files over one session; its login counts too."""
    begin = time.perf_counter()
    session = opening.open_session(server)
    for number in range(count):
        _bring(session, f"in/{prefix}-kept-{number}.xml")
    session.close()
    return count / (time.perf_counter() - begin)


def with_fresh_logins(server: Server, prefix: str, count: int) -> float:
    """Bring `count` files, each over a session of its own."""
    begin = time.perf_counter()
    for number in range(count):
        session = opening.open_session(server)
        _bring(session, f"in/{prefix}-fresh-{number}.xml")
        session.close()
    return count / (time.perf_counter() - begin)


def through_outbox(endpoint: Endpoint, count: int) -> float:
    """Let the outbox bring `count` due deliveries, with all the rows that it reads and writes."""
    _make_due(endpoint, count)
    sent = Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.SENT)
    before = sent.count()
    begin = time.perf_counter()
    outbox.deliver(endpoint.pk)
    seconds = time.perf_counter() - begin
    if sent.count() - before != count:
        raise SystemExit(f"The outbox sent {sent.count() - before} of {count} files.")
    return count / seconds


def _bring(session: Session, path: str) -> None:
    # The same steps as suppliers/filedrop.py takes.
    temporary = f"{path}.0123456789ab.part"
    session.upload(temporary, DOCUMENT)
    if session.size(temporary) != len(DOCUMENT) or session.size(path) is not None:
        raise SystemExit(f"{path} did not arrive whole, or was there before.")
    session.rename(temporary, path)


def _make_due(endpoint: Endpoint, count: int) -> None:
    supplier, _ = Supplier.objects.get_or_create(
        code=f"S{endpoint.pk:03d}", defaults={"name": endpoint.name, "endpoint": endpoint, "mode": Supplier.Mode.LIVE}
    )
    account, _ = AccountShopify.objects.get_or_create(shop_name="bench")
    now, amounts = timezone.now(), dict.fromkeys(("total", "total_tax", "total_discount", "total_shipping"), 0)
    frozen = {"document": DOCUMENT, "sha256": hashlib.sha256(DOCUMENT).hexdigest(), "size": len(DOCUMENT)}
    first = Order.objects.count()
    for number in range(first, first + count):
        order = Order.objects.create(
            account=account,
            shopify_id=number,
            number=f"#{number}",
            state=Order.State.READY,
            currency="EUR",
            placed_at=now,
            shop_updated_at=now,
            **amounts,
        )
        reference = f"HM{uuid.uuid4().hex}"
        part = SupplierOrder.objects.create(
            order=order, supplier=supplier, reference=reference, status=SupplierOrder.Status.READY
        )
        where = {"endpoint": endpoint, "folder": "in", "final_name": f"ORDER_{reference}.xml"}
        Delivery.objects.create(supplier_order=part, **where, **frozen)
