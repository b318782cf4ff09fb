"""Inside an installation: the rows that a measurement starts from, and what it left behind."""

import itertools
import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command

from bench import bodies
from integrations.models import AccountShopify, Integration, IntegrationCredentials, WebhookEvent
from suppliers.models import Delivery, Endpoint, RoutingRule, Supplier


def answer(do: str, **question: Any) -> dict[str, Any]:
    """Call the function of this name."""
    functions: dict[str, Callable[..., dict[str, Any]]] = {"make": make, "count": count_webhooks, "hops": hops}
    return functions[do](**question)


def make(suppliers: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the tables, a connected store, and live suppliers with a rule for what each makes."""
    call_command("migrate", interactive=False, verbosity=0)
    integration = Integration.objects.create(name="Bench")
    IntegrationCredentials.objects.create(integration=integration, client_id="bench", client_secret=bodies.SECRET)
    account = AccountShopify.objects.create(
        shop_name=bodies.SHOP, integration=integration, orders_from=datetime(2020, 1, 1, tzinfo=UTC)
    )
    for values in suppliers:
        _supplier(**values)
    return {"path": f"/shopify/webhooks/{account.uuid}/"}


def count_webhooks() -> dict[str, Any]:
    """Count the webhooks that were stored."""
    return {"stored": WebhookEvent.objects.count()}


def hops() -> dict[str, Any]:
    """Return the median seconds from each row of an order's path to the next."""
    moments = (
        "supplier_order__order__event__received_at",
        "supplier_order__order__stored_at",
        "supplier_order__created_at",
        "created_at",
        "first_claimed_at",
        "sent_at",
    )
    rows: Iterable[Any] = Delivery.objects.filter(status=Delivery.Status.SENT).values_list(*moments)
    names = ("webhook to order", "order to part", "part to document", "document to upload", "upload to sent")
    waits = [[(b - a).total_seconds() for a, b in itertools.pairwise(row)] for row in rows if all(row)]
    return {name: statistics.median(column) for name, column in zip(names, zip(*waits, strict=True), strict=False)}


def _supplier(name: str, vendor: str, code: str, server: dict[str, Any]) -> None:
    endpoint = Endpoint.objects.create(name=name, protocol="ftp", **server)
    supplier = Supplier.objects.create(name=name, code=code, endpoint=endpoint, mode=Supplier.Mode.LIVE)
    RoutingRule.objects.create(priority=50, vendor=vendor, supplier=supplier)
