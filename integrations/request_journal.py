"""Privacy requests, ids only, outside the database: a store sends each once, and a backup does not know the latest."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from hemi.lib.journal import Journal, Reading, read
from hemi.lib.journal_files import Line
from integrations.models import AccountShopify, PrivacyRequest

_KIND = "asked"
_files = Journal(settings.JOURNAL_DIR, _KIND, settings.JOURNAL_DAYS)


def write(request: PrivacyRequest, shopify_shop_id: int | None) -> None:
    """Note a request that came in. Raises OSError."""
    names = ("kind", "shop_name", "customer_id", "order_ids", "request_id")
    times = {name: getattr(request, name).isoformat() for name in ("received_at", "due_at")}
    _files.append([{**{name: getattr(request, name) for name in names}, **times, "shopify_shop_id": shopify_shop_id}])


def load(folders: Iterable[Path], since: datetime) -> int:
    """Make the requests that came since then and are not here; return how many."""
    return sum(_load(line) for line in read(folders, _KIND, since, Reading()))


def _load(line: Line) -> bool:
    account = _account(line)
    if account is None:  # nothing of its store is here
        return False
    wish: dict[str, Any] = {name: line[name] for name in ("kind", "customer_id")}
    wish["received_at"] = datetime.fromisoformat(line["received_at"])
    if PrivacyRequest.objects.filter(**wish, shop_name__in=account.names).exists():
        return False
    rest = {"order_ids": line["order_ids"], "request_id": line["request_id"]}
    PrivacyRequest.objects.create(
        **wish, **rest, shop_name=account.shop_name, due_at=datetime.fromisoformat(line["due_at"])
    )
    return True


def _account(line: Line) -> AccountShopify | None:
    if line["shopify_shop_id"]:
        rows = AccountShopify.objects.filter(shopify_shop_id=line["shopify_shop_id"])
        if found := rows.order_by("pk").first():
            return found
    return next((account for account in AccountShopify.objects.all() if line["shop_name"] in account.names), None)
