"""A webhook is followed through the log, to its files, by one id and the same words in every app."""

import json
import logging

import pytest

from hemi.lib import logs
from hemi.lib.logs import ConsoleFormatter, JsonFormatter
from integrations import inbox
from integrations.models import WebhookEvent
from integrations.tests.conftest import shopify, store  # noqa: F401 - fixtures
from integrations.tests.webhooks import headers, post
from orders import reread
from orders.models import Order
from orders.tests import bodies
from sandbox.ftp import FtpSandbox
from suppliers import outbox, rendering, routing
from suppliers.models import Delivery, RoutingRule
from suppliers.tests import factories
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db


class Lines(logging.Handler):
    """The lines as they leave the process."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.found: list[dict] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(json.loads(self.format(record)))


@pytest.fixture
def lines():
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler.found
    logging.getLogger().removeHandler(handler)


def test_one_spelling_for_the_account_and_for_the_event(client, account, caplog):
    caplog.set_level(logging.INFO)
    assert post(client, account, bodies.encode(bodies.order())).status_code == 200
    inbox.process_events()
    event, order = WebhookEvent.objects.get(), Order.objects.get()
    said = {record.getMessage(): vars(record) for record in caplog.records}
    for name in ("webhook.accepted", "webhook.processed", "order.received"):
        assert (said[name]["account"], said[name]["webhook_event"]) == (account.pk, event.pk), name
    assert said["order.received"]["order_id"] == order.pk
    text = "\n".join(ConsoleFormatter("%(message)s").format(record) for record in caplog.records)
    assert not any(other in text for other in ("account_id=", "event_id=", "actor_id="))


@pytest.mark.django_db(transaction=True)
def test_one_id_from_the_webhook_to_the_file(client, account, lines, tmp_path):
    with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
        supplier = factories.supplier(endpoint=factories.endpoint(server))
        RoutingRule.objects.create(priority=1, supplier=supplier)
        body = bodies.order()
        account.orders_from = "2020-01-01T00:00:00Z"
        account.save()
        assert post(client, account, bodies.encode(body)).status_code == 200
        inbox.process_events()
        first = WebhookEvent.objects.get()
        routing.route()
        # A newer webhook of the same order, which changes nothing for the supplier, comes in between.
        later = {**body, "updated_at": "2026-11-20T11:00:00+01:00", "financial_status": "partially_refunded"}
        assert post(client, account, bodies.encode(later), Webhook_Id="later").status_code == 200
        inbox.process_events()
        assert Order.objects.get().event_id != first.pk
        routing.route()
        mark = len(lines)
        rendering.render()
        outbox.deliver(supplier.endpoint_id)
        sessions.kept.close_idle()
    assert Delivery.objects.get().status == "sent"
    of_first = {line["event"] for line in lines if line.get("webhook_event") == first.pk}
    assert of_first >= {
        "webhook.accepted",
        "order.received",
        "webhook.processed",
        "order.routed",
        "order.document_made",
        "delivery.sent",
        "order.delivered",
    }
    assert [line for line in lines[mark:] if line.get("webhook_event") != first.pk] == []


def test_what_a_call_of_the_store_logs_bears_the_id(caplog):
    caplog.set_level(logging.INFO)
    with logs.following(webhook_event=7, request_id=None):
        with logs.following(order_id=3):
            logging.getLogger("x").info("inner", extra={"order_id": 4})
            line = json.loads(JsonFormatter().format(caplog.records[-1]))
            assert (line["webhook_event"], line["order_id"], "request_id" in line) == (7, 4, False)
        assert json.loads(JsonFormatter().format(caplog.records[-1]))["order_id"] == 4
        assert logs.followed("order_id") is None
    assert logs.followed("webhook_event") is None


def test_reading_an_order_again_bears_the_id_of_its_webhook(store, lines):  # noqa: F811
    event = WebhookEvent.objects.create(account=store, webhook_id="1", topic="orders/edited", body=b"")
    order = factories.order(account=store, event=event, needs_reread=True)
    assert reread.reread() == 1
    calls = [line for line in lines if line["event"] == "shopify.call"]
    assert {(line.get("webhook_event"), line.get("order_id")) for line in calls} == {(event.pk, order.pk)}


@pytest.mark.parametrize(
    ("said", "found"), [("8a5f" * 8, "8a5f" * 8), ("short", None), ("x" * 65, None), ("a\tb" * 9, None)]
)
def test_the_id_of_the_proxy_stands_in_what_a_request_logs(client, account, lines, said, found):
    body = bodies.encode(bodies.order())
    url = f"/shopify/webhooks/{account.uuid}/"
    sent = {**headers(body), "X-Request-ID": said}
    client.post(url, body, content_type="application/json", headers=sent)
    (line,) = [line for line in lines if line["event"] == "webhook.accepted"]
    assert line.get("request_id") == found
    assert logs.followed("request_id") is None
