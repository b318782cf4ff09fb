"""Webhooks as Shopify posts them: what is stored, and what is refused and leaves nothing."""

import fcntl
import logging
import os
import sqlite3
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import Client as Browser
from django.utils import timezone

from hemi.lib import counters
from integrations.models import AccountShopify, Integration, IntegrationCredentials, WebhookEvent
from integrations.shopify import signatures
from integrations.tests import hints
from integrations.tests.webhooks import BODY, headers, post, post_to_app

pytestmark = pytest.mark.django_db(transaction=True)


def assert_refused(answer, status):
    assert answer.status_code == status
    assert not WebhookEvent.objects.exists()


def test_is_stored_as_it_came(client, account):
    body = ' {"id": 1, "note": "Größe \\u0026"}\n'.encode()
    answer = post(client, account, body)
    assert answer.status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.account, bytes(event.body), event.topic) == (account, body, "orders/create")
    assert event.webhook_id == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    assert (event.shop_domain, event.api_version) == ("test.myshopify.com", "2026-10")
    assert event.triggered_at == datetime(2026, 11, 20, 18, 0, 27, 877041, UTC)
    assert event.status == WebhookEvent.Status.NEW


def test_repeat_is_answered_and_stored_once(client, account):
    assert [post(client, account).status_code for _ in range(3)] == [200] * 3
    assert WebhookEvent.objects.count() == 1


def test_same_id_of_another_account_is_another_webhook(client, account):
    other = AccountShopify.objects.create(shop_name="other", integration=account.integration)
    assert post(client, account).status_code == 200
    assert post(client, other, Shop_Domain="other.myshopify.com").status_code == 200
    assert WebhookEvent.objects.count() == 2


def test_ten_at_once_are_one(account):
    def once(_):
        try:
            return post(Browser(), account).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(once, range(10))) == {200}
    assert WebhookEvent.objects.count() == 1


def test_unknown_topic_is_stored_as_ignored(client, account):
    assert post(client, account, Topic="themes/publish").status_code == 200
    assert WebhookEvent.objects.get().status == WebhookEvent.Status.IGNORED


def test_previous_secret_still_signs(client, account):
    IntegrationCredentials.objects.update(client_secret="fresh", previous_client_secret="hush")
    assert post(client, account).status_code == 200
    assert post(client, account, secret="fresh", Webhook_Id="2").status_code == 200
    assert post(client, account, secret="older", Webhook_Id="3").status_code == 401
    assert WebhookEvent.objects.count() == 2


@pytest.mark.parametrize(
    "hmac", [None, "", "é", signatures.webhook_hmac(BODY, "other"), signatures.webhook_hmac(b"", "hush")]
)
def test_bad_or_missing_signature(client, account, hmac):
    assert_refused(post(client, account, Hmac_Sha256=hmac), 401)


def test_unknown_addresses_look_like_bad_signatures(client, account):
    bad = post(client, account, secret="bad")
    for url in (f"/shopify/webhooks/{uuid.uuid4()}/", f"/shopify/webhooks/app/{uuid.uuid4()}/"):
        answer = client.post(url, BODY, content_type="application/json", headers=headers())
        assert_refused(answer, 401)
        assert (answer.content, dict(answer.headers)) == (bad.content, dict(bad.headers))


def test_account_without_secret_or_app(client, account):
    IntegrationCredentials.objects.update(client_secret="", previous_client_secret="")
    assert_refused(post(client, account, secret=""), 401)
    AccountShopify.objects.update(integration=None)
    assert_refused(post(client, account, secret=""), 401)


def test_another_stores_webhook_at_this_address(client, account):
    assert_refused(post(client, account, Shop_Domain="other.myshopify.com"), 401)
    assert post(client, account, Shop_Domain=None).status_code == 200


def test_app_address_picks_an_account_of_that_app_only(client, account):
    foreign = Integration.objects.create(name="Another app")
    IntegrationCredentials.objects.create(integration=foreign, client_id="2", client_secret="hush")
    assert_refused(post_to_app(client, foreign), 401)
    assert_refused(post_to_app(client, account.integration, Shop_Domain="other.myshopify.com"), 401)
    assert_refused(post_to_app(client, account.integration, Shop_Domain=None), 401)
    assert_refused(post_to_app(client, account.integration, Shop_Domain="test.myshopify.com.evil.test"), 401)
    assert post_to_app(client, account.integration).status_code == 200
    assert WebhookEvent.objects.get().account == account


def test_paused_account_of_an_inactive_app_still_answers(client, account):
    Integration.objects.update(is_active=False)
    AccountShopify.objects.update(paused_at=timezone.now(), access_token="")
    assert post(client, account).status_code == 200
    assert post_to_app(client, account.integration, Webhook_Id="2").status_code == 200


@pytest.mark.parametrize(
    "changes", [{"Event_Id": "x" * 101}, {"API_Version": "x" * 21}, {"Event_Id": "\x00"}, {"Event_Id": "a b"}]
)
def test_an_odd_note_is_left_out_and_loses_no_order(client, account, changes):
    assert post(client, account, **changes).status_code == 200
    event = WebhookEvent.objects.get()
    assert "" in (event.event_id, event.api_version)


def test_a_body_in_chunks_is_asked_for_with_its_length(client, account):
    answer = client.post(
        f"/shopify/webhooks/{account.uuid}/", BODY, "application/json", headers={"Transfer-Encoding": "chunked"}
    )
    assert_refused(answer, 411)


@pytest.mark.parametrize(
    "changes",
    [
        {"Topic": None},
        {"Topic": ""},
        {"Webhook_Id": None},
        {"Webhook_Id": "x" * 101},
        {"Topic": "orders/\x00create"},
        {"Webhook_Id": "a b"},
        {"Webhook_Id": "é"},
    ],
)
def test_missing_or_odd_headers(client, account, changes):
    assert_refused(post(client, account, **changes), 400)
    assert_refused(post(client, account, secret="bad", **changes), 401)  # the signature is looked at first


@pytest.mark.parametrize("triggered_at", [None, "yesterday", "0001-01-01T00:00:00+23:59"])
def test_time_that_cannot_be_read_is_left_out(client, account, triggered_at):
    assert post(client, account, Triggered_At=triggered_at).status_code == 200
    assert WebhookEvent.objects.get().triggered_at is None


def test_too_large_is_refused_before_it_is_read(client, account, settings):
    settings.WEBHOOK_MAX_BYTES = 50

    class Unread(BytesIO):
        def read(self, *args):
            raise AssertionError("the body was read")

    url = f"/shopify/webhooks/{account.uuid}/"
    environment = {"wsgi.input": Unread(), "CONTENT_LENGTH": "51"}
    assert_refused(client.generic("POST", url, b"", **environment), 413)
    assert post(client, account, BODY.ljust(50)).status_code == 200


def test_djangos_own_limit_is_413_too(client, account, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert_refused(post(client, account), 413)


@pytest.mark.parametrize(
    ("length", "status"), [("", 401), ("abc", 400), ("-1", 400), ("²", 400), ("10", 401), ("9" * 5000, 413)]
)
def test_odd_content_length(client, account, length, status):
    url = f"/shopify/webhooks/{account.uuid}/"
    answer = client.post(url, BODY, content_type="application/json", headers=headers(), CONTENT_LENGTH=length)
    assert_refused(answer, status)


def test_cut_connection(client, account):
    class Cut(BytesIO):
        def read(self, *args):
            raise OSError("connection reset")

    url = f"/shopify/webhooks/{account.uuid}/"
    environment = {"wsgi.input": Cut(), "CONTENT_LENGTH": "51"}
    assert_refused(client.generic("POST", url, b"", **environment), 400)


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
def test_only_post(client, account, method):
    answer = getattr(client, method)(f"/shopify/webhooks/{account.uuid}/", headers=headers())
    assert_refused(answer, 405)
    assert answer["Allow"] == "POST"


def test_refusals_leave_a_counter_and_no_log_line(client, account, caplog):
    before = counters.read().get("webhook.401", 0)
    with caplog.at_level(logging.DEBUG):
        post(client, account, secret="bad")
    assert counters.read()["webhook.401"] == before + 1
    assert not [record for record in caplog.records if not record.name.startswith("django.db")]


def test_accepted_is_logged_without_what_it_says(client, account, caplog):
    with caplog.at_level(logging.INFO):
        post(client, account, b'{"email": "anna@example.com"}')
    (record,) = [record for record in caplog.records if record.getMessage() == "webhook.accepted"]
    assert record.webhook_event == WebhookEvent.objects.get().pk
    assert "anna" not in str(vars(record))


def test_wrong_key_is_503_so_that_shopify_repeats_it(client, account):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_integrationcredentials SET client_secret = 'gAAAAABnotours'")
    assert_refused(post(client, account), 503)


@contextmanager
def somebody_writes():
    """Hold the lock that an insert needs, from another connection."""
    if connection.vendor == "sqlite":
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg.connect(**connection.get_connection_params())
        other.execute("LOCK TABLE integrations_webhookevent IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")  # it is the connection's there, not the view's
    try:
        yield
    finally:
        other.rollback()
        other.close()


def test_locked_database_is_503_after_the_short_wait(client, account, settings):
    settings.WEBHOOK_LOCK_SECONDS = 0.2
    with somebody_writes():
        assert post(client, account).status_code == 503
    connections.close_all()
    assert_refused(post(client, account, secret="bad"), 401)
    assert post(client, account).status_code == 200  # the repeat


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only: the turns of its writers")
def test_many_that_wait_for_the_lock_wait_no_longer_than_one(account, settings):
    settings.WEBHOOK_LOCK_SECONDS = 1

    def timed(number):
        begin = time.monotonic()
        try:
            return post(Browser(), account, Webhook_Id=f"w{number}").status_code, time.monotonic() - begin
        finally:
            connections.close_all()

    turn = os.open(django_settings.VAR_DIR / "insert.lock", os.O_CREAT | os.O_WRONLY, 0o600)
    fcntl.flock(turn, fcntl.LOCK_EX)  # as if another process were waiting for the lock
    with somebody_writes(), ThreadPoolExecutor(12) as pool:
        releases = threading.Timer(0.6, os.close, [turn])
        releases.start()
        answers = list(pool.map(timed, range(12)))
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 2 * settings.WEBHOOK_LOCK_SECONDS


def test_a_session_cookie_and_csrf_do_not_matter(account):
    assert post(Browser(enforce_csrf_checks=True), account).status_code == 200


def test_only_new_work_is_hinted_at(client, account):
    hints.sent()
    post(client, account, secret="bad")
    post(client, account, Topic="themes/publish")
    assert not hints.sent()
    post(client, account, Webhook_Id="2")
    assert hints.sent() == {"integrations.process_events"}
    hints.sent()
    post(client, account, Webhook_Id="2")
    assert not hints.sent()


def test_one_look_up_and_one_insert(client, account, django_assert_num_queries):
    with django_assert_num_queries(2):
        post(client, account)


def test_a_storm_of_one_store_looks_it_up_once(client, account, django_assert_num_queries):
    with django_assert_num_queries(4):
        assert [post(client, account, Webhook_Id=str(number)).status_code for number in range(3)] == [200] * 3
    assert WebhookEvent.objects.count() == 3


def test_changed_secret_counts_at_once_and_the_old_one_a_second_longer_at_most(client, account):
    assert post(client, account).status_code == 200
    IntegrationCredentials.objects.update(client_secret="fresh")
    assert post(client, account, secret="fresh", Webhook_Id="2").status_code == 200
    assert post(client, account, Webhook_Id="3").status_code == 401
    IntegrationCredentials.objects.update(client_secret="newest")
    until = time.monotonic() + 1.5
    while post(client, account, secret="fresh", Webhook_Id="2").status_code == 200:
        assert time.monotonic() < until


def test_all_of_many_at_once_are_stored(account):
    def once(number):
        try:
            return post(Browser(), account, Webhook_Id=str(number)).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(once, range(40))) == [200] * 40
    assert WebhookEvent.objects.count() == 40
    assert len(set(WebhookEvent.objects.values_list("pk", flat=True))) == 40


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only: a connection that its server ended")
@pytest.mark.parametrize("is_known", [True, False])
def test_connection_that_the_server_ended_is_made_anew(client, account, is_known):
    if is_known:
        assert post(client, account, Webhook_Id="1").status_code == 200
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        own = connection.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s)", [own])
    assert post(client, account, Webhook_Id="2").status_code == 200
    assert WebhookEvent.objects.filter(webhook_id="2").count() == 1


def test_counter_of_many_threads():
    threads = [threading.Thread(target=lambda: [counters.add("test.many") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.read()["test.many"] == 2000
