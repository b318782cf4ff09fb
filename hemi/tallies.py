"""Counts of all processes together, kept in the database: they only grow, whatever is thinned out later."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Model, Q, QuerySet, Sum
from django.db.models.expressions import Combinable

from hemi.models import Tally
from integrations.models import WebhookEvent
from orders.models import Order
from suppliers.models import DeliveryAttempt, SupplierReply

log = logging.getLogger(__name__)

STEP_SIZE = 20_000  # rows that one look counts at most
MOST_LABELS = 50
SECONDS = "seconds"  # the label of the sum beside a count


@dataclass(frozen=True)
class Rows:
    """What is counted from new rows: each that `only` matches, and with `since` and `until` the seconds between."""

    name: str
    model: type[Model]
    only: Q | None = None
    since: str = ""
    until: str = ""

    @property
    def span(self) -> Combinable:
        return ExpressionWrapper(F(self.until) - F(self.since), output_field=DurationField())


_SENT = Q(outcome=DeliveryAttempt.Outcome.SENT)
_FIRST = _SENT & Q(delivery__resends=0, delivery__supplier_order__revision=1)
_PART = "delivery__supplier_order"
COUNTED = (
    Rows("webhooks", WebhookEvent),
    Rows("orders", Order, Q(shopify_id__gt=0)),
    Rows("replies", SupplierReply),
    *(Rows(f"attempts.{outcome}", DeliveryAttempt, Q(outcome=outcome)) for outcome in DeliveryAttempt.Outcome.values),
    # From the webhook to the order, to the document, to the file; and the last try alone.
    Rows("seconds.order", Order, Q(event__received_at__lte=F("stored_at")), "event__received_at", "stored_at"),
    Rows("seconds.document", DeliveryAttempt, _FIRST, f"{_PART}__created_at", "delivery__created_at"),
    Rows("seconds.file", DeliveryAttempt, _FIRST, "delivery__created_at", "ended_at"),
    Rows("seconds.attempt", DeliveryAttempt, _SENT, "started_at", "ended_at"),
)


def write(amounts: Mapping[tuple[str, str], float]) -> bool:
    """Add what a process counted; False: the database did not take it."""
    try:
        with transaction.atomic():
            for (name, label), amount in sorted(
                amounts.items()
            ):  # in one order, so that two cannot wait for each other
                _add(name, label[:200], amount)
    except DatabaseError as error:
        log.warning("tallies.not_written", extra={"error": type(error).__name__})
        return False
    finally:
        connection.close()  # of the thread that counts, which needs none for a while
    return True


def count_rows() -> None:
    """Count the rows that came before the last look: whatever was being written then has been since."""
    for rows in COUNTED:
        _count(rows)


def read() -> dict[str, dict[str, float]]:
    """Return the counts by name and label; where a name has too many labels, all of them together as a blank one."""
    found: dict[str, dict[str, float]] = {}
    together = Tally.objects.values("name").annotate(labels=Count("pk"), all=Sum("value")).order_by("name")
    for row in together:
        if row["labels"] > MOST_LABELS:
            found[row["name"]] = {"": row["all"]}
    few = Tally.objects.exclude(name__in=list(found)).order_by("name", "label")
    for name, label, value in few.values_list("name", "label", "value"):
        found.setdefault(name, {})[label] = value
    return found


def _add(name: str, label: str, amount: float) -> None:
    rows = Tally.objects.filter(name=name, label=label)
    if not rows.update(value=F("value") + amount):
        Tally.objects.bulk_create([Tally(name=name, label=label)], ignore_conflicts=True)
        rows.update(value=F("value") + amount)


def _count(rows: Rows) -> None:
    """Count up to where the rows ended at the last look, by compare-and-swap: two that look at once count once."""
    newest = rows.model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0
    tally, is_new = Tally.objects.get_or_create(
        name=rows.name, label="", defaults={"counted_pk": newest, "next_pk": newest}
    )
    if is_new or tally.counted_pk is None:
        return
    until = min(tally.next_pk, tally.counted_pk + STEP_SIZE)
    count, seconds = _found(rows, tally.counted_pk, until) if until > tally.counted_pk else (0, 0.0)
    with transaction.atomic():
        mine = Tally.objects.filter(pk=tally.pk, counted_pk=tally.counted_pk, next_pk=tally.next_pk)
        is_mine = mine.update(value=F("value") + count, counted_pk=until, next_pk=max(newest, until))
        if is_mine and rows.since:
            _add(rows.name, SECONDS, seconds)


def _found(rows: Rows, after: int, until: int) -> tuple[int, float]:
    new: QuerySet = rows.model._default_manager.filter(rows.only or Q(), pk__gt=after, pk__lte=until).order_by()
    if not rows.since:
        return new.count(), 0.0
    sums = new.aggregate(count=Count("pk"), total=Sum(rows.span))
    return sums["count"], sums["total"].total_seconds() if sums["total"] else 0.0
