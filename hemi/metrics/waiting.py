"""What waits, by kind: how many rows, and for how long the oldest. MOST rows of a kind are looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from integrations.models import (
    AccountShopify,
    CollectionExport,
    Disconnection,
    InstallLink,
    PrivacyRequest,
    StaffAlert,
    WebhookEvent,
)
from orders.models import Order, OrderFetch, Shipment
from orders.reachable import REACHABLE
from suppliers import due
from suppliers.models import EndpointCheck, SupplierOrder, SupplierReply

MOST = 1000  # a status is compared by "=": with "in" SQLite does not use an index of what is due


@dataclass(frozen=True)
class Kind:
    """Rows that wait, and since when: when they came, or where they may lie for days by right, when their turn came."""

    name: str
    rows: Callable[[], QuerySet]
    since: str = "next_attempt_at"


def _shipments() -> QuerySet:
    open_accounts = AccountShopify.objects.filter(REACHABLE, paused_at=None)
    return Shipment.objects.filter(status=Shipment.Status.WAITING, order__account__in=open_accounts)


def _codes() -> QuerySet:
    return InstallLink.objects.filter(status=InstallLink.Status.CODE_RECEIVED)


def _install_mails() -> QuerySet:
    return InstallLink.objects.filter(status=InstallLink.Status.OPEN, mail=InstallLink.Mail.DUE)


def _mails() -> QuerySet:
    # Without a mail server they wait by right, visible in the admin.
    waiting = StaffAlert.objects.filter(mailed_at=None, cleared_at=None)
    return waiting if settings.IS_MAIL_SET and settings.STAFF_ALERT_EMAILS else waiting.none()


WEBHOOKS = Kind("webhook", lambda: WebhookEvent.objects.filter(status=WebhookEvent.Status.NEW), "received_at")
KINDS = (
    WEBHOOKS,
    Kind("order", lambda: Order.objects.filter(needs_routing=True, needs_reread=False)),
    Kind("reread", lambda: Order.objects.filter(needs_reread=True)),
    Kind("document", lambda: SupplierOrder.objects.filter(status=SupplierOrder.Status.WAITING)),
    Kind("delivery", due.deliveries),
    Kind("reply", lambda: SupplierReply.objects.filter(status=SupplierReply.Status.NEW), "received_at"),
    Kind("shipment", _shipments),
    Kind("order_fetch", lambda: OrderFetch.objects.filter(status=OrderFetch.Status.WAITING)),
    Kind("collection_export", lambda: CollectionExport.objects.filter(status=CollectionExport.Status.WAITING)),
    Kind("endpoint_test", lambda: EndpointCheck.objects.filter(status=EndpointCheck.Status.WAITING), "created_at"),
    Kind("install_code", _codes, "used_at"),
    Kind("install_mail", _install_mails),
    Kind("disconnection", lambda: Disconnection.objects.filter(status=Disconnection.Status.WAITING)),
    Kind("staff_mail", _mails, "raised_at"),
    Kind("privacy_request", lambda: PrivacyRequest.objects.filter(status=PrivacyRequest.Status.WAITING), "received_at"),
)


def read() -> Iterator[tuple[str, int, float]]:
    """Yield each kind with its rows (MOST at most) and the seconds for which the oldest of them has waited."""
    for kind in KINDS:
        yield kind.name, *look(kind)


def look(kind: Kind) -> tuple[int, float]:
    """Return the rows of a kind (MOST at most), and the seconds for which the oldest of them has waited."""
    now = timezone.now()
    rows = kind.rows().order_by("next_attempt_at")[:MOST]
    found = rows.aggregate(count=Count("pk"), oldest=Min(kind.since))
    return found["count"], max(0.0, (now - (found["oldest"] or now)).total_seconds())
