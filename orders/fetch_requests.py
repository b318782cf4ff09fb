"""What a person may ask of a store's orders: those of a range of days, or those that are missing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline
from integrations.models import AccountShopify
from orders import completeness, reachable, visibility
from orders.models import CompletenessDay, OrderFetch
from orders.services import Refused


@dataclass(frozen=True)
class Range:
    """The orders placed or changed since `since`, of them those placed before `until` if it is given."""

    since: datetime
    until: datetime | None = None


why_not_fetch = reachable.why_not


def why_not_recover(account: AccountShopify) -> str:
    """Return why nothing can be recovered, in one sentence; blank if something can."""
    if reason := why_not_fetch(account):
        return reason
    if not _missing(account):
        return "Nothing is missing: every order that the store has was stored."
    return ""


def fetch_range(*, account: AccountShopify, wanted: Range, by: Any) -> OrderFetch:
    """Ask for the orders of a range to be fetched by a worker. Raises Refused."""
    if reason := why_not_fetch(account):
        raise Refused(reason)
    if wanted.until and wanted.until <= wanted.since:
        raise Refused("The end of the range must be after its beginning.")
    if wanted.since > timezone.now():
        raise Refused("The range lies in the future.")
    hidden = visibility.limit(account, wanted.since)
    oldest = visibility.seen_from(account)
    if hidden and oldest and wanted.until and wanted.until <= oldest:
        raise Refused(f"Nothing of this range can be seen. {hidden}")
    fetch = OrderFetch.objects.create(
        account=account, since=wanted.since, until=wanted.until, note=hidden, made_by=_user(by)
    )
    until = f" until {wanted.until:%Y-%m-%d %H:%M}" if wanted.until else ""
    _asked(fetch, f"Orders from {wanted.since:%Y-%m-%d %H:%M}{until} (UTC) are fetched.", by)
    return fetch


def recover(*, account: AccountShopify, by: Any) -> OrderFetch:
    """Ask for the orders that the store has and Hemi has not. Raises Refused."""
    if reason := why_not_recover(account):
        raise Refused(reason)
    fetch = OrderFetch.objects.create(account=account, wanted=_missing(account), made_by=_user(by))
    _asked(fetch, f"{len(fetch.wanted)} missing orders are fetched.", by)
    return fetch


def _missing(account: AccountShopify) -> list[int]:
    rows = CompletenessDay.objects.filter(account=account, day__gte=completeness.first_day())
    days = rows.exclude(missing=[]).order_by("day")
    return [row["id"] for missing in days.values_list("missing", flat=True) for row in missing]


def _asked(fetch: OrderFetch, text: str, by: Any) -> None:
    account_timeline.record(fetch.account, "orders_asked", text, actor=_user(by))
    queue.kick("orders.fetch")


def _user(by: Any) -> Any:
    return by if getattr(by, "pk", None) else None
