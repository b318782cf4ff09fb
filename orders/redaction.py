"""Remove a customer's data from orders, for ever: ids, articles and money stay."""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from integrations import ledger
from integrations.models import AccountShopify
from integrations.shopify.payloads import NO_PERSON, OrderSnapshot
from integrations.subjects import Known, Subject, scrub
from orders import settlement, shoppers, timeline
from orders.models import BY_A_PERSON, Fulfilment, Order, OrderEvent, OrderLine, Shipment, ShopperLink

REMOVED = "(removed with the customer's data)"
_STREETS = ("name", "company", "address1", "address2", "phone")
_OPEN = [OrderLine.Routing.WAITING, OrderLine.Routing.UNROUTED, OrderLine.Routing.WITHDRAWN]
_WAITING = [Order.State.UNPAID, Order.State.FILTERED]
_GOING = [Order.State.READY, Order.State.HELD]
_UNTOLD = [Shipment.Status.WAITING, Shipment.Status.BLOCKED]


def orders_of(subject: Subject) -> QuerySet[Order]:
    """Return the subject's orders. What a customer orders after asking is a new story."""
    rows = Order.objects.filter(account=subject.account).alias(mail=Lower("email"))
    if subject.is_store:
        return rows.filter(placed_at__lte=subject.asked_at)
    emails = [contact.lower() for contact in subject.contacts if "@" in contact]
    mine = Q(customer_id=subject.customer_id) | Q(customer_id=None, mail__in=emails)
    return rows.filter(Q(shopify_id__in=subject.order_ids) | mine & Q(placed_at__lte=subject.asked_at))


def know(subject: Subject) -> Known:
    """Return the ids of the subject's orders, and the words that name the person in them."""
    ids, words = set(), set()
    for order in orders_of(subject).iterator():
        ids.add(order.shopify_id)
        words |= _words(order)
    return Known(frozenset(ids), frozenset(words))


def unsettled(subject: Subject) -> list[str]:
    """Say which lines of the subject's orders are still to be given to a supplier, and what the store is to be told."""
    rows = orders_of(subject).filter(redacted_at=None, state__in=_GOING)
    unrouted = rows.filter(Q(needs_routing=True) | Q(lines__routing__in=_OPEN, lines__sendable__gt=0)).distinct()
    # A store that is gone can be told of nothing any more.
    can_be_told = subject.account.is_authorised
    untold = (
        orders_of(subject).filter(redacted_at=None, shipments__status__in=_UNTOLD if can_be_told else []).distinct()
    )
    return [f"order {order.number}: lines that no supplier has yet" for order in unrouted] + [
        f"order {order.number}: a shipment that the store does not know of yet" for order in untold
    ]


def redact(subject: Subject, known: Known) -> dict[str, int]:
    """Empty the subject's orders, each under its lock, and the texts on their timelines; unlink its shoppers."""
    # Before the orders, by whose addresses the links are found, and again for who was linked meanwhile.
    emails = {*known.words, *subject.contacts}
    counts = {"orders": 0, "orders that wait and will never go out": 0, "linked shoppers": 0}
    counts["linked shoppers"] += shoppers.forget(subject, emails)
    for pk in list(orders_of(subject).filter(redacted_at=None).values_list("pk", flat=True)):
        with transaction.atomic():
            order = settlement.locked(pk)
            counts["orders"] += 1
            counts["orders that wait and will never go out"] += order.state in _WAITING
            _empty(order, words_for(order, subject, known))
    counts["linked shoppers"] += shoppers.forget(subject, emails)
    return counts


def holdings(subject: Subject, known: Known) -> dict[str, Any]:
    """Return what the subject's orders say, with their lines and timelines, and which shoppers are linked to them."""
    rows = orders_of(subject).prefetch_related("lines", "events", "shipments")
    links = shoppers.links_of(subject, {*known.words, *subject.contacts}).select_related("shopline")
    return {"orders": [_shown(order) for order in rows], "linked_shoppers": [_shown_link(link) for link in links]}


def is_covered(account: AccountShopify, snapshot: OrderSnapshot) -> bool:
    """Tell whether an order that Hemi does not have yet must be stored without its customer."""
    return ledger.covers(account, snapshot.shopify_id, snapshot.customer_id, snapshot.placed_at)


def words_for(order: Order, subject: Subject, known: Known) -> frozenset[str]:
    """Return the words to take out of one order's texts: of a store's thousands only its own."""
    return frozenset(_words(order)) if subject.is_store else known.words


def _empty(order: Order, words: frozenset[str]) -> None:
    for name, value in NO_PERSON.items():
        setattr(order, name, value)
    for name in ("hold_reason", "stop_reason"):
        setattr(order, name, REMOVED if getattr(order, name) else "")
    for name in ("attention", "state_reason", "last_error"):
        setattr(order, name, scrub(getattr(order, name), words))
    order.redacted_at = timezone.now()
    order.lines.update(properties=[])
    _empty_shipments(order, words)
    for event in order.events.all():
        text = REMOVED if event.actor_id or event.kind.startswith("reply") else scrub(event.text, words)
        if text != event.text:
            OrderEvent.objects.filter(pk=event.pk).update(text=text)
    timeline.record(order, "redacted", "The customer's personal data was removed.")
    emptied = [*NO_PERSON, "hold_reason", "stop_reason", "attention", "last_error", "redacted_at"]
    settlement.settle(order, *emptied)


def _empty_shipments(order: Order, words: frozenset[str]) -> None:
    """Take the tracking addresses, which often name postcode or email, and what staff wrote."""
    for shipment in order.shipments.all():
        note, error = _note(shipment, words), scrub(shipment.last_error, words)
        numbers = [scrub(number, words) for number in shipment.numbers]
        rows = Shipment.objects.filter(pk=shipment.pk)
        rows.update(urls=[], numbers=numbers, note=note, last_error=error)
    for row in Fulfilment.objects.filter(shipment__order=order):
        Fulfilment.objects.filter(pk=row.pk).update(note=_note(row, words))


def _note(row: Shipment | Fulfilment, words: frozenset[str]) -> str:
    is_by_staff = row.note.startswith(BY_A_PERSON)
    return f"{BY_A_PERSON}{REMOVED}" if is_by_staff else scrub(row.note, words)


def _words(order: Order) -> set[str]:
    words = {order.email, order.phone, order.customer_name, *order.customer_name.split()}
    for address in (order.shipping_address, order.billing_address):
        if address:
            words |= {address.get(name) or "" for name in _STREETS}
            words |= set((address.get("name") or "").split())
    return words - {""}


def _shown_link(link: ShopperLink) -> dict[str, Any]:
    names = ["customer_id", "email", "source", "created_at"]
    return {"merchant_id": link.shopline.merchant_id, **{name: getattr(link, name) for name in names}}


def _shown(order: Order) -> dict[str, Any]:
    names = ["shopify_id", "number", "placed_at", "customer_id", "customer_name", "email", "phone", "note"]
    names += ["shipping_address", "billing_address", "shipping_methods", "currency", "total", "total_tax", "state"]
    lines = ["sku", "title", "variant_title", "quantity", "price", "properties"]
    shipments = ["despatch", "carrier", "numbers", "urls", "created_at"]
    return {
        **{name: getattr(order, name) for name in names},
        "lines": [{name: getattr(line, name) for name in lines} for line in order.lines.all()],
        "shipments": [{name: getattr(row, name) for name in shipments} for row in order.shipments.all()],
        "timeline": [{"at": event.at, "what": event.text} for event in order.events.all()],
    }
