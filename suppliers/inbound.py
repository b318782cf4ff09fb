"""The inbound runner: fetch the suppliers' reply files, in the endpoint's lane and over its kept session.

A file is renamed to a claimed name before it is read, stored and committed before it is cleared away. A run that died
in between leaves the claimed name, which the next look finishes. Where the server does not let Hemi rename, a file is
read but never deleted.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from hemi.lib import queue
from suppliers import due, lanes, pickup, traces
from suppliers.lanes import Lane
from suppliers.models import Endpoint, SupplierReply
from suppliers.pickup import Look
from suppliers.transports.errors import TransportError

log = logging.getLogger(__name__)

POLL_SECONDS = 10
AFTER_FAILURE_SECONDS = 60
LOOK_AGAIN_SECONDS = 2  # after a new file was seen: it is taken once it has kept its size


def collect(endpoint_id: int) -> int:
    """Look for replies at the endpoint if it is time to; return how many were stored."""
    stored = 0
    with lanes.enter(endpoint_id) as lane:
        if lane is None:
            return 0
        if _is_time(lane.endpoint):
            stored = _collect(lane)
    if stored:
        queue.kick("suppliers.apply_replies")
    if check_id := due.waiting_check(endpoint_id):
        queue.kick("suppliers.check_endpoint", check_id)
    elif due.has_deliveries(endpoint_id):
        queue.kick("suppliers.deliver", endpoint_id)
    return stored


def sweep() -> int:
    """Kick every endpoint where it is time to look for replies; return how many."""
    endpoints = list(due.endpoints_to_poll().values_list("pk", flat=True))
    for endpoint_id in endpoints:
        queue.kick("suppliers.collect_replies", endpoint_id)
    return len(endpoints)


def _is_time(endpoint: Endpoint) -> bool:
    return due.endpoints_that_reply().filter(pk=endpoint.pk, next_poll_at__lte=timezone.now()).exists()


def _collect(lane: Lane) -> int:
    look = Look(lane, lane.endpoint.replies_seen)
    try:
        _look_for_files(look)
        _look_for_traces(look)
    except TransportError as error:
        lane.failed(error)
        log.warning("replies.failed", extra={"endpoint_id": lane.endpoint.pk, "error": error.message})
        next_at = timezone.now() + timedelta(seconds=AFTER_FAILURE_SECONDS)
        lane.record(next_poll_at=next_at, last_error=error.message, replies_seen=look.before | look.now)
    else:
        wait = timedelta(seconds=LOOK_AGAIN_SECONDS if look.has_new else POLL_SECONDS)
        lane.record(next_poll_at=timezone.now() + wait, polled_at=timezone.now(), replies_seen=look.now)
    return look.stored


def _look_for_files(look: Look) -> None:
    if not look.lane.endpoint.replies_folder:
        return
    files = look.lane.session.listing(look.lane.endpoint.replies_folder)
    look.lane.worked()
    for name, entry in sorted(files.items()):
        pickup.consider(look, name, entry)


def _look_for_traces(look: Look) -> None:
    lane = look.lane
    if not traces.is_time(lane.endpoint) or not lane.is_open or not lane.holds():
        return
    found = [trace.reply(lane.endpoint) for trace in traces.look(lane.endpoint, lane.session)]
    lane.worked()
    SupplierReply.objects.bulk_create(found, ignore_conflicts=True)  # a repeat is no second
    look.stored += len(found)
    lane.record(traced_at=timezone.now())
