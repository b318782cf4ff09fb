"""The outbox runner: bring an endpoint's due deliveries over its kept sessions, in the endpoint's lane."""

from hemi.lib import queue
from integrations import alerts
from suppliers import breakers, due, lanes, leftovers
from suppliers.crews import Crew
from suppliers.models import Delivery

_ALERTS = {"delivery_dead": Delivery.Status.DEAD, "delivery_uncertain": Delivery.Status.UNCERTAIN}


def deliver(endpoint_id: int) -> int:
    """Bring what is due at the endpoint, for a time slice; return how many deliveries were worked on."""
    with lanes.enter(endpoint_id) as lane:
        if lane is None:
            return 0
        worked = Crew(lane).run()
        leftovers.remove(lane)
    _clear_alerts()
    # Never two: the runs would race for the lane, and replies or a test could wait for ever.
    if check_id := due.waiting_check(endpoint_id):
        queue.kick("suppliers.check_endpoint", check_id)
    elif due.must_poll(endpoint_id):
        queue.kick("suppliers.collect_replies", endpoint_id)
    elif due.has_deliveries(endpoint_id):
        queue.kick("suppliers.deliver", endpoint_id)
    return worked


def sweep() -> int:
    """Kick every endpoint where something is due, also what a dead worker left behind; return how many.

    A person may have settled what staff were alerted of, with nothing left to bring.
    """
    breakers.forget_unused()
    _clear_alerts()
    endpoints = list(due.endpoints_with_deliveries().values_list("pk", flat=True))
    for endpoint_id in endpoints:
        queue.kick("suppliers.deliver", endpoint_id)
    return len(endpoints)


def _clear_alerts() -> None:
    for kind, status in _ALERTS.items():
        if about := set(alerts.open_about(kind)):
            # By state alone: an endpoint has every file that it ever took.
            left = Delivery.objects.filter(status=status).order_by().values_list("endpoint", flat=True).distinct()
            for endpoint_id in about - {str(pk) for pk in left}:
                alerts.clear_alert(kind, endpoint_id)
