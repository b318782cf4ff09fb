"""Temporary files that no attempt will come back for: of what was cancelled, held or given up while a run died."""

import logging
from datetime import timedelta

from django.utils import timezone

from hemi.lib import claims
from suppliers import due, naming
from suppliers.lanes import Lane
from suppliers.models import Delivery
from suppliers.transports.errors import TransportError

log = logging.getLogger(__name__)

MOST = 100  # in one run
AGAIN = timedelta(hours=1)


def remove(lane: Lane) -> int:
    """Remove them from the lane's endpoint; return how many. What cannot be removed waits for another run."""
    removed = 0
    rows = due.leftovers().filter(claims.due(), endpoint=lane.endpoint).order_by("pk")
    for delivery in rows[:MOST]:
        if not lane.is_open or not lane.holds():
            break
        try:
            lane.session.delete(naming.temporary_path(delivery))
        except TransportError as error:
            if lane.seat.is_open:  # it is only not allowed
                due.leftovers().filter(pk=delivery.pk).update(next_attempt_at=timezone.now() + AGAIN)
            else:
                lane.failed(error)
            log.warning("leftover.stays", extra={"delivery_id": delivery.pk, "error": error.message})
            continue
        lane.worked()
        mine = {"pk": delivery.pk, "temporary_name": delivery.temporary_name, "claim_token": delivery.claim_token}
        removed += due.leftovers().filter(**mine).update(temporary_name="", step=Delivery.Step.NONE)
    return removed
