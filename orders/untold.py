"""Tell staff of shipments that a store was not told of, gathered by account, and take it back when none is left."""

import logging
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations import alerts
from integrations.models import AccountShopify, StaffAlert
from orders import shipments
from orders.models import Fulfilment, Shipment

log = logging.getLogger("orders")

ALERT = "shipments_blocked"
NAMED = 20  # shipments in one mail
TRY_EVERY = timedelta(hours=1)  # the webhook that says that a hold was released may be lost
TRIED = 200  # at a time
_BLOCKED = Q(status=Shipment.Status.BLOCKED)
_STANDS = _BLOCKED | Q(status=Shipment.Status.WAITING) & ~Q(note="")  # blocked, or just being tried again


def tell() -> int:
    """Raise one alert for each account with blocked shipments, clear those that are over; return how many there are."""
    rows = Shipment.objects.filter(_BLOCKED)
    accounts = AccountShopify.objects.filter(pk__in=rows.order_by().values("order__account"))
    told = _open_alerts()
    for account in accounts:
        if str(account.pk) not in told:
            _alert(account, rows.filter(order__account=account).order_by("pk"))
    _clear(told)
    _try_again(rows)
    return len(accounts)


def _alert(account: AccountShopify, rows: QuerySet[Shipment]) -> None:
    count = rows.count()
    named = "\n".join(f"{row.reference}, shipment {row.despatch}: {row.note}" for row in rows[:NAMED])
    more = f"\n… and {count - NAMED} more." if count > NAMED else ""
    alerts.raise_alert(
        ALERT,
        account.pk,
        f"{account.domain} was not told of {count} {'shipment' if count == 1 else 'shipments'}",
        f"Suppliers have shipped, and the store does not show it:\n\n{named}{more}\n\nThe list “Shipments”, filtered "
        "by “Needs a person”, shows all of them; those that follow are not mailed one by one.",
        over=f"Nothing stands against the shipments of {account.domain} any more.",
    )


def _clear(told: set[str]) -> None:
    standing = Shipment.objects.filter(_STANDS).order_by().values_list("order__account", flat=True).distinct()
    for key in told - {str(pk) for pk in standing}:
        alerts.clear_alert(ALERT, key)


def _try_again(rows: QuerySet[Shipment]) -> None:
    old = rows.filter(next_attempt_at__lte=timezone.now() - TRY_EVERY).order_by("next_attempt_at")
    clear = old.exclude(fulfilments__status=Fulfilment.Status.UNCERTAIN).values_list("pk", flat=True)[:TRIED]
    if count := shipments.try_again(Shipment.objects.filter(_BLOCKED, pk__in=list(clear))):
        log.info("shipments.tried_again", extra={"count": count})


def _open_alerts() -> set[str]:
    return set(StaffAlert.objects.filter(kind=ALERT, cleared_at=None).values_list("key", flat=True))
