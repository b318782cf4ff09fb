"""What Prometheus reads: from rows, the same of every process, with few labels, and for this machine alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from hemi import pulse, tallies
from hemi.lib import counters
from hemi.metrics import states, waiting
from integrations import connections, inbox
from integrations.models import AccountShopify, WebhookEvent
from integrations.shopify import stores
from integrations.tests.conftest import shopify, short_pauses, store  # noqa: F401 - fixtures
from orders.models import Order
from suppliers.models import Delivery, DeliveryAttempt, Endpoint
from suppliers.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_counts(monkeypatch):
    """Count apart from what other tests did, and hand over to the database by hand."""
    monkeypatch.setattr(counters, "_counters", counters.Counters())
    # The connection is the test's own.
    monkeypatch.setattr(connection, "close", lambda: None)
    counters.write_with(tallies.write, 3600)


def read(client: Client, **headers: str) -> dict[tuple, float]:
    """Return the values by name and sorted labels."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.status_code
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def look_twice() -> None:
    """Count what is there now: rows count from the second look on."""
    tallies.count_rows()
    tallies.count_rows()


def send(delivery: Delivery, seconds: float) -> None:
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk).update(status="sent", step="sent", sent_at=now)
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, started_at=now - timedelta(seconds=seconds), ended_at=now, outcome="sent"
    )


def test_what_came_and_went_is_counted_once_by_whoever_looks(client):
    factories.order()  # before the first look: history
    tallies.count_rows()
    supplier = factories.supplier()
    for _ in range(3):
        send(factories.delivery(supplier), seconds=2)
    assert read(client)["hemi_orders_total",] == 0  # they may still be being written
    look_twice()
    look_twice()
    found = read(client)
    assert found["hemi_orders_total",] == 3
    assert found["hemi_files_sent_total",] == 3
    assert found["hemi_delivery_attempts_total", ("outcome", "failed")] == 0
    assert found["hemi_step_seconds_count", ("step", "attempt")] == 3
    assert found["hemi_step_seconds_sum", ("step", "attempt")] == pytest.approx(6, abs=0.01)
    Order.objects.filter(supplier_orders=None).delete()
    look_twice()
    assert read(client)["hemi_orders_total",] == 3, "what is thinned out later was counted"


def test_samples_are_no_orders(client):
    tallies.count_rows()
    factories.order(shopify_id=-5)
    look_twice()
    assert read(client)["hemi_orders_total",] == 0


def test_time_from_webhook_to_order(client):
    tallies.count_rows()
    account = AccountShopify.objects.create(shop_name="a")
    came_at = timezone.now() - timedelta(seconds=4)
    event = WebhookEvent.objects.create(account=account, webhook_id="1", topic="t", body=b"", received_at=came_at)
    factories.order(account=account, event=event)
    look_twice()
    assert read(client)["hemi_step_seconds_sum", ("step", "order")] == pytest.approx(4, abs=0.5)


def test_oldest_waiting_row_by_kind(client):
    account = AccountShopify.objects.create(shop_name="a")
    for number, minutes in enumerate((1, 30, 5)):
        came_at = timezone.now() - timedelta(minutes=minutes)
        WebhookEvent.objects.create(
            account=account, webhook_id=str(number), topic="t", body=b"", received_at=came_at, next_attempt_at=came_at
        )
    WebhookEvent.objects.create(account=account, webhook_id="done", topic="t", body=b"", status="done")
    found = read(client)
    assert found["hemi_waiting_rows", ("kind", "webhook")] == 3
    assert found["hemi_oldest_waiting_seconds", ("kind", "webhook")] == pytest.approx(1800, abs=5)
    assert found["hemi_oldest_waiting_seconds", ("kind", "delivery")] == 0


def test_a_delivery_that_may_not_go_does_not_wait(client):
    supplier = factories.supplier()
    past = timezone.now() - timedelta(hours=1)
    row = factories.delivery(supplier, next_attempt_at=past)
    assert read(client)["hemi_oldest_waiting_seconds", ("kind", "delivery")] == pytest.approx(3600, abs=5)
    Delivery.objects.filter(pk=row.pk).update(is_held=True)
    assert read(client)["hemi_waiting_rows", ("kind", "delivery")] == 0


def test_breakers_one_by_one_while_they_are_few(client, monkeypatch):
    now = timezone.now()
    factories.endpoint(name="fine")
    factories.endpoint(name="away", opened_at=now)
    factories.endpoint(name="refused", opened_at=now, stopped_at=now)
    factories.endpoint(name="restored", closed_at=now)
    factories.endpoint(name="not in use", is_active=False, stopped_at=now)
    found = read(client)
    for name, state in {"fine": "works", "away": "left_alone", "refused": "stopped", "restored": "closed"}.items():
        assert found["hemi_endpoint_state", ("endpoint", name), ("state", state)] == 1
        assert found["hemi_endpoints", ("state", state)] == 1
    assert not any(("endpoint", "not in use") in key for key in found)
    monkeypatch.setattr(states, "FEW", 3)
    found = read(client)
    assert not any(key[0] == "hemi_endpoint_state" for key in found)
    assert found["hemi_endpoints", ("state", "stopped")] == 1


def test_tokens_that_end(client, monkeypatch):
    now = timezone.now()
    for number in range(3):
        AccountShopify.objects.create(
            shop_name=f"s{number}", access_token="t", token_expires_at=now + timedelta(hours=number - 1)
        )
    AccountShopify.objects.create(shop_name="gone", access_token="t", token_expires_at=now, disconnected_at=now)
    found = read(client)
    ends = {key for key in found if key[0] == "hemi_token_expiry_timestamp_seconds"}
    assert len(ends) == 3
    assert found["hemi_tokens_over",] == 2
    monkeypatch.setattr(states, "FEW", 2)
    found = read(client)
    key = ("hemi_token_expiry_timestamp_seconds", ("kind", "access"), ("store", ""))
    assert found[key] == pytest.approx((now - timedelta(hours=1)).timestamp(), abs=1)
    assert len([one for one in found if one[0] == key[0]]) == 1


def test_what_processes_counted_adds_up(client, monkeypatch):
    counters.add("shopify.calls", "one")
    counters.add("shopify.cost_points", "one", 12)
    counters.add("webhook.401")
    counters.tell()
    # Another process counts on.
    tallies.write({("shopify.calls", "one"): 2, ("shopify.calls", "two"): 1})
    found = read(client)
    assert found["hemi_shopify_calls_total", ("store", "one")] == 3
    assert found["hemi_shopify_calls_total", ("store", "two")] == 1
    assert found["hemi_shopify_cost_points_total", ("store", "one")] == 12
    assert found["hemi_webhooks_refused_total", ("status", "401")] == 1
    counters.tell()
    assert read(client)["hemi_shopify_calls_total", ("store", "one")] == 3, "told once"
    monkeypatch.setattr(tallies, "MOST_LABELS", 1)
    assert read(client)["hemi_shopify_calls_total", ("store", "")] == 4


def test_what_the_database_does_not_take_is_told_later():
    taken: list = []
    counters.write_with(lambda amounts: bool(taken.append(dict(amounts))) or len(taken) > 1, 3600)
    counters.add("webhook.401")
    counters.tell()
    counters.add("webhook.401")
    counters.tell()
    counters.tell()
    assert taken == [{("webhook.401", ""): 1}, {("webhook.401", ""): 2}]


def test_who_did_its_work_when(client):
    found = read(client)
    assert found["hemi_heartbeat_age_seconds", ("part", "work")] == float("inf")
    pulse.work()
    pulse.beat(pulse.DELIVERY)
    pulse.BeatProcess().sent()
    found = read(client)
    assert all(found["hemi_heartbeat_age_seconds", ("part", part)] < 5 for part in pulse.PARTS)


def test_queries_do_not_grow_with_rows(client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as said:
            read(client)
        return len(said)

    look_twice()
    before = queries()
    supplier = factories.supplier()
    for _ in range(5):
        factories.delivery(supplier)
        factories.endpoint()
    Endpoint.objects.update(opened_at=timezone.now())
    assert queries() == before <= 50


on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL reads small tables whole, whatever their indexes"
)


@on_sqlite
@pytest.mark.parametrize("kind", waiting.KINDS, ids=lambda kind: kind.name)
def test_what_waits_is_found_by_an_index(kind, settings):
    settings.IS_MAIL_SET = True
    grow = ("webhookevent", "orders_order", "supplierorder", "delivery", "supplierreply", "shipment", "endpointcheck")
    plan = kind.rows().order_by("next_attempt_at").explain().splitlines()
    assert plan
    assert [line for line in plan if "SCAN" in line and "INDEX" not in line and line.endswith(grow)] == []


@on_sqlite
def test_the_inbox_finds_what_is_due_by_an_index():
    with CaptureQueriesContext(connection) as said:
        inbox.process_events()
    claiming = next(query["sql"] for query in said if "UPDATE" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {claiming}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert "webhook_event_due" in plan


class TestWhoMaySee:
    """Without a token only this machine; with one only who has it."""

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
    def test_this_machine(self, client, address):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200

    @pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.4", "::ffff:203.0.113.9", "nonsense"])
    def test_nobody_else(self, client, address):
        answer = client.get("/metrics", REMOTE_ADDR=address)
        assert (answer.status_code, answer.content) == (404, b"")

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
    @pytest.mark.parametrize("said", ["127.0.0.1", "203.0.113.9", "", "for=127.0.0.1"])
    def test_nobody_through_a_proxy(self, client, header, said):
        assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={header: said}).status_code == 404

    def test_with_a_token_wherever_from(self, client, settings):
        settings.METRICS_TOKEN = "a-long-token"
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "a-long-token"}):
            answer = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers=headers)
            assert (answer.status_code, answer.content) == (401, b"")
        right = {"Authorization": "Bearer a-long-token", "X-Forwarded-For": "203.0.113.9"}
        assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers=right).status_code == 200


def test_calls_of_a_store_are_counted_with_cost_and_waits(client, store, shopify):  # noqa: F811
    shopify.add_fault("throttled", count=1)
    with connections.client_for(store) as api:
        stores.installation(api)
    counters.tell()
    found = read(client)
    said = {name: found[f"hemi_shopify_{name}_total", ("store", "test")] for name in ("calls", "throttled_calls")}
    assert said == {"calls": 2, "throttled_calls": 1}
    assert found["hemi_shopify_cost_points_total", ("store", "test")] > 0
    assert found["hemi_shopify_wait_seconds_total", ("store", "test")] > 0
    assert found["hemi_shopify_failed_calls_total", ("store", "test")] == 0
