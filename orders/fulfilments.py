"""The runner that tells stores of shipments: each shipment once, whatever is lost on the way.

What a call will do is written down before it; a call without an answer is never repeated, it is looked for in the
store. One shipment of an order goes at a time, so that what the store has left says which call was carried out.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, logs, queue
from integrations import connections
from integrations.models import AccountShopify
from integrations.shopify import fulfilments as wire
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError
from orders import matching, planning, settlement, shipments, tracking
from orders.models import Fulfilment, Shipment
from orders.reachable import REACHABLE

log = logging.getLogger("orders")

SLICE_SECONDS = 20
CALL_SECONDS = 30.0
LEASE = timedelta(minutes=2)  # renewed before each call
LOOK_AGAIN = timedelta(seconds=5)
# So long a call may still be carried out: its client gives up sooner, and what it did not send by then it never sends.
SETTLED_AFTER = timedelta(seconds=90)
NO_ANSWER = "Shopify was asked and gave no clear answer. Hemi looks there whether it was recorded before it asks again."
_WAITING = Q(status__in=Shipment.DUE)
_UNKNOWN = (Fulfilment.Status.CALLING, Fulfilment.Status.UNCERTAIN)


def tell() -> int:
    """Tell stores of the shipments that are due, for a time slice; return how many were looked at."""
    done, until = 0, monotonic() + SLICE_SECONDS
    failed: set[int] = set()
    while found := claims.claim(_due().exclude(order__account__in=failed), still=_WAITING, limit=1, lease=LEASE):
        order = found[0].order
        with logs.following(webhook_event=order.event_id, order_id=order.pk):
            is_reached = _tell_one(found[0])
        if not is_reached:
            failed.add(order.account_id)  # a store that is away keeps no other one waiting
        done += 1
        if monotonic() > until:
            queue.kick("orders.fulfil")
            break
    return done


def _due() -> QuerySet[Shipment]:
    open_accounts = AccountShopify.objects.filter(REACHABLE, paused_at=None)
    rows = Shipment.objects.filter(_WAITING, order__account__in=open_accounts)
    return rows.select_related("order__account__integration", "order__account__location").order_by(
        "next_attempt_at", "pk"
    )


def _tell_one(shipment: Shipment) -> bool:
    """Return False where the store could not be asked."""
    try:
        with connections.client_for(shipment.order.account, CALL_SECONDS) as client:
            _bring(client, shipment)
    except ShopifyError as error:
        _failed(shipment, error)
        return error.kind in (Kind.PERMANENT, Kind.FORBIDDEN)
    return True


def _bring(client: GraphQL, shipment: Shipment) -> None:
    read_at = timezone.now()
    found = wire.read(client, shipment.order.shopify_id)
    sight = planning.Sight(found, _strangers(client, shipment, found), read_at)
    if not _settle_calls(shipment, sight) or not _follow(client, shipment, sight):
        return
    with transaction.atomic():
        if not _mine(shipment):
            return
        plan = planning.plan(shipment, sight)
        if plan is None:
            return
    for rows in plan.calls:
        if not _call(client, shipment, rows, was_refused=plan.was_refused):
            return
    with transaction.atomic():
        if _mine(shipment):
            shipments.close_as_told(shipment, "")


def _follow(client: GraphQL, shipment: Shipment, sight: planning.Sight) -> bool:
    """Give what was told already the tracking that came later; False where the shipment does not go on."""
    shown = {row.id: set(row.numbers) for row in sight.found.fulfilments}
    for row in shipment.fulfilments.filter(is_tracking_due=True, status=Fulfilment.Status.DONE):
        with transaction.atomic():
            if not _mine(shipment):
                return False
            told = tracking.of(shipment)
            if row.shopify_id is None:
                shipments.block(shipment, shipments.ADD_TRACKING.format(", ".join(told.numbers)))
                return False
        if shown.get(row.shopify_id) != set(told.numbers):
            is_mailed = shipment.order.account.send_shipping_confirmation
            wire.follow(client, row.shopify_id, told, is_customer_told=is_mailed)
            log.info("shipment.followed", extra={"shipment": shipment.pk, "fulfilment": row.shopify_id})
        with transaction.atomic():
            if _mine(shipment) and tracking.of(shipment) == told:
                _of([row]).update(is_tracking_due=False)
    return True


def _strangers(client: GraphQL, shipment: Shipment, found: wire.StoreOrder) -> list[matching.Stranger]:
    known = shipments.accounted(shipment.order)
    rows = [row for row in found.fulfilments if row.is_success and row.id not in known]
    return [matching.Stranger(row, wire.pieces(client, row.id)) for row in rows]


def _settle_calls(shipment: Shipment, sight: planning.Sight) -> bool:
    """Find out what became of calls without an answer; False while that is not known."""
    rows = list(shipment.fulfilments.filter(status=Fulfilment.Status.CALLING))
    numbers = tracking.of(shipment).numbers
    for group in planning.by_location(rows):
        result, shopify_id = matching.outcome(group, sight.found, sight.strangers, numbers)
        called_at = max(row.called_at or sight.read_at for row in group)
        if result != matching.Outcome.DONE and sight.read_at < called_at + SETTLED_AFTER:
            _release(shipment, LOOK_AGAIN, NO_ANSWER)
            return False
        with transaction.atomic():
            if not _mine(shipment):
                return False
            if result == matching.Outcome.DONE:
                _done(group, called_at, shopify_id)
            elif result == matching.Outcome.UNTOUCHED:
                _of(group).update(status=Fulfilment.Status.DUE)
            else:
                _of(group).update(status=Fulfilment.Status.UNCERTAIN)
                shipments.block(shipment, shipments.UNCERTAIN)
                return False
    return True


def _call(client: GraphQL, shipment: Shipment, rows: Sequence[Fulfilment], *, was_refused: bool) -> bool:
    """Make one call; False where the shipment does not go on."""
    called_at = timezone.now()
    with transaction.atomic():
        if not _mine(shipment):
            return False
        _of(rows).update(status=Fulfilment.Status.CALLING, called_at=called_at)
    try:
        shopify_id = wire.create(client, _wish(shipment, rows))
    except ShopifyError as error:
        mine = _of(rows).filter(status=Fulfilment.Status.CALLING, called_at=called_at)
        return _not_called(shipment, mine, error, was_refused=was_refused)
    with transaction.atomic():
        settlement.locked(shipment.order_id)
        _done(rows, called_at, shopify_id)
    log.info("shipment.told", extra={"shipment": shipment.pk, "order_id": shipment.order_id, "fulfilment": shopify_id})
    return True


def _not_called(shipment: Shipment, rows: QuerySet[Fulfilment], error: ShopifyError, *, was_refused: bool) -> bool:
    if error.kind == Kind.UNCERTAIN:
        _release(shipment, LOOK_AGAIN, NO_ANSWER)
        return False
    if error.kind != Kind.PERMANENT:
        rows.update(status=Fulfilment.Status.DUE)
        raise error
    with transaction.atomic():
        if _mine(shipment):
            rows.update(status=Fulfilment.Status.BLOCKED, note=error.message[:500])
            if was_refused:
                shipments.block(
                    shipment, f"{error.message} Settle it with the store, then try again or settle it here."
                )
            else:  # the store may have changed since it was read: look once more, which may say it better
                _release(shipment, timedelta())
    return False


def _done(rows: Sequence[Fulfilment], called_at: datetime, shopify_id: int | None) -> None:
    """Record a call as done, whoever has the shipment now: the call is known by its moment."""
    told = {"status": Fulfilment.Status.DONE, "shopify_id": shopify_id, "done_at": timezone.now(), "note": ""}
    _of(rows).filter(status__in=_UNKNOWN, called_at=called_at).update(**told)


def _wish(shipment: Shipment, rows: Sequence[Fulfilment]) -> wire.Wish:
    told = tracking.of(shipment)
    lines = {row.fulfillment_order_id or 0: {line["id"]: line["quantity"] for line in row.lines} for row in rows}
    account = shipment.order.account
    return wire.Wish(lines, told, account.send_shipping_confirmation)


def _failed(shipment: Shipment, error: ShopifyError) -> None:
    attempts = Shipment.objects.values_list("attempts", flat=True).get(pk=shipment.pk)
    with transaction.atomic():
        if not _mine(shipment):
            return
        if error.kind == Kind.FORBIDDEN:
            shipments.block(shipment, f"{error.message} {shipments.MISSING_SCOPE}")
        elif error.kind == Kind.PERMANENT:
            shipments.block(shipment, f"{error.message} Look at the order in the store, then try again or settle it.")
        else:
            _release(shipment, claims.backoff(attempts or 1), str(error))


def _release(shipment: Shipment, wait: timedelta, error: str = "") -> None:
    Shipment.objects.filter(pk=shipment.pk, claim_token=shipment.claim_token).update(
        claim_token="", lease_until=None, next_attempt_at=timezone.now() + wait, last_error=error
    )


def _mine(shipment: Shipment) -> bool:
    """Lock the order, then the shipment if it is still this runner's; renew its lease. Inside a transaction."""
    settlement.locked(shipment.order_id)
    rows = Shipment.objects.filter(_WAITING, pk=shipment.pk, claim_token=shipment.claim_token)
    is_mine = bool(rows.update(lease_until=timezone.now() + LEASE))
    if is_mine:  # what came since it was claimed: a number or the tracking of it
        shipment.refresh_from_db(fields=["despatch", "carrier", "numbers", "urls"])
    return is_mine


def _of(rows: Sequence[Fulfilment]) -> QuerySet[Fulfilment]:
    return Fulfilment.objects.filter(pk__in=[row.pk for row in rows])
