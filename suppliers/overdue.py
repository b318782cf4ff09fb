"""Tell staff once of the replies that did not come in time, gathered by supplier, and take it back when they came."""

import logging
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations import alerts
from integrations.models import StaffAlert
from suppliers.models import Supplier, SupplierOrder

log = logging.getLogger(__name__)

ALERT = "replies_overdue"
NAMED = 20  # references in one mail
BATCH = 500


def due_at(supplier: Supplier, sent_at: datetime) -> datetime | None:
    """Return until when the supplier should have replied to a file; None where it need not."""
    return sent_at + timedelta(hours=supplier.reply_hours) if supplier.reply_hours else None


def rows() -> QuerySet[SupplierOrder]:
    """Return the parts whose supplier should have replied by now."""
    return SupplierOrder.objects.filter(
        reply_due_at__lte=timezone.now(), replied_at=None, status=SupplierOrder.Status.SENT
    )


def is_overdue(part: SupplierOrder) -> bool:
    """Tell whether the part's supplier should have replied by now."""
    is_waiting = part.status == SupplierOrder.Status.SENT and part.replied_at is None
    return is_waiting and part.reply_due_at is not None and part.reply_due_at <= timezone.now()


def tell() -> int:
    """Raise one alert for each supplier with news, and clear those that are over; return how many parts were new."""
    found = list(rows().filter(overdue_at=None).select_related("supplier").order_by("pk")[:BATCH])
    by_supplier: dict[Supplier, list[SupplierOrder]] = {}
    for part in found:
        by_supplier.setdefault(part.supplier, []).append(part)
    for supplier, parts in by_supplier.items():
        _alert(supplier, parts)
        SupplierOrder.objects.filter(pk__in=[part.pk for part in parts]).update(overdue_at=timezone.now())
        log.warning("replies.overdue", extra={"supplier_id": supplier.pk, "count": len(parts)})
    _clear()
    return len(found)


def _alert(supplier: Supplier, parts: list[SupplierOrder]) -> None:
    names = ", ".join(part.reference for part in parts[:NAMED])
    more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
    alerts.raise_alert(
        ALERT,
        supplier.pk,
        f"No reply from {supplier}",
        f"{supplier} should reply within {supplier.reply_hours} hours and has not, about: {names}{more}.\n\n"
        "Ask the supplier whether it has the files. The list “Supplier orders”, filtered by overdue replies, shows "
        "all of them; those that follow are not mailed one by one.",
    )


def _clear() -> None:
    waiting = {str(pk) for pk in rows().order_by().values_list("supplier", flat=True).distinct()}
    for key in StaffAlert.objects.filter(kind=ALERT, cleared_at=None).values_list("key", flat=True):
        if key not in waiting:
            alerts.clear_alert(ALERT, key)
