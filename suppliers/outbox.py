"""The outbox runner: bring an endpoint's due deliveries over one kept session, in the endpoint's lane."""

import logging

from hemi.lib import claims, queue
from integrations import alerts
from suppliers import due, filedrop, lanes
from suppliers.attempts import Attempt
from suppliers.lanes import Lane
from suppliers.models import Delivery
from suppliers.transports.errors import Kind, TransportError

log = logging.getLogger(__name__)

BATCH = 20


def deliver(endpoint_id: int) -> int:
    """Bring what is due at the endpoint, for a time slice; return how many deliveries were worked on."""
    worked = 0
    with lanes.enter(endpoint_id) as lane:
        if lane is None:
            return 0
        while lane.is_open and (batch := claim(lane)):
            worked += _work(lane, batch)
    _clear_alerts(endpoint_id)
    # Never both: the two runs would race for the lane, and replies could wait for ever.
    if due.must_poll(endpoint_id):
        queue.kick("suppliers.collect_replies", endpoint_id)
    elif due.has_deliveries(endpoint_id):
        queue.kick("suppliers.deliver", endpoint_id)
    return worked


def sweep() -> int:
    """Kick every endpoint where something is due, also what a dead worker left behind; return how many."""
    endpoints = list(due.endpoints_with_deliveries().values_list("pk", flat=True))
    for endpoint_id in endpoints:
        queue.kick("suppliers.deliver", endpoint_id)
    return len(endpoints)


def claim(lane: Lane) -> list[Attempt]:
    """Claim the lane's next few deliveries, oldest first."""
    rows = (
        due.deliveries()
        .filter(endpoint=lane.endpoint)
        .defer("document")
        .select_related("supplier_order__order", "supplier_order__supplier")
    )
    batch = claims.claim(rows, still=due.STILL, limit=BATCH, lease=lane.lease)
    for delivery in batch:
        delivery.endpoint = lane.endpoint
    return [Attempt(delivery, lane.lease) for delivery in batch]


def _work(lane: Lane, batch: list[Attempt]) -> int:
    worked = 0
    for attempt in batch:
        if lane.is_open and lane.holds():
            _bring(lane, attempt)
            worked += 1
        else:
            attempt.give_back()
    return worked


def _bring(lane: Lane, attempt: Attempt) -> None:
    try:
        filedrop.bring(lane, attempt)
        lane.worked()
    except TransportError as error:
        if error.kind != Kind.FILE:
            lane.failed(error)
        _tidy(lane, attempt)
        attempt.failed(error)
    except Exception as error:  # one delivery that Hemi itself cannot handle must not hold up the others
        log.exception("delivery.broken", extra=attempt.ids)
        attempt.failed(TransportError(Kind.TEMPORARY, f"Hemi failed: {type(error).__name__}.", attempt.delivery.step))


def _tidy(lane: Lane, attempt: Attempt) -> None:
    if lane.failure:  # no second login to a server that refuses or cannot be reached
        return
    try:
        filedrop.tidy(lane, attempt)
    except TransportError as error:
        log.info("delivery.not_tidied", extra={**attempt.ids, "error": error.message})


def _clear_alerts(endpoint_id: int) -> None:
    for status, kind in ((Delivery.Status.DEAD, "delivery_dead"), (Delivery.Status.UNCERTAIN, "delivery_uncertain")):
        if not Delivery.objects.filter(endpoint=endpoint_id, status=status).exists():
            alerts.clear_alert(kind, endpoint_id)
