"""Tell staff of replies that wait for a person, gathered by endpoint, and take it back when none is left."""

import logging

from django.db.models import Q, QuerySet

from integrations import alerts
from integrations.models import StaffAlert
from suppliers.models import Endpoint, SupplierReply

log = logging.getLogger(__name__)

ALERT = "replies_unread"
NAMED = 20  # files in one mail
_OPEN = Q(status__in=SupplierReply.OPEN)
_STANDS = _OPEN | Q(status=SupplierReply.Status.NEW, note="")  # open, or just being read again


def tell() -> int:
    """Raise one alert for each endpoint with such replies, clear those that are over; return how many endpoints."""
    rows = SupplierReply.objects.filter(_OPEN)
    told = set(StaffAlert.objects.filter(kind=ALERT, cleared_at=None).values_list("key", flat=True))
    endpoints = Endpoint.objects.filter(pk__in=rows.order_by().values("endpoint")).order_by("pk")
    for endpoint in endpoints:
        if str(endpoint.pk) not in told:
            _alert(endpoint, rows.filter(endpoint=endpoint).order_by("pk"))
    _clear(told)
    return len(endpoints)


def _alert(endpoint: Endpoint, rows: QuerySet[SupplierReply]) -> None:
    count, shown = rows.count(), rows.only("file_name", "status")[:NAMED]
    # What a reply says, and why it cannot be read, may quote a customer: the list has it.
    named = "\n".join(f"{row.file_name}: {row.get_status_display().lower()}" for row in shown)
    more = f"\n… and {count - NAMED} more." if count > NAMED else ""
    alerts.raise_alert(
        ALERT,
        endpoint.pk,
        f"{count} {'reply' if count == 1 else 'replies'} from {endpoint} could not be applied",
        f"Files came back that Hemi cannot read, or that fit no order:\n\n{named}{more}\n\nThe list “Supplier replies” "
        "says why of each. Match it to its order, mend what keeps it from being read and read it again, or settle it. "
        "Those that follow are not mailed one by one.",
        over=f"No reply from {endpoint} waits for a person any more.",
    )
    log.warning("replies.unread", extra={"endpoint_id": endpoint.pk, "count": count})


def _clear(told: set[str]) -> None:
    standing = SupplierReply.objects.filter(_STANDS).order_by().values_list("endpoint", flat=True)
    for key in told - {str(pk) for pk in standing.distinct()}:
        alerts.clear_alert(ALERT, key)
