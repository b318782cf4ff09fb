"""The outbox runner: bring an endpoint's due deliveries over its kept sessions, in the endpoint's lane."""

from django.db import transaction

from hemi.lib import claims, queue
from integrations import alerts
from orders import settlement
from suppliers import due, lanes, leftovers, recall
from suppliers.attempts import Attempt
from suppliers.crews import Crew
from suppliers.lanes import Lane
from suppliers.models import Delivery

# What a run uses; reading the rest of four rows for each file takes longer than most of its steps.
_COLUMNS = (
    *("endpoint", "status", "step", "folder", "final_name", "temporary_name", "done_name", "sha256", "size"),
    *(
        "attempts",
        "resends",
        "claim_token",
        "renaming_at",
        "created_at",
        "supplier_order__reference",
        "supplier_order__webhook_event",
    ),
    *("supplier_order__revision", "supplier_order__order__account", "supplier_order__order__placed_at"),
    *("supplier_order__order__shopify_id", "supplier_order__order__event"),
    *("supplier_order__supplier__name", "supplier_order__supplier__reply_hours"),
)


def deliver(endpoint_id: int) -> int:
    """Bring what is due at the endpoint, for a time slice; return how many deliveries were worked on."""
    with lanes.enter(endpoint_id) as lane:
        if lane is None:
            return 0
        worked = Crew(lane, claim).run()
        leftovers.remove(lane)
    _clear_alerts(endpoint_id)
    # Never two: the runs would race for the lane, and replies or a test could wait for ever.
    if check_id := due.waiting_check(endpoint_id):
        queue.kick("suppliers.check_endpoint", check_id)
    elif due.must_poll(endpoint_id):
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


def claim(lane: Lane, limit: int) -> list[Attempt]:
    """Claim the lane's next few deliveries, oldest first, but for those that went out before a restore."""
    rows = (
        due.deliveries()
        .filter(endpoint=lane.endpoint)
        .select_related("supplier_order__order", "supplier_order__supplier")
        .only(*_COLUMNS)
    )
    with transaction.atomic():
        # What is of orders that somebody is at just now waits for the next claim.
        wanted = dict(rows.filter(claims.due()).values_list("pk", "supplier_order__order")[:limit])
        free = settlement.lock_free(wanted.values())
        mine = rows.filter(pk__in=[pk for pk, order_id in wanted.items() if order_id in free])
        batch = claims.claim(mine, still=due.STILL, limit=limit, lease=lane.lease)
    for delivery in batch:
        delivery.endpoint = lane.endpoint
    return recall.clear([Attempt(delivery, lane.lease) for delivery in batch])


def _clear_alerts(endpoint_id: int) -> None:
    for status, kind in ((Delivery.Status.DEAD, "delivery_dead"), (Delivery.Status.UNCERTAIN, "delivery_uncertain")):
        if not Delivery.objects.filter(endpoint=endpoint_id, status=status).exists():
            alerts.clear_alert(kind, endpoint_id)
