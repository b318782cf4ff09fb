"""Orders go as a whole when they are old and nothing about them is open; attempts and files of replies go earlier."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from hemi.lib.thinning import Slice
from hemi.tests.one_of_each import order_line
from integrations.models import AccountShopify, AccountShopline, Client, PrivacyRequest
from orders import readiness
from orders.models import Fulfilment, Order, OrderEvent, OrderLine, Shipment, ShopperLink
from suppliers import retention
from suppliers.models import (
    Amendment,
    Delivery,
    DeliveryAttempt,
    DeliveryDocument,
    EndpointCheck,
    ReplyStatement,
    SupplierOrder,
    SupplierOrderLine,
    SupplierReply,
)
from suppliers.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
THEN, OLD = timedelta(days=3700), timedelta(days=91)


def made(supplier, age=THEN, **values):
    """Make an order that was sent, answered, shipped and told, so long ago."""
    at = timezone.now() - age
    moments = {"placed_at": at, "stored_at": at, "shop_updated_at": at}
    order = factories.order(**{**moments, **values})
    part = factories.part(supplier, order=order, status="shipped", sent_at=at, replied_at=at, reply_due_at=at)
    line = order_line(order, routing="routed")
    SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=1)
    sent = factories.delivery(supplier, supplier_order=part, status="sent", step="sent", sent_at=at)
    DeliveryAttempt.objects.create(delivery=sent, number=1, started_at=at, ended_at=at, outcome="sent")
    reply = SupplierReply.objects.create(
        endpoint=supplier.endpoint,
        file_name=f"{part.reference}.xml",
        sha256="1" * 64,
        size=1,
        content=b"x",
        status="applied",
        supplier_order=part,
        received_at=at,
    )
    ReplyStatement.objects.create(
        reply=reply, position=1, reference=part.reference, status="applied", supplier_order=part
    )
    shipment = Shipment.objects.create(order=order, reference=part.reference, despatch="D", status="told")
    Fulfilment.objects.create(shipment=shipment, fulfillment_order_id=1, status="done")
    Amendment.objects.create(supplier_order=part, status="settled", sent_as=part)
    OrderEvent.objects.create(order=order, kind="received", text="Received.", at=at)
    return order


MADE = (
    Order,
    OrderLine,
    OrderEvent,
    SupplierOrder,
    SupplierOrderLine,
    Delivery,
    DeliveryAttempt,
    DeliveryDocument,
    SupplierReply,
    ReplyStatement,
    Shipment,
    Fulfilment,
    Amendment,
)


def counts():
    return {model.__name__: model.objects.count() for model in MADE}


@pytest.fixture
def supplier():
    return factories.supplier()


def test_an_old_order_goes_with_all_that_was_made_of_it(supplier):
    made(supplier)
    young = made(supplier, age=timedelta(days=10))
    retention.thin(Slice())
    assert counts() == dict.fromkeys(counts(), 1)
    assert Order.objects.get() == young
    assert AccountShopify.objects.count() == 2


def test_revisions_go_together(supplier):
    order = made(supplier)
    first = SupplierOrder.objects.get()
    factories.part(supplier, order=order, status="sent", revision=2, replaces=first, sent_at=first.sent_at)
    retention.thin(Slice())
    assert not SupplierOrder.objects.exists()


OPEN = {
    "held": lambda o: Order.objects.update(held_at=timezone.now()),
    "needs attention": lambda o: Order.objects.update(attention="Look."),
    "to be routed": lambda o: Order.objects.update(needs_routing=True),
    "to be read again": lambda o: Order.objects.update(needs_reread=True),
    "changed lately": lambda o: Order.objects.update(shop_updated_at=timezone.now()),
    "stored lately": lambda o: Order.objects.update(stored_at=timezone.now()),
    "a line that nobody takes": lambda o: OrderLine.objects.update(routing="unrouted"),
    "part waiting": lambda o: SupplierOrder.objects.update(status="waiting"),
    "part blocked": lambda o: SupplierOrder.objects.update(status="blocked"),
    "part held": lambda o: SupplierOrder.objects.update(held_at=timezone.now()),
    "part needs attention": lambda o: SupplierOrder.objects.update(attention="Look."),
    "unreplied": lambda o: SupplierOrder.objects.update(replied_at=None),
    "replied lately": lambda o: SupplierOrder.objects.update(replied_at=timezone.now()),
    "due": lambda o: Delivery.objects.update(status="due"),
    "dead": lambda o: Delivery.objects.update(status="dead"),
    "uncertain": lambda o: Delivery.objects.update(status="uncertain"),
    "sent again lately": lambda o: Delivery.objects.update(sent_at=timezone.now()),
    "open amendment": lambda o: Amendment.objects.update(status="open"),
    "reply unread": lambda o: SupplierReply.objects.update(status="new"),
    "reply unreadable": lambda o: SupplierReply.objects.update(status="unreadable"),
    "statement waiting": lambda o: ReplyStatement.objects.update(status="waiting"),
    "statement unmatched": lambda o: ReplyStatement.objects.update(status="unmatched"),
    "shipment untold": lambda o: Shipment.objects.update(status="waiting"),
    "shipment blocked": lambda o: Shipment.objects.update(status="blocked"),
    "fulfilment uncertain": lambda o: Fulfilment.objects.update(status="uncertain"),
    "privacy request": lambda o: PrivacyRequest.objects.create(
        kind="customers/data_request", shop_name=o.account.shop_name, due_at=timezone.now()
    ),
}


@pytest.mark.parametrize("state", ["unpaid", "filtered", "too_old"])
@pytest.mark.parametrize("made_before", [False, True])
def test_what_nobody_paid_for_or_wanted_goes_as_well(supplier, state, made_before):
    order = made(supplier)
    if made_before:  # it was about to go out when the payment was voided
        SupplierOrder.objects.update(status="ready", sent_at=None, replied_at=None, reply_due_at=None)
        Delivery.objects.update(status="due", is_held=True, step="", sent_at=None)
        Amendment.objects.all().delete()
    Order.objects.update(state=state)
    retention.thin(Slice())
    assert not Order.objects.filter(pk=order.pk).exists()


def test_what_is_stopped_but_may_lie_at_the_supplier_stays(supplier):
    made(supplier)
    SupplierOrder.objects.update(status="ready", sent_at=None, replied_at=None, reply_due_at=None)
    Delivery.objects.update(status="due", is_held=True, step="renaming", sent_at=None)
    Order.objects.update(state="unpaid")
    retention.thin(Slice())
    assert Order.objects.exists()


@pytest.mark.parametrize("why", OPEN)
def test_what_is_open_stays_whole(supplier, why):
    order = made(supplier)
    OPEN[why](order)
    retention.thin(Slice())
    found = counts()
    assert found.pop("DeliveryAttempt") == (1 if why in ("due", "dead", "uncertain") else 0)
    assert found == dict.fromkeys(found, 1)


def test_attempts_and_files_of_replies_go_earlier_and_the_document_stays(supplier):
    made(supplier, age=OLD)
    before = counts()
    assert retention.thin(Slice()) == 2
    assert counts() == {**before, "DeliveryAttempt": 0}
    reply = SupplierReply.objects.get()
    assert (bytes(reply.content), reply.sha256, reply.size, reply.status) == (b"", "1" * 64, 1, "applied")
    assert Delivery.objects.get().document.startswith(b"<Order>")
    assert retention.thin(Slice()) == 0


@pytest.mark.parametrize("status", ["new", "partly", "unmatched", "unreadable"])
def test_a_reply_that_waits_keeps_its_file(supplier, status):
    made(supplier, age=OLD)
    SupplierReply.objects.update(status=status)
    retention.thin(Slice())
    assert bytes(SupplierReply.objects.get().content) == b"x"


def test_a_file_about_several_orders_goes_with_the_last(supplier):
    gone, stays = made(supplier), made(supplier, age=timedelta(days=10))
    reply = SupplierReply.objects.get(supplier_order__order=gone)
    part = SupplierOrder.objects.get(order=stays)
    ReplyStatement.objects.create(reply=reply, position=2, reference="x", status="applied", supplier_order=part)
    SupplierReply.objects.filter(pk=reply.pk).update(supplier_order=None)
    retention.thin(Slice())
    assert list(reply.statements.values_list("supplier_order", flat=True)) == [part.pk]
    assert list(Order.objects.all()) == [stays]


def test_shoppers_go_with_their_last_order(supplier):
    made(supplier, email="Gone@example.com")
    stays = made(supplier, age=timedelta(days=10), email="Stays@example.com", customer_id=7)
    shop = AccountShopline.objects.create(client=Client.objects.create(name="C"), merchant_id="m", app_id="a")
    known = {"shopline": shop, "source": "order", "created_at": timezone.now() - THEN}
    for number, email in enumerate(("gone@example.com", "stays@example.com", "another@example.com")):
        ShopperLink.objects.create(customer_id=f"c{number}", email=email, **known)
    ShopperLink.objects.filter(customer_id="c2").update(account=stays.account, shopify_customer_id=7)
    young = ShopperLink.objects.create(
        customer_id="c3", email="x@example.com", **{**known, "created_at": timezone.now()}
    )
    retention.thin(Slice())
    assert set(ShopperLink.objects.values_list("customer_id", flat=True)) == {"c1", "c2", young.customer_id}


def test_former_checks_of_an_endpoint_go_and_the_last_stays(supplier):
    at = timezone.now() - OLD
    for _ in range(3):
        last = EndpointCheck.objects.create(endpoint=supplier.endpoint, status="passed", created_at=at)
    assert retention.thin(Slice()) == 2
    assert EndpointCheck.objects.get() == last


def test_an_order_that_comes_back_from_the_past_is_not_sent_again(supplier):
    order = made(supplier, stored_at=timezone.now())
    order.account.orders_from = timezone.now() - 2 * THEN
    assert readiness.state(order, 1)[0] != Order.State.TOO_OLD  # the account is younger: nothing of it was deleted
    order.account.created_at = order.account.orders_from
    state, reason = readiness.state(order, 1)
    assert (state, "longer than orders are kept" in reason) == (Order.State.TOO_OLD, True)
    order.stored_at = order.placed_at
    assert readiness.state(order, 1)[0] != Order.State.TOO_OLD


def test_orders_go_a_few_at_a_time_and_the_command_counts_them(supplier, capsys):
    for _ in range(23):
        made(supplier)
    slice_ = Slice()
    slice_.take("orders", [], len)
    call_command("thin")
    said = capsys.readouterr().out
    assert "orders" in said and "23" in said
    assert counts() == dict.fromkeys(counts(), 0)
