"""The ledger of what was redacted, ids only: asked before an unknown order is stored, applied after a restore."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from integrations.models import AccountShopify, Redaction
from integrations.subjects import Subject


def write(subject: Subject, order_ids: frozenset[int]) -> None:
    """Note the store, or the customer and each of its orders; what is asked again moves the time on."""
    customer_id = subject.customer_id or 0
    Redaction.objects.update_or_create(
        shop_name=subject.account.shop_name,
        customer_id=customer_id,
        shopify_order_id=0,
        defaults={"at": subject.asked_at},
    )
    rows = [
        Redaction(shop_name=subject.account.shop_name, customer_id=customer_id, shopify_order_id=order_id)
        for order_id in sorted(order_ids)
        if not subject.is_store
    ]
    Redaction.objects.bulk_create(rows, ignore_conflicts=True)


def covers(account: AccountShopify, order_id: int, customer_id: int | None, placed_at: datetime) -> bool:
    """Tell whether an order must be stored without its customer's data.

    An order that a customer places after its redaction is a new one.
    """
    earlier = Q(shopify_order_id=0, at__gte=placed_at)
    rows = Redaction.objects.filter(shop_name__in=[account.shop_name, *account.former_names])
    by_customer = Q(customer_id=customer_id) & earlier if customer_id else Q()
    return rows.filter(Q(shopify_order_id=order_id) | Q(customer_id=0) & earlier | by_customer).exists()


def subjects() -> list[Subject]:
    """Return whose data was redacted, as far as their store is known here."""
    found: dict[tuple[str, int], list[Redaction]] = {}
    for row in Redaction.objects.all():
        found.setdefault((row.shop_name, row.customer_id), []).append(row)
    accounts = {name: account for account in AccountShopify.objects.all() for name in _names(account)}
    return [
        _subject(accounts[shop_name], customer_id, rows)
        for (shop_name, customer_id), rows in found.items()
        if shop_name in accounts
    ]


def dump() -> list[dict[str, Any]]:
    """Return the ledger as plain values, for a file that outlives a restore."""
    names = ("shop_name", "customer_id", "shopify_order_id", "at")
    return [{**row, "at": row["at"].isoformat()} for row in Redaction.objects.values(*names)]


def load(rows: list[dict[str, Any]]) -> None:
    """Add what a saved ledger names and this one does not. Raises ValueError, TypeError or KeyError."""
    found = [
        Redaction(
            shop_name=str(row["shop_name"]),
            customer_id=int(row["customer_id"]),
            shopify_order_id=int(row["shopify_order_id"]),
            at=datetime.fromisoformat(row["at"]),
        )
        for row in rows
    ]
    Redaction.objects.bulk_create(found, ignore_conflicts=True)


def _names(account: AccountShopify) -> list[str]:
    return [account.shop_name, *account.former_names]


def _subject(account: AccountShopify, customer_id: int, rows: list[Redaction]) -> Subject:
    asked_at = max((row.at for row in rows if not row.shopify_order_id), default=timezone.now())
    order_ids = tuple(row.shopify_order_id for row in rows if row.shopify_order_id)
    return Subject(account, asked_at, customer_id or None, order_ids)
