"""Inside an installation: many suppliers with due files, and how long those of the good ones take."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db.models import Max
from django.utils import timezone

from bench import due_files
from suppliers import outbox
from suppliers.models import Delivery, Endpoint

LONGEST_SECONDS = 240
POLL_SECONDS = 0.25
BAD = 2  # the last ones
_FREE: dict[str, Any] = {"stopped_at": None, "opened_at": None, "stop_reason": "", "last_error": "", "attempts": 0}


def answer(do: str, **question: Any) -> dict[str, Any]:
    """Call the function of this name."""
    functions: dict[str, Callable[..., dict[str, Any]]] = {"prepare": prepare, "bring": bring}
    return functions[do](**question)


def prepare(endpoints: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the tables and the endpoints."""
    call_command("migrate", interactive=False, verbosity=0)
    far_off = timezone.now() + timedelta(days=1)
    for number, columns in enumerate(endpoints):
        Endpoint.objects.create(
            name=f"Supplier {number}", replies_folder="", connect_timeout=10, next_check_at=far_off, **columns
        )
    return {}


def bring(each: int, size: int, is_with_the_two: bool) -> dict[str, Any]:
    """Make files due for everybody at one moment, and return how long the good suppliers' files took."""
    endpoints = list(Endpoint.objects.order_by("pk"))
    good, bad = endpoints[:-BAD], endpoints[-BAD:]
    later = timezone.now() + timedelta(days=1)
    for endpoint in endpoints if is_with_the_two else good:
        due_files.make(endpoint, endpoint.orders_folder, each, b"x" * size, later)
    begin = _make_due(bad)
    mine = Delivery.objects.filter(endpoint__in=good, next_attempt_at__lte=begin, created_at__gte=begin - _hour())
    waiting = mine.filter(status=Delivery.Status.DUE)
    ends_at = time.monotonic() + LONGEST_SECONDS
    while waiting.exists() and time.monotonic() < ends_at:
        time.sleep(POLL_SECONDS)
    count, sent = each * len(good), mine.filter(status=Delivery.Status.SENT, sent_at__gte=begin)
    found = {"count": count, "sent": sent.count(), "seconds": 0.0}
    if found["sent"] == count:
        found["seconds"] = (sent.aggregate(last=Max("sent_at"))["last"] - begin).total_seconds()
    Delivery.objects.filter(endpoint__in=bad, status=Delivery.Status.DUE).update(is_held=True)
    return found


def _make_due(bad: list[Endpoint]) -> datetime:
    Endpoint.objects.filter(pk__in=[endpoint.pk for endpoint in bad]).update(**_FREE, next_attempt_at=timezone.now())
    now = timezone.now()
    Delivery.objects.filter(status=Delivery.Status.DUE, is_held=False, next_attempt_at__gt=now).update(
        next_attempt_at=now
    )
    outbox.sweep()
    return now


def _hour() -> timedelta:
    return timedelta(hours=1)
