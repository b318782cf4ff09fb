"""Webhooks that say that an order changed, but not what it is now: the store is asked."""

from typing import Any

from django.utils import timezone

from hemi.lib import queue
from integrations import connections, webhook_bodies
from integrations.models import AccountShopify, WebhookEvent
from integrations.shopify import queries
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.shapes import Node
from orders import shipments
from orders.models import Order

ASK_SECONDS = 8.0
# The fulfilment order that a body is about; those of a move or a cancellation come in twos.
_BODIES = ("fulfillment_order", "original_fulfillment_order", "moved_fulfillment_order")


def take_edit(event: WebhookEvent) -> str:
    """Ask for the order of an order edit to be read again. Raises webhook_bodies.BodyRefused."""
    edit = webhook_bodies.read(event).get("order_edit")
    if not isinstance(edit, dict):
        raise webhook_bodies.BodyRefused("The body is not an order edit.")
    return ask_to_reread(event.account, webhook_bodies.number(edit.get("order_id")))


def take_fulfilment_order(event: WebhookEvent) -> str:
    """Ask for the order of a fulfilment order to be read again, and try what stood against a shipment of it.

    Raises BodyRefused, and ShopifyError.
    """
    data = webhook_bodies.read(event)
    row = next((data[name] for name in _BODIES if isinstance(data.get(name), dict)), None)
    if row is None:
        raise webhook_bodies.BodyRefused("The body names no fulfilment order.")
    order_id = row.get("order_id") or _order_of(event.account, webhook_bodies.number(row.get("id")))
    if order_id is None:
        return "The store was not asked which order it belongs to: it is not connected, or does not know it."
    number = webhook_bodies.number(order_id)
    for order in Order.objects.filter(account=event.account, shopify_id=number):
        shipments.look_again(order)
    return ask_to_reread(event.account, number)


def ask_to_reread(account: AccountShopify, shopify_id: int) -> str:
    """Ask for an order to be read from its store again; return what became of that, in a sentence."""
    if not account.is_authorised:
        return "The order was not read again: the account is not connected."
    now = timezone.now()
    wanted = Order.objects.filter(account=account, shopify_id=shopify_id)
    if not wanted.update(needs_reread=True, attempts=0, next_attempt_at=now):
        return "Hemi does not have the order; the comparison with the store brings it."
    queue.kick("orders.reread")
    return "The order is read again."


def _order_of(account: AccountShopify, number: int) -> Any:
    """Return the id of the order; the bodies of most of these topics do not say it."""
    if not account.is_authorised:
        return None
    with connections.client_for(account, ASK_SECONDS) as client:
        try:
            answer = client.execute(queries.FULFILMENT_ORDER, {"id": f"gid://shopify/FulfillmentOrder/{number}"})
        except ShopifyError as error:
            if error.kind in (Kind.PERMANENT, Kind.FORBIDDEN):
                return None
            raise
    if answer.get("fulfillmentOrder") is None:
        return None
    return Node("HemiFulfilmentOrder", answer).node("fulfillmentOrder").text("orderId")
