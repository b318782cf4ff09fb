"""The ledger of what was redacted, ids only: asked before an unknown order is stored, applied after a restore."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from hemi.lib.journal import Journal, Reading, read
from integrations.models import AccountShopify, Redaction
from integrations.subjects import Subject

_KIND = "redacted"
_NAMES = ("shop_name", "shopify_shop_id", "customer_id", "shopify_order_id", "at")
_files = Journal(settings.JOURNAL_DIR, _KIND, settings.JOURNAL_DAYS)


def write(subject: Subject, order_ids: frozenset[int]) -> None:
    """Note the store, or the customer and each of its orders; what is asked again moves the time on.

    The same is written outside the database, for a restore of an older backup. Raises OSError.
    """
    account = subject.account
    whose: dict[str, Any] = {"shop_name": account.shop_name, "customer_id": subject.customer_id or 0}
    shop: dict[str, Any] = {"shopify_shop_id": account.shopify_shop_id}
    Redaction.objects.update_or_create(**whose, shopify_order_id=0, defaults={"at": subject.asked_at, **shop})
    wanted = [] if subject.is_store else sorted(order_ids)
    rows = [Redaction(**whose, **shop, shopify_order_id=order_id) for order_id in wanted]
    Redaction.objects.bulk_create(rows, ignore_conflicts=True)
    ids = [0, *wanted]
    _files.append(
        {**whose, **shop, "shopify_order_id": number, "asked_at": subject.asked_at.isoformat()} for number in ids
    )


def covers(account: AccountShopify, order_id: int, customer_id: int | None, placed_at: datetime) -> bool:
    """Tell whether an order must be stored without its customer's data.

    An order that a customer places after its redaction is a new one.
    """
    earlier = Q(shopify_order_id=0, at__gte=placed_at)
    rows = Redaction.objects.filter(_of_store(account))
    by_customer = Q(customer_id=customer_id) & earlier if customer_id else Q()
    return rows.filter(Q(shopify_order_id=order_id) | Q(customer_id=0) & earlier | by_customer).exists()


def subjects() -> list[Subject]:
    """Return whose data was redacted, as far as their store is known here."""
    found: dict[tuple[AccountShopify, int], list[Redaction]] = {}
    for row, accounts in _placed():
        for account in accounts:
            found.setdefault((account, row.customer_id), []).append(row)
    return [_subject(account, customer_id, rows) for (account, customer_id), rows in found.items()]


def strangers() -> list[str]:
    """Return the stores that the ledger names and no account is of; what is theirs cannot be looked for."""
    return sorted({row.shop_name for row, accounts in _placed() if not accounts})


def dump() -> list[dict[str, Any]]:
    """Return the ledger as plain values, for a file that outlives a restore."""
    return [{**row, "at": row["at"].isoformat()} for row in Redaction.objects.values(*_NAMES)]


def written(folders: Iterable[Path], since: datetime) -> list[dict[str, Any]]:
    """Return what was redacted since then, from the journal that outlives the database."""
    return [{**line, "at": line["asked_at"]} for line in read(folders, _KIND, since, Reading())]


def load(rows: list[dict[str, Any]]) -> None:
    """Add what a saved ledger names and this one does not; what was asked again later moves the time on.

    Raises ValueError, TypeError, KeyError or AttributeError.
    """
    found: dict[tuple[str, int, int], Redaction] = {}
    for row in [*rows, *dump()]:
        entry = _entry(row)
        whose = (entry.shop_name, entry.customer_id, entry.shopify_order_id)
        if whose not in found or found[whose].at < entry.at:
            found[whose] = entry
    Redaction.objects.bulk_create(
        found.values(),
        batch_size=500,
        update_conflicts=True,
        unique_fields=["shop_name", "customer_id", "shopify_order_id"],
        update_fields=["at"],
    )


def _entry(row: dict[str, Any]) -> Redaction:
    return Redaction(
        shop_name=str(row["shop_name"]),
        shopify_shop_id=int(row["shopify_shop_id"]) if row.get("shopify_shop_id") else None,
        customer_id=int(row["customer_id"]),
        shopify_order_id=int(row["shopify_order_id"]),
        at=datetime.fromisoformat(row["at"]),
    )


def _of_store(account: AccountShopify) -> Q:
    named = Q(shop_name__in=account.names)
    if account.shopify_shop_id is None:
        return named
    # A name may have become another store's; the id stays.
    return Q(shopify_shop_id=account.shopify_shop_id) | named & Q(shopify_shop_id=None)


def _placed() -> Iterator[tuple[Redaction, list[AccountShopify]]]:
    """Return each row with the accounts of its store: by its id, or as long as one of the two is unknown, by name."""
    by_id: dict[int | None, list[AccountShopify]] = {}
    by_name: dict[str, list[AccountShopify]] = {}
    for account in AccountShopify.objects.all():
        by_id.setdefault(account.shopify_shop_id, []).append(account)
        for name in account.names:
            by_name.setdefault(name, []).append(account)
    for row in Redaction.objects.all():
        named = by_name.get(row.shop_name, [])
        if row.shopify_shop_id is None:
            yield row, named
        else:
            nameless = [account for account in named if account.shopify_shop_id is None]
            yield row, by_id.get(row.shopify_shop_id, []) + nameless


def _subject(account: AccountShopify, customer_id: int, rows: list[Redaction]) -> Subject:
    asked_at = max((row.at for row in rows if not row.shopify_order_id), default=timezone.now())
    order_ids = tuple(row.shopify_order_id for row in rows if row.shopify_order_id)
    return Subject(account, asked_at, customer_id or None, order_ids)
