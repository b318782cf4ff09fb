"""Customers who ask what is stored, and who are forgotten: over really signed webhooks, through every runner."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from hemi.lib import erasure
from hemi.tests import searching
from integrations import alerts, inbox, ledger, privacy
from integrations.models import AccountShopify, PrivacyRequest, Redaction, StaffAlert, WebhookEvent
from integrations.services import webhook_events
from integrations.services.refusals import Refused
from integrations.tests.webhooks import post, post_to_app
from orders import intake
from orders.models import Order
from orders.services import Refused as OrderRefused
from orders.tests import bodies
from sandbox.ftp import FtpSandbox
from sandbox.supplier_documents import Verdict, reply_document
from suppliers import inbound, outbox, rendering, replies, routing
from suppliers.models import Delivery, DeliveryContent, PreSendRule, RoutingRule, Supplier, SupplierReply
from suppliers.services import deliveries, orders, parts
from suppliers.tests import factories
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)

NAME, EMAIL, PHONE, STREET = "Wilhelmine Quästenberg", "quasten@example.net", "+49 170 5550199", "Birkenstieg 77b"
WORDS = (NAME, "Quästenberg", EMAIL, PHONE, STREET)
BUTTONS = ("download", "mark_done")
CUSTOMER = 8_112_233_445_566


@pytest.fixture
def account(account):
    account.orders_from = timezone.now() - timedelta(days=1000)
    account.shopify_shop_id = 54_838_974
    account.save()
    return account


@pytest.fixture
def server(tmp_path):
    with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
        yield server
        sessions.kept.close_idle()


@pytest.fixture
def supplier(account, server):
    endpoint = factories.endpoint(server, replies_folder="out")
    supplier = factories.supplier(endpoint=endpoint, name="Northwind", code="NORTH", mode=Supplier.Mode.LIVE)
    RoutingRule.objects.create(supplier=supplier, is_everything_else=True)
    return supplier


def person(**changes):
    first, last = NAME.split()
    place = {"first_name": first, "last_name": last, "name": NAME, "address1": STREET, "phone": PHONE}
    customer = {"id": CUSTOMER, "email": EMAIL, "phone": PHONE, "first_name": first, "last_name": last}
    lines = [bodies.line(changes.get("id", 1), 1, "Northwind", "NW-1", 2, properties=[engraving()])]
    return bodies.order(
        **{"email": EMAIL, "phone": PHONE, "customer": customer, "note": f"Ring at {NAME}", "line_items": lines}
        | {"shipping_address": bodies.address(**place), "billing_address": bodies.address(**place)}
        | changes
    )


def engraving():
    return {"name": "engraving", "value": f"For {NAME}"}


def send(client, account, body, topic="orders/create", number=[0]):  # noqa: B006 - counts over all tests
    number[0] += 1
    post_ = post if topic.startswith("orders/") else post_to_app
    target = account if topic.startswith("orders/") else account.integration
    answer = post_(client, target, json.dumps(body).encode(), Topic=topic, Webhook_Id=f"w-{number[0]}")
    assert answer.status_code == 200
    inbox.process_events()
    return WebhookEvent.objects.get(webhook_id=f"w-{number[0]}")


def deliver():
    routing.route()
    rendering.render()
    for endpoint in {row.endpoint_id for row in Delivery.objects.filter(status="due")}:
        outbox.deliver(endpoint)


def wish(account, *order_ids, topic="customers/redact", **changes):
    wanted = "orders_requested" if topic == "customers/data_request" else "orders_to_redact"
    more = {"data_request": {"id": 9}} if topic == "customers/data_request" else {}
    return {
        "shop_id": account.shopify_shop_id,
        "shop_domain": account.domain,
        "customer": {"id": CUSTOMER, "email": EMAIL, "phone": PHONE},
        wanted: list(order_ids),
        **more,
        **changes,
    }


def again():
    PrivacyRequest.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    privacy.work()


def answer(server, supplier, part):
    verdict = Verdict("rejected", f"{NAME} does not answer {PHONE}")
    fetch(server, supplier, reply_document(part.reference, "NW-9", verdict))
    replies.apply_replies()
    routing.route()


def fetch(server, supplier, content):
    folder = server.root / "out"
    folder.mkdir(exist_ok=True)
    (folder / "R.xml").write_bytes(content)
    for _ in range(2):
        factories.let_time_pass()
        inbound.collect(supplier.endpoint_id)


def test_nothing_of_a_forgotten_customer_is_found_anywhere(client, account, supplier, server):
    PreSendRule.objects.create(supplier=supplier, field="ship_to.name", demand="one_of", value="Else", remedy="warn")
    body = person()
    send(client, account, body)
    send(client, account, {**body, "updated_at": "2026-11-20T12:00:00+01:00"}, "orders/updated")
    deliver()
    part = Order.objects.get().supplier_orders.get()
    assert NAME in part.findings[0]["text"] and DeliveryContent.objects.exists()
    answer(server, supplier, part)
    parts.deal_with(supplier_order=part, reason=f"Spoke with {NAME}", by=None)
    routing.route()
    alerts.raise_alert("delivery_dead", 7, f"No file for {NAME}", f"{NAME}, {STREET}, {EMAIL}")
    before = Delivery.objects.get()
    assert searching.in_rows(WORDS)  # else the test could not fail
    assert searching.in_files(WORDS) or connection.vendor != "sqlite"

    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()

    assert searching.in_rows(WORDS) == []
    connection.close()
    assert searching.in_files(WORDS) == []
    assert connection.vendor == "sqlite" or vacuumed("orders_order")
    order, delivery = Order.objects.get(), Delivery.objects.get()
    assert (order.shopify_id, order.customer_id, str(order.total)) == (body["id"], CUSTOMER, "51.5000")
    assert (delivery.sha256, delivery.size, bytes(delivery.document)) == (before.sha256, before.size, b"")
    assert delivery.redacted_at and SupplierReply.objects.get().redacted_at
    request = PrivacyRequest.objects.get()
    assert request.status == "done"
    assert "1 orders" in request.report and "1 documents" in request.report and "webhooks" in request.report
    assert Redaction.objects.filter(customer_id=CUSTOMER, shopify_order_id=body["id"]).exists()


def vacuumed(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_vacuum FROM pg_stat_user_tables WHERE relname = %s", [table])
        return cursor.fetchone()[0]


def test_another_customer_is_left_alone(client, account, supplier):
    mine = person()
    other = person(customer={"id": 5, "first_name": "Ola", "last_name": "Łuk"}, email="ola@example.com", note="")
    for body in (mine, other):
        send(client, account, body)
    deliver()
    send(client, account, wish(account, mine["id"]), "customers/redact")
    privacy.work()
    kept = Order.objects.get(shopify_id=other["id"])
    assert (kept.redacted_at, kept.email, kept.shipping_address["address1"]) == (None, "ola@example.com", STREET)
    assert bytes(kept.supplier_orders.get().delivery.document)
    assert WebhookEvent.objects.filter(redacted_at=None, topic="orders/create").count() == 1


def test_what_is_still_due_is_sent_first(client, account, supplier, server):
    body = person()
    send(client, account, body)
    routing.route()
    rendering.render()
    orders.hold(order=Order.objects.get(), reason="A question", by=None)
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    request = PrivacyRequest.objects.get()
    assert (request.status, Order.objects.get().email) == ("waiting", EMAIL)
    assert "NORTH-1 for Northwind: on hold." in request.report
    assert not StaffAlert.objects.filter(kind="privacy_due").exists()

    PrivacyRequest.objects.update(due_at=timezone.now() + timedelta(days=4))
    again()
    again()
    alert = StaffAlert.objects.get(kind="privacy_due")
    assert "on hold" in alert.text and Order.objects.get().email == EMAIL

    orders.release(order=Order.objects.get(), reason="paid", by=None)
    deliver()
    again()
    request.refresh_from_db()
    assert (request.status, Delivery.objects.get().status) == ("done", "sent")
    assert len(list((server.root / "in").glob("*.xml"))) == 1
    assert searching.in_rows(WORDS) == []
    assert not StaffAlert.objects.filter(kind="privacy_due", cleared_at=None).exists()


def dead(row):
    Delivery.objects.filter(pk=row.pk).update(status="dead")


def uncertain(row):
    Delivery.objects.filter(pk=row.pk).update(status="uncertain")


def paused(row):
    AccountShopify.objects.update(paused_at=timezone.now())


@pytest.mark.parametrize(("spoil", "word"), [(dead, "given up"), (uncertain, "uncertain"), (paused, "paused")])
def test_a_file_that_hangs_is_waited_for_until_staff_cancel_it(client, account, supplier, spoil, word):
    body = person()
    send(client, account, body)
    routing.route()
    rendering.render()
    spoil(Delivery.objects.get())
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    request = PrivacyRequest.objects.get()
    assert word in request.report
    assert bytes(Delivery.objects.get().document)
    Delivery.objects.update(status="dead")
    orders.cancel(order=Order.objects.get(), reason="Forgotten", by=None)
    again()
    request.refresh_from_db()
    assert request.status == "done"


def swapped(account, order):
    return "shop/redact", wish(account, order)


def an_order(account, order):
    return "shop/redact", person()


def another_shop(account, order):
    return "customers/redact", wish(account, order, shop_domain="other.myshopify.com")


def another_shop_id(account, order):
    return "customers/redact", wish(account, order, shop_id=1)


def nobody(account, order):
    return "customers/redact", wish(account, order, customer={"id": None, "email": EMAIL})


def a_request(account, order):
    return "customers/redact", wish(account, order, topic="customers/data_request")


def no_list(account, order):
    return "customers/redact", wish(account, orders_to_redact="all")


@pytest.mark.parametrize("odd", [swapped, an_order, another_shop, another_shop_id, nobody, a_request, no_list])
def test_what_the_body_does_not_bear_out_removes_nothing(client, account, supplier, odd):
    body = person()
    send(client, account, body)
    topic, said = odd(account, body["id"])
    event = send(client, account, said, topic)
    privacy.work()
    assert event.status == "failed" and event.note
    assert Order.objects.get(shopify_id=body["id"]).email == EMAIL
    assert not PrivacyRequest.objects.exists() and not Redaction.objects.exists()
    assert StaffAlert.objects.get(kind="webhook").key == str(event.pk)


def test_a_later_webhook_brings_nothing_back(client, account, supplier):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    send(client, account, {**body, "updated_at": "2027-01-01T00:00:00Z"}, "orders/updated")
    assert Order.objects.get().shop_updated_at.year == 2027
    deliver()
    assert searching.in_rows(WORDS) == []
    assert Delivery.objects.count() == 1


def test_a_late_reply_counts_and_brings_nothing_back(client, account, supplier, server):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    part = Order.objects.get().supplier_orders.get()
    answer(server, supplier, part)
    part.refresh_from_db()
    assert part.status == "rejected" and part.attention
    assert SupplierReply.objects.get().status == "applied"
    assert searching.in_rows(WORDS) == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only: what is left in its files")
def test_what_comes_late_is_gone_from_the_files_by_morning(client, account, supplier, server):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    send(client, account, {**body, "updated_at": "2027-01-01T00:00:00Z"}, "orders/updated")
    answer(server, supplier, Order.objects.get().supplier_orders.get())
    assert searching.in_files(WORDS)  # the journal still has what came
    noon, night = (timezone.now().replace(hour=hour) for hour in (12, 3))
    erasure.rewrite_by_night(noon)
    assert searching.in_files(WORDS)
    erasure.rewrite_by_night(night)
    assert searching.in_files(WORDS) == []
    written_at = Path(connection.settings_dict["NAME"]).stat().st_mtime_ns
    erasure.rewrite_by_night(night)
    assert Path(connection.settings_dict["NAME"]).stat().st_mtime_ns == written_at  # once is enough


def test_a_late_reply_that_cannot_be_read_is_not_kept(client, account, supplier, server, caplog):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    part = Order.objects.get().supplier_orders.get()
    good = reply_document(part.reference, "NW-9", Verdict("accepted"))
    odd = good.replace(b"<Status>accepted", f"<Status>{NAME}".encode())
    fetch(server, supplier, odd)
    fetch(server, supplier, odd.replace(part.reference.encode(), b"HM999999-NORTH-1"))
    replies.apply_replies()
    mine, unknown = SupplierReply.objects.order_by("pk")
    assert (mine.status, bytes(mine.content), bool(mine.redacted_at)) == ("unreadable", b"", True)
    assert NAME not in mine.note and NAME in bytes(unknown.content).decode()
    assert NAME not in caplog.text


def test_a_reply_that_waits_is_read_before_it_is_emptied(client, account, supplier, server):
    body = person()
    send(client, account, body)
    deliver()
    part = Order.objects.get().supplier_orders.get()
    fetch(server, supplier, reply_document(part.reference, "NW-9", Verdict("rejected", f"{NAME} moved")))
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    assert "the reply R.xml: it was not read yet" in PrivacyRequest.objects.get().report
    replies.apply_replies()
    routing.route()
    again()
    part.refresh_from_db()
    assert (PrivacyRequest.objects.get().status, part.status) == ("done", "rejected")
    assert searching.in_rows(WORDS) == []


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "ascii"])
def test_a_reply_of_no_order_goes_in_whatever_encoding(client, account, supplier, server, encoding):
    body = person()
    send(client, account, body)
    deliver()
    fetch(server, supplier, f"<odd>{NAME} moved</odd>".encode(encoding, "xmlcharrefreplace"))
    replies.apply_replies()
    assert SupplierReply.objects.get().size
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    assert bytes(SupplierReply.objects.get().content) == b""


def test_what_comes_in_while_it_is_removed_goes_as_well(client, account, supplier, server, settings):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    meanwhile.update(run=lambda: comes_in(client, account, supplier, server, body))
    first, *others = settings.PRIVACY_REDACTORS
    settings.PRIVACY_REDACTORS = [first, others[0], f"{__name__}.pause", *others[1:]]
    privacy.work()
    assert (PrivacyRequest.objects.get().status, SupplierReply.objects.get().status) == ("done", "applied")
    assert searching.in_rows(WORDS) == []


meanwhile = {}


def pause(subject, known):
    """Let something happen in the middle of a redaction, once."""
    meanwhile.pop("run", lambda: None)()
    return {}


def comes_in(client, account, supplier, server, body):
    send(client, account, {**body, "updated_at": "2026-11-20T12:00:00+01:00"}, "orders/updated")
    answer(server, supplier, Order.objects.get().supplier_orders.get())


def test_what_a_supplier_wrote_goes_as_a_whole(client, account, supplier, server):
    body = person()
    send(client, account, body)
    deliver()
    part = Order.objects.get().supplier_orders.get()
    fetch(server, supplier, reply_document(part.reference, "NW-9", Verdict("rejected", "Fr. Qstbg has moved")))
    replies.apply_replies()
    routing.route()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    assert searching.in_rows(["Qstbg"]) == []


def test_an_old_order_that_was_never_seen_comes_without_its_customer(client, account, supplier):
    first, late = person(), person()
    send(client, account, first)
    deliver()
    send(client, account, wish(account, first["id"], late["id"]), "customers/redact")
    privacy.work()
    unlisted = person()  # a reconciliation would bring it
    send(client, account, late)
    send(client, account, unlisted)
    assert searching.in_rows(WORDS) == []
    assert set(Order.objects.values_list("state", flat=True)) == {"nothing"}


def test_an_order_that_is_paid_too_late_is_shown_to_a_person(client, account, supplier):
    body = person(financial_status="pending")
    send(client, account, body)
    deliver()
    assert Order.objects.get().state == "unpaid"
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    deliver()
    order = Order.objects.get()
    assert "1 orders that wait and will never go out" in PrivacyRequest.objects.get().report
    assert (order.attention, order.state_reason) == ("", "Its customer's personal data was removed.")
    later = {**body, "financial_status": "paid", "updated_at": "2027-01-01T00:00:00Z"}
    send(client, account, later, "orders/paid")
    deliver()
    order.refresh_from_db()
    assert "it never is" in order.attention and not Delivery.objects.exists()
    orders.cancel(order=order, reason="Refunded", by=None)
    deliver()
    order.refresh_from_db()
    assert order.attention == ""


def test_an_order_that_went_out_needs_nobody(client, account, supplier):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    deliver()
    assert Order.objects.get().attention == ""


def test_who_orders_again_is_a_customer_again(client, account, supplier):
    first = person()
    send(client, account, first)
    deliver()
    send(client, account, wish(account, first["id"]), "customers/redact")
    privacy.work()
    later = (timezone.now() + timedelta(minutes=1)).isoformat()
    send(client, account, person(created_at=later, updated_at=later))
    deliver()
    order = Order.objects.get(redacted_at=None)
    assert (order.email, order.supplier_orders.get().delivery.status) == (EMAIL, "sent")


def test_a_new_order_that_waits_in_the_inbox_keeps_its_address(client, account, supplier):
    first = person()
    send(client, account, first)
    deliver()
    send(client, account, wish(account, first["id"]), "customers/redact")
    later = (timezone.now() + timedelta(minutes=1)).isoformat()
    fresh = json.dumps(person(created_at=later, updated_at=later)).encode()
    assert post(client, account, fresh, Webhook_Id="waiting").status_code == 200
    privacy.work()
    inbox.process_events()
    assert Order.objects.get(redacted_at=None).shipping_address["address1"] == STREET


def test_what_was_redacted_is_neither_sent_nor_read_again(client, account, supplier, admin_client):
    body = person()
    event = send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    Delivery.objects.update(status="dead")
    WebhookEvent.objects.filter(pk=event.pk).update(status="failed")
    with pytest.raises(OrderRefused):
        deliveries.retry_now(delivery=Delivery.objects.get(), reason="Mended", by=None)
    with pytest.raises(Refused, match="removed"):
        webhook_events.replay(event=WebhookEvent.objects.get(pk=event.pk), by=None)
    Delivery.objects.update(status="due", next_attempt_at=timezone.now())
    assert outbox.deliver(supplier.endpoint_id) == 0
    answer = admin_client.get(f"/admin/suppliers/delivery/{Delivery.objects.get().pk}/download", follow=True)
    assert "data was removed" in answer.content.decode()


def test_a_customer_who_asks_gets_a_file(client, account, supplier, server, admin_client):
    body = person()
    send(client, account, body)
    deliver()
    answer(server, supplier, Order.objects.get().supplier_orders.get())
    send(client, account, wish(account, body["id"], topic="customers/data_request"), "customers/data_request")
    privacy.work()
    privacy.work()
    request = PrivacyRequest.objects.get()
    assert (request.due_at - request.received_at).days == 30
    held = json.loads(bytes(request.answer))
    assert held["orders"][0]["shipping_address"]["address1"] == STREET
    assert NAME in held["documents"][0]["content"] and PHONE in held["replies"][0]["content"]
    assert StaffAlert.objects.get(kind="privacy").cleared_at is None
    assert "Privacy requests" in admin_client.get("/admin/").content.decode()
    download, done = (reverse(f"admin:integrations_privacyrequest_{name}", args=[request.pk]) for name in BUTTONS)
    assert json.loads(admin_client.get(download).content) == held
    assert admin_client.post(done, {"_form_submitted": "on"}).status_code == 302
    request.refresh_from_db()
    assert (request.status, request.answer) == ("done", None)
    assert StaffAlert.objects.get(kind="privacy").cleared_at
    assert Order.objects.get().email == EMAIL  # asking removes nothing


def test_a_file_that_was_gathered_goes_with_its_customer(client, account, supplier):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"], topic="customers/data_request"), "customers/data_request")
    privacy.work()
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    assert searching.in_rows(WORDS) == []


def test_a_store_that_left_is_forgotten(client, account, supplier):
    for _ in range(2):
        send(client, account, person())
    deliver()
    alerts.raise_alert("install_mail", 1, "Not mailed", "550 <owner@test.example> is unknown here")
    whole = {"shop_id": account.shopify_shop_id, "shop_domain": account.domain}
    AccountShopify.objects.update(access_token="shpat_x")
    send(client, account, whole, "shop/redact")
    privacy.work()
    request = PrivacyRequest.objects.get()
    assert "connected" in request.report and Order.objects.filter(email=EMAIL).count() == 2
    AccountShopify.objects.update(access_token="")
    again()
    request.refresh_from_db()
    assert request.status == "done"
    assert searching.in_rows([*WORDS, "owner@test.example"]) == []
    assert Redaction.objects.get().customer_id == 0


def test_the_ledger_is_applied_again_after_a_restore(client, account, supplier):
    body = person()
    send(client, account, body)
    deliver()
    kept = {model: list(model.objects.values()) for model in (WebhookEvent, Order, Delivery)}
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    for model, rows in kept.items():  # as a backup from before holds them
        for row in rows:
            model.objects.filter(pk=row["id"]).update(**row)
    assert searching.in_rows(WORDS)
    assert privacy.reapply() >= 3
    assert searching.in_rows(WORDS) == []
    assert privacy.reapply() == 0


def test_a_saved_ledger_reaches_a_backup_that_is_older(client, account, supplier, tmp_path):
    body = person()
    send(client, account, body)
    deliver()
    kept = {model: list(model.objects.values()) for model in (WebhookEvent, Order, Delivery)}
    send(client, account, wish(account, body["id"]), "customers/redact")
    privacy.work()
    saved = tmp_path / "redactions.json"
    call_command("redactions", "save", str(saved))
    assert not any(word in saved.read_text() for word in WORDS)
    Redaction.objects.all().delete()
    for model, rows in kept.items():
        for row in rows:
            model.objects.filter(pk=row["id"]).update(**row)
    call_command("redactions", "apply", str(saved))
    assert searching.in_rows(WORDS) == []
    saved.write_text("[1]")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("redactions", "apply", str(saved))


def test_a_store_that_asked_again_after_the_backup_is_asked_of_up_to_then(account):
    early, late = timezone.now() - timedelta(days=20), timezone.now() - timedelta(days=1)
    Redaction.objects.create(shop_name="test", at=early)
    row = {"shop_name": "test", "shopify_shop_id": None, "customer_id": 0, "shopify_order_id": 0}
    ledger.load([{**row, "at": late.isoformat()}, {**row, "at": (early - timedelta(days=1)).isoformat()}])
    assert Redaction.objects.get().at == late
    ledger.load([{**row, "at": early.isoformat()}])
    assert Redaction.objects.get().at == late


def test_the_ledger_finds_a_store_by_its_id_whatever_it_is_called(client, account, supplier, tmp_path, capsys):
    body = person()
    send(client, account, body)
    deliver()
    kept = {model: list(model.objects.values()) for model in (WebhookEvent, Order, Delivery)}
    AccountShopify.objects.update(shop_name="renamed", former_names=["test"])
    account.refresh_from_db()
    renamed = post_to_app(
        client,
        account.integration,
        json.dumps(wish(account, body["id"])).encode(),
        Topic="customers/redact",
        Shop_Domain="renamed.myshopify.com",
    )
    assert renamed.status_code == 200
    inbox.process_events()
    privacy.work()
    saved = tmp_path / "redactions.json"
    call_command("redactions", "save", str(saved))
    Redaction.objects.all().delete()
    AccountShopify.objects.update(shop_name="test", former_names=[])  # the backup is older than the new name
    for model, rows in kept.items():
        for row in rows:
            model.objects.filter(pk=row["id"]).update(**row)
    call_command("redactions", "apply", str(saved))
    assert searching.in_rows(WORDS) == []
    Redaction.objects.create(shop_name="elsewhere", shopify_shop_id=5)
    call_command("redactions", "apply")
    assert "of these stores, so nothing was looked for: elsewhere." in capsys.readouterr().err


def test_a_customer_is_removed_from_each_account_of_the_store(client, account, supplier):
    body = person()
    send(client, account, body)
    deliver()
    AccountShopify.objects.update(shop_name="former")
    values = {"integration": account.integration, "shopify_shop_id": account.shopify_shop_id}
    back = AccountShopify.objects.create(shop_name="test", **values)
    send(client, back, wish(back, body["id"], topic="customers/data_request"), "customers/data_request")
    privacy.work()
    assert NAME in bytes(PrivacyRequest.objects.get().answer).decode()
    send(client, back, wish(back, body["id"]), "customers/redact")
    privacy.work()
    assert searching.in_rows(WORDS) == []


def test_a_store_that_took_over_a_name_is_not_covered(client, account, supplier):
    Redaction.objects.create(shop_name="test", shopify_shop_id=5, at=timezone.now())
    send(client, account, person())
    assert Order.objects.get().email == EMAIL


def test_a_store_that_came_back_keeps_its_contacts_after_a_restore(client, account, supplier):
    Redaction.objects.create(shop_name="test", shopify_shop_id=account.shopify_shop_id, at=timezone.now())
    AccountShopify.objects.update(access_token="shpat_x")
    privacy.reapply()
    account.refresh_from_db()
    assert account.client_email == "owner@test.example"


def test_two_workers_at_once_do_it_once(client, account, supplier):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    barrier, done, failures = threading.Barrier(2), [], []

    def worker():
        barrier.wait()
        try:
            done.append(privacy.work())
        except Exception as error:  # noqa: BLE001 - a thread's error must fail the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again()
    assert failures == [] and sum(done) == 1
    assert PrivacyRequest.objects.get().status == "done"
    assert Order.objects.get().events.filter(kind="redacted").count() == 1


def test_a_failure_is_kept_without_the_persons_words_and_tried_again(client, account, supplier, settings, caplog):
    body = person()
    send(client, account, body)
    deliver()
    send(client, account, wish(account, body["id"]), "customers/redact")
    settings.PRIVACY_REDACTORS = [*settings.PRIVACY_REDACTORS, f"{__name__}.stumble"]
    privacy.work()
    request = PrivacyRequest.objects.get()
    assert (request.status, request.last_error.split()[0]) == ("waiting", "ValueError")
    assert NAME not in "".join(str(vars(record)) for record in caplog.records)
    settings.PRIVACY_REDACTORS = settings.PRIVACY_REDACTORS[:-1]
    again()
    request.refresh_from_db()
    assert (request.status, request.last_error) == ("done", "")


def stumble(subject, known):
    """Fail with a person's data in the message."""
    raise ValueError(f"{NAME} is odd")


def test_the_test_orders_body_still_reads_once_stripped():
    assert intake.payloads.parse_order(webhook_body(person())).lines[0].properties == []


def webhook_body(body):
    return privacy.redaction.body_redaction.without_person(json.dumps(body).encode())
