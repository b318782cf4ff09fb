"""What of orders, documents, attempts and replies is old enough to go. docs/privacy.md

An order goes as a whole, with all that was made of it, and only if nobody has anything left to do about it.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length, Lower
from django.utils import timezone

from hemi.lib import queue, thinning
from hemi.lib.thinning import Slice
from integrations.models import PrivacyRequest
from orders import settlement
from orders.models import CompletenessDay, Fulfilment, Order, OrderFetch, OrderLine, Shipment, ShopperLink
from suppliers.models import (
    Amendment,
    Delivery,
    DeliveryAttempt,
    EndpointCheck,
    ReplyStatement,
    SentBefore,
    SupplierOrder,
    SupplierReply,
)

TASK = "suppliers.thin"
ORDERS_AT_ONCE, ORDERS_A_SLICE = 5, 1000
_Part, _File, _Reply, _Said = SupplierOrder.Status, Delivery.Status, SupplierReply.Status, ReplyStatement.Status
_READ = (_Reply.APPLIED, _Reply.SETTLED)
_LOOSE = (OrderLine.Routing.WAITING, OrderLine.Routing.UNROUTED, OrderLine.Routing.WITHDRAWN)
_UNTOLD = (Shipment.Status.WAITING, Shipment.Status.BLOCKED)


def by_night() -> None:
    """Take out what is too old, at night only."""
    if thinning.is_time(timezone.now()):
        thin(Slice())


def thin(mine: Slice) -> int:
    """Take out what is too old, for one slice of time; return how many rows that were."""
    payloads, orders = thinning.payloads_before(), thinning.orders_before()
    _take(mine, "attempts", _former_attempts(), "ended_at", payloads)
    _take(mine, "endpoint_checks", _former_checks(), "created_at", payloads)
    replies = thinning.keys_before(_full_replies(), "received_at", payloads)
    mine.take("reply_files", replies, lambda keys: _full_replies().filter(pk__in=keys).update(content=b""))
    old = list(unneeded(orders).order_by("placed_at").values_list("pk", flat=True)[:ORDERS_A_SLICE])
    mine.take("orders", old, lambda keys: _forget(keys, orders), most=ORDERS_AT_ONCE)
    _take(mine, "replies", _loose_replies(), "received_at", orders)
    _take(mine, "order_fetches", OrderFetch.objects.exclude(status=OrderFetch.Status.WAITING), "created_at", orders)
    _take(mine, "completeness_days", CompletenessDay.objects.all(), "due_at", orders)
    _take(mine, "linked_shoppers", _former_shoppers(), "created_at", orders)
    _take(mine, "sent_before", _former_journal(), "at", orders)
    if mine.is_over or len(old) == ORDERS_A_SLICE:
        queue.kick(TASK)
    return mine.tell()


def unneeded(before: datetime) -> QuerySet[Order]:
    """Return the orders that are older, and about which nothing waits, is open, held, doubted or expected."""
    is_old = Q(placed_at__lt=before, stored_at__lt=before, shop_updated_at__lt=before)
    is_done = Q(needs_routing=False, needs_reread=False, attention="", held_at=None)
    rows = Order.objects.filter(is_old, is_done)
    for waits in (_loose_lines(), _asked_for(), _open_part(before), _open_reply(), _open_shipment()):
        rows = rows.exclude(waits)
    return rows


def _loose_lines() -> Q:
    lines = OrderLine.objects.filter(order=OuterRef("pk"), routing__in=_LOOSE, sendable__gt=0)
    return Q(Exists(lines)) & Q(state=Order.State.READY)


def _asked_for() -> Q:
    """A privacy request has its own clock, and must find what it is about."""
    waits = PrivacyRequest.objects.filter(status=PrivacyRequest.Status.WAITING)
    return Q(Exists(waits.filter(shop_name=OuterRef("account__shop_name"))))


def _open_part(before: datetime) -> Q:
    part = SupplierOrder.objects.filter(order=OuterRef("pk"))
    # Stopped before anything of it was uploaded: the store has not paid, say, and nobody waits for it any more.
    is_untouched = Q(delivery=None) | Q(delivery__status=_File.DUE, delivery__is_held=True, delivery__step="")
    is_stopped = ~Q(order__state=Order.State.READY) & ~Q(kind=SupplierOrder.Kind.CANCELLATION) & is_untouched
    is_unreplied = Q(reply_due_at__isnull=False, replied_at=None) & ~Q(status__in=[_Part.CANCELLED, _Part.REPLACED])
    is_recent = Q(sent_at__gte=before) | Q(replied_at__gte=before) | Q(delivery__sent_at__gte=before)
    is_on_its_way = Q(delivery__isnull=False) & ~Q(delivery__status__in=Delivery.FINAL)
    is_waiting = (Q(status__in=SupplierOrder.UNSENT) | is_on_its_way) & ~is_stopped
    is_open = Q(held_at__isnull=False) | ~Q(attention="") | Q(amendments__status=Amendment.Status.OPEN)
    return Q(Exists(part.filter(is_waiting | is_open | is_unreplied | is_recent)))


def _open_reply() -> Q:
    waits = ReplyStatement.objects.filter(supplier_order__order=OuterRef("pk"))
    waits = waits.filter(Q(status__in=[*ReplyStatement.OPEN, _Said.WAITING]) | ~Q(reply__status__in=_READ))
    unread = SupplierReply.objects.filter(supplier_order__order=OuterRef("pk")).exclude(status__in=_READ)
    return Q(Exists(waits)) | Q(Exists(unread))


def _open_shipment() -> Q:
    untold = Shipment.objects.filter(order=OuterRef("pk"), status__in=_UNTOLD)
    undone = Fulfilment.objects.filter(shipment__order=OuterRef("pk")).exclude(status=Fulfilment.Status.DONE)
    return Q(Exists(untold)) | Q(Exists(undone))


def _forget(keys: list[int], before: datetime) -> int:
    """Delete orders with all that was made of them, under their locks and if they may still go."""
    going = list(unneeded(before).filter(pk__in=settlement.lock_free(keys)).values_list("pk", flat=True))
    parts = SupplierOrder.objects.filter(order__in=going)
    told = ReplyStatement.objects.filter(supplier_order__in=parts)
    replies = {
        *told.values_list("reply", flat=True),
        *parts.filter(replies__isnull=False).values_list("replies", flat=True),
    }
    told.delete()
    SupplierReply.objects.filter(pk__in=replies).update(supplier_order=None)
    _silent(SupplierReply.objects.filter(pk__in=replies)).delete()
    Fulfilment.objects.filter(shipment__order__in=going).delete()
    Shipment.objects.filter(order__in=going).delete()
    Delivery.objects.filter(supplier_order__in=parts).delete()
    parts.update(replaces=None)
    parts.delete()
    return Order.objects.filter(pk__in=going).delete()[1].get("orders.Order", 0)


def _silent(rows: QuerySet[SupplierReply]) -> QuerySet[SupplierReply]:
    return rows.filter(~Exists(ReplyStatement.objects.filter(reply=OuterRef("pk"))))


def _take(mine: Slice, name: str, rows: QuerySet, moment: str, before: datetime) -> None:
    old = rows.filter(**{f"{moment}__lt": before})
    mine.take(name, thinning.keys_before(rows, moment, before), thinning.deleter(old))


def _former_attempts() -> QuerySet[DeliveryAttempt]:
    """Attempts of files that are sent or cancelled."""
    # No join: SQLite would begin it with the deliveries, which are nearly all final.
    ended = Delivery.objects.filter(pk=OuterRef("delivery"), status__in=Delivery.FINAL)
    return DeliveryAttempt.objects.filter(Exists(ended))


def _former_checks() -> QuerySet[EndpointCheck]:
    """Checks that are not the last one of their endpoint."""
    later = EndpointCheck.objects.filter(endpoint=OuterRef("endpoint"), pk__gt=OuterRef("pk"))
    return EndpointCheck.objects.filter(Exists(later)).exclude(status=EndpointCheck.Status.WAITING)


def _full_replies() -> QuerySet[SupplierReply]:
    """Replies that were read, with the file as it came."""
    return SupplierReply.objects.alias(length=Length("content")).filter(status__in=_READ, length__gt=0)


def _loose_replies() -> QuerySet[SupplierReply]:
    """Replies that speak of no order that is here."""
    told = ReplyStatement.objects.filter(reply=OuterRef("pk"), supplier_order__isnull=False)
    return SupplierReply.objects.filter(~Exists(told), supplier_order=None, status__in=_READ)


def _former_shoppers() -> QuerySet[ShopperLink]:
    """Shoppers of whom no order is here any more."""
    by_mail = Order.objects.alias(mail=Lower("email")).filter(mail=OuterRef("email"))
    by_number = Order.objects.filter(account=OuterRef("account"), customer_id=OuterRef("shopify_customer_id"))
    return ShopperLink.objects.filter(~Exists(by_mail), ~Exists(by_number))


def _former_journal() -> QuerySet[SentBefore]:
    """What was sent before a restore, of parts that are not here: of so old an order none goes out again."""
    return SentBefore.objects.filter(~Exists(SupplierOrder.objects.filter(reference=OuterRef("reference"))))
