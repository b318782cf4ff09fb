"""The routing runner: bring the suppliers' parts of an order in line with the order's newest state."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from hemi.lib import claims, logs, queue
from integrations.shopify.errors import ShopifyError
from orders import readiness, settlement
from orders.models import Order, OrderLine
from suppliers import amendments, found_parts, parts, product_types, rendering, rules
from suppliers.models import Delivery, RoutingRule, SupplierOrder

log = logging.getLogger("suppliers")

LEASE = timedelta(seconds=60)
SLICE_SECONDS = 20
BATCH = 20
TYPE_TRIES = 5
SLOW_SECONDS = 2
_NEVER = "Its customer's data was removed before it was sent, so it never is. Settle it with the store, then cancel it."
_WANTED = Q(needs_routing=True, needs_reread=False)


@dataclass
class _TypeReads:
    """The reads of product types in one run: a store that failed or was slow is not asked again in it."""

    until: float
    failed: set[int] = field(default_factory=set)  # accounts
    slow: set[int] = field(default_factory=set)

    def is_known(self, order: Order) -> bool:
        """Read the types that rules ask for. False: the order was given back, to be tried again later."""
        if not product_types.are_wanted(order):
            return True
        begun, account_id = monotonic(), order.account_id
        if account_id in self.slow or begun > self.until:
            _give_back(order, timedelta(seconds=SLOW_SECONDS), attempts=order.attempts - 1)
            return False
        if account_id not in self.failed:
            try:
                product_types.fill(order)
            except ShopifyError as error:
                extra = {"order_id": order.pk, "error": error.kind, "attempts": order.attempts}
                log.warning("order.types_not_read", extra=extra)
                self.failed.add(account_id)
            else:
                if monotonic() - begun > SLOW_SECONDS:
                    self.slow.add(account_id)
                return True
        if order.attempts >= TYPE_TRIES:
            return True  # routed without: the lines that need their type are shown to a person
        _give_back(order, claims.backoff(order.attempts), attempts=order.attempts)
        return False


def route() -> int:
    """Route the orders that are due, for a time slice; return how many were done."""
    done, until = 0, monotonic() + SLICE_SECONDS
    types = _TypeReads(until)
    while orders := claims.claim(
        Order.objects.filter(_WANTED).order_by("next_attempt_at"), still=_WANTED, limit=BATCH, lease=LEASE
    ):
        for order in orders:
            with logs.following(webhook_event=order.event_id):
                if not types.is_known(order):
                    continue
                with transaction.atomic():
                    done += _route_one(order.pk, order.claim_token)
        if monotonic() > until:
            queue.kick("suppliers.route")
            break
    return done


def _give_back(order: Order, wait: timedelta, *, attempts: int) -> None:
    Order.objects.filter(pk=order.pk, claim_token=order.claim_token).update(
        claim_token="", lease_until=None, next_attempt_at=timezone.now() + wait, attempts=attempts
    )


def _route_one(pk: int, token: str) -> int:
    order = settlement.locked(pk)
    if order.claim_token != token:
        return 0
    settlement.update_state(order)
    is_known = order.supplier_orders.exists()  # else nothing of it is late, changed or rejected
    late: dict[int, list[OrderLine]] = {}
    if order.state == Order.State.CANCELLED:
        _cancel_parts(order)
    elif order.state == Order.State.READY:
        if is_known:
            _follow_lines(order)
        late = _allocate_rest(order, _suppliers_with_a_file(order) if is_known else set())
    else:
        _stop_parts(order)
    if found_parts.take_over(order) or is_known:
        amendments.look(order, late)
    if is_known:
        queue.kick("suppliers.sweep_deliveries")  # its files have waited for this look
    order.needs_routing, order.claim_token, order.lease_until, order.attempts = False, "", None, 0
    order.attention = _attention(order, _rejections(order) if is_known else [])
    order.save(update_fields=["needs_routing", "claim_token", "lease_until", "attempts", "attention"])
    return 1


def _unsent_parts(order: Order) -> list[SupplierOrder]:
    """Return the parts that were not sent, newest first; a cancellation goes on whatever the order's state is."""
    unsent = order.supplier_orders.filter(status__in=SupplierOrder.UNSENT)
    unsent = unsent.exclude(kind=SupplierOrder.Kind.CANCELLATION).order_by("-revision")
    return list(unsent.select_related("order", "supplier", "replaces"))


def _cancel_parts(order: Order) -> None:
    for part in _unsent_parts(order):
        parts.cancel(part, order.state_reason)
    waiting = order.lines.filter(routing=OrderLine.Routing.WAITING)
    waiting.update(routing=OrderLine.Routing.NOTHING, routing_note=order.state_reason[:300])


def _stop_parts(order: Order) -> None:
    for part in _unsent_parts(order):
        if order.state == Order.State.NOTHING:
            parts.cancel(part, order.state_reason)
        else:
            parts.stop(part)


def _follow_lines(order: Order) -> None:
    """Let parts whose file nobody saw follow the order."""
    for part in _unsent_parts(order):
        is_unmade = part.status in (SupplierOrder.Status.WAITING, SupplierOrder.Status.BLOCKED)
        is_first = part.replaces_id is None
        if is_first and (is_unmade or rendering.has_changed(part)) and parts.withdraw_document(part):
            _follow(part)
        parts.let_go(part)


def _follow(part: SupplierOrder) -> None:
    parts.follow(part)
    if part.lines.exists():
        parts.ask_for_document(part)
    else:
        parts.cancel(part, "Every line of it was fulfilled or removed.")


def _allocate_rest(order: Order, busy: set[int]) -> dict[int, list[OrderLine]]:
    """Give free lines to suppliers; return those that came too late for the file of a `busy` one, by supplier."""
    free = order.lines.exclude(allocations__is_live=True).exclude(routing=OrderLine.Routing.WITHDRAWN)
    rule_list = list(
        RoutingRule.objects.filter(Q(account=None) | Q(account=order.account_id), is_active=True)
        .select_related("supplier")
        .order_by("priority", "pk")
    )
    wanted: dict[int, list[OrderLine]] = {}
    late: dict[int, list[OrderLine]] = {}
    suppliers, changed = {}, []
    for line in free:
        choice = _choose(line, rule_list, order)
        if choice.supplier and choice.supplier.pk in busy:
            late.setdefault(choice.supplier.pk, []).append(line)
            choice = rules.Choice(
                OrderLine.Routing.UNROUTED, f"{choice.supplier} has a file of this order already. {_BY_HAND}"
            )
        if (line.routing, line.routing_note) != (choice.routing, choice.note):
            line.routing, line.routing_note = choice.routing, choice.note
            changed.append(line)
        if choice.supplier:
            suppliers[choice.supplier.pk] = choice.supplier
            wanted.setdefault(choice.supplier.pk, []).append(line)
    OrderLine.objects.bulk_update(changed, ["routing", "routing_note"])
    for pk, lines in wanted.items():
        parts.allocate(order, suppliers[pk], lines)
    return late


_BY_HAND = "Send the line by hand to have a further file made."


def _suppliers_with_a_file(order: Order) -> set[int]:
    """Suppliers that may have a file of this order: a line added later is an amendment of it."""
    files = Delivery.objects.filter(Delivery.HANDED_OVER, supplier_order__order=order)
    counting = order.supplier_orders.exclude(status=SupplierOrder.Status.CANCELLED)
    counting = counting.exclude(kind=SupplierOrder.Kind.CANCELLATION)
    return set(counting.filter(delivery__in=files).values_list("supplier_id", flat=True))


def _choose(line: OrderLine, rule_list: list[RoutingRule], order: Order) -> rules.Choice:
    if not line.sendable:
        return rules.Choice(OrderLine.Routing.NOTHING, "Fulfilled or removed.")
    return rules.choose(line, rule_list, is_test=order.is_test)


def _attention(order: Order, rejections: list[str]) -> str:
    if order.redacted_at:
        unsent = order.lines.exclude(allocations__is_live=True).aggregate(pieces=Sum("sendable"))["pieces"] or 0
        return _NEVER if readiness.is_owed(order, unsent) else ""
    if order.state != Order.State.READY:
        return ""
    count = order.lines.filter(routing=OrderLine.Routing.UNROUTED).count()
    texts = [f"{count} {'line goes' if count == 1 else 'lines go'} to no supplier yet."] if count else []
    return " ".join([*texts, *rejections])[:300]


def _rejections(order: Order) -> list[str]:
    """Say what suppliers reject of the order; a person who has dealt with a part takes it off."""
    rejecting = order.supplier_orders.exclude(attention="").select_related("supplier")
    is_live = Q(lines__is_live=True)
    rejected = Count("lines", filter=is_live & Q(lines__reply_status=SupplierOrder.Status.REJECTED))
    short = Count("lines", filter=is_live & Q(lines__confirmed__gt=0, lines__confirmed__lt=F("lines__quantity")))
    found = rejecting.annotate(rejected=rejected, short=short).filter(Q(rejected__gt=0) | Q(short__gt=0))
    texts = []
    for part in found.order_by("pk"):
        if part.rejected:
            lines = "1 line" if part.rejected == 1 else f"{part.rejected} lines"
            texts.append(f"{part.supplier} rejects {lines}: route again or send elsewhere.")
        if part.short:
            lines = "1 line" if part.short == 1 else f"{part.short} lines"
            texts.append(f"{part.supplier} accepts only some pieces of {lines}: order the others elsewhere.")
    return texts
