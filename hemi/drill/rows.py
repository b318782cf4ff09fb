"""The rows that the drill starts from, and what it reads of those that come of them."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from hemi.drill import shop
from integrations.models import AccountShopify, Integration, IntegrationCredentials
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, RoutingRule, Supplier

CONNECT_SECONDS, DATA_SECONDS = 3, 6  # a lease is the first and twice the second


def make_store() -> str:
    """Make a connected store; return the path that its webhooks go to."""
    integration = Integration.objects.create(name="Drill")
    IntegrationCredentials.objects.create(integration=integration, client_id="drill", client_secret=shop.SECRET)
    account = AccountShopify.objects.create(
        shop_name=shop.SHOP, integration=integration, orders_from=datetime(2020, 1, 1, tzinfo=UTC)
    )
    return f"/shopify/webhooks/{account.uuid}/"


def make_supplier(number: int, vendor: str, access: dict[str, Any], **values: Any) -> Supplier:
    """Make a live supplier of one vendor, whose endpoint is a server of its own."""
    where = {
        "protocol": access["protocol"],
        "host": access["host"],
        "port": access["port"],
        "username": access["user"],
        "password": access["password"] if not access["private_key"] else "",
        "private_key": access["private_key"],
        "host_identity": access["identity"],
    }
    limits: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "data_timeout": DATA_SECONDS, "replies_folder": ""}
    limits["next_check_at"] = timezone.now() + timedelta(days=1)  # a check's own commands would meet the fault
    endpoint = Endpoint.objects.create(name=vendor, **{**where, **limits, **values})
    supplier = Supplier.objects.create(name=vendor, code=f"D{number}", endpoint=endpoint, mode=Supplier.Mode.LIVE)
    RoutingRule.objects.create(priority=50, vendor=vendor, supplier=supplier)
    return supplier


def deliveries(suppliers: Iterable[Supplier]) -> dict[int, Counter[str]]:
    """Count each supplier's deliveries by status."""
    found: dict[int, Counter[str]] = {supplier.pk: Counter() for supplier in suppliers}
    rows = Delivery.objects.filter(supplier_order__supplier__in=found)
    for supplier_id, status in rows.values_list("supplier_order__supplier_id", "status"):
        found[supplier_id][status] += 1
    return found


def steps(supplier: Supplier) -> list[str]:
    """Return which steps are recorded of a supplier's deliveries that are on their way, oldest first."""
    rows = Delivery.objects.filter(supplier_order__supplier=supplier).order_by("pk")
    return [step or "claimed" for step, token in rows.values_list("step", "claim_token") if token or step]


def last_sent_at(supplier: Supplier) -> float:
    """Return when the last of a supplier's files was sent, in seconds since the epoch; 0 if none was."""
    last = Delivery.objects.filter(supplier_order__supplier=supplier).aggregate(last=Max("sent_at"))["last"]
    return last.timestamp() if last else 0.0


def attempts(supplier: Supplier) -> int:
    """Count the attempts that a supplier's files took."""
    return DeliveryAttempt.objects.filter(delivery__supplier_order__supplier=supplier).count()
