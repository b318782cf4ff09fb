"""The last refused requests: few, without secrets, and whatever happens the sender's answer is the same."""

import time
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from integrations import refused_requests
from integrations.models import AccountShopline, Client, IntegrationCredentials, RefusedRequest
from integrations.refused_requests import hidden
from integrations.services import install_links
from integrations.shopline import queries, signatures
from integrations.tests.installing import query_for, signed
from integrations.tests.webhooks import BODY, headers, post, post_to_app

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    """Keep each, but where a test is about the pauses."""
    monkeypatch.setattr(refused_requests, "_PAUSES", {True: 0.0, False: 0.0})
    monkeypatch.setattr(refused_requests, "_REST", 0)
    monkeypatch.setattr(refused_requests, "_next", {})


def visit(client, integration, query):
    return client.get(f"/shopify/install/{integration.uuid}/?{query}")


def test_a_visit_with_a_wrong_signature_is_kept_with_what_was_found(client, account, integration):
    IntegrationCredentials.objects.update(previous_client_secret="older", previous_secret_until=timezone.now())
    query = signed("older", shop="test.myshopify.com", timestamp=int(time.time()), id_token="secret-token")
    assert visit(client, integration, query).status_code == 403
    row = RefusedRequest.objects.get()
    assert (row.kind, row.rule, row.integration) == ("shopify_query", "old secret", integration)
    assert "no longer accepted" in row.finding and "secret-token" not in row.query
    assert query.rpartition("hmac=")[2][:9] not in row.query


def test_a_callback_keeps_neither_code_nor_state(client, shopify, account):
    link = install_links.get_or_make(account=account, by=None)
    query = query_for(link, "wrong", note="someone@example.com")
    assert client.get(f"/shopify/callback/?{query}").status_code == 403
    row = RefusedRequest.objects.get()
    assert (row.rule, row.integration) == ("signature", account.integration)
    for secret in ("0907a61c0c8d55e99db179b68161bc00", str(link.state), "someone"):
        assert secret not in f"{row.query} {row.finding} {row.path}"
    assert "code=***" in row.query and "timestamp=1" in row.query


def test_a_callback_that_is_only_late_for_its_link_is_not_kept(client, shopify, account):
    link = install_links.get_or_make(account=account, by=None)
    query = query_for(link, state="0" * 32)
    assert client.get(f"/shopify/callback/?{query}").status_code == 403
    assert client.get("/shopify/callback/").status_code == 400
    assert not RefusedRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("send", [lambda client, account: post(client, account, BODY, Hmac_Sha256="A" * 43 + "="),
                                  lambda client, account: post_to_app(client, account.integration, BODY,
                                                                      Hmac_Sha256="A" * 43 + "=")])  # fmt: skip
def test_a_webhook_keeps_what_its_headers_said_and_nothing_of_its_body(client, account, send):
    assert send(client, account).status_code == 401
    row = RefusedRequest.objects.get()
    assert (row.kind, row.rule, row.integration) == ("shopify_webhook", "signature", account.integration)
    assert "topic=orders" in row.query and "hmac=AAAAAAAA***" in row.query
    assert "820982911946154508" not in f"{row.query} {row.finding}"


@pytest.mark.django_db(transaction=True)
def test_a_webhook_whose_body_was_written_anew_says_so(client, account):
    from_shopify = BODY.replace(b": ", b":").replace(b", ", b",")
    url = f"/shopify/webhooks/{account.uuid}/"
    answer = client.post(url, BODY, content_type="application/json", headers=headers(from_shopify))
    assert answer.status_code == 401
    assert RefusedRequest.objects.get().rule == "body"


@pytest.mark.django_db(transaction=True)
def test_an_unknown_address_for_webhooks_leaves_nothing(client, account):
    assert (
        client.post("/shopify/webhooks/7f1b3c1e-6f3b-4a61-9d51-0f3f0f0d8f11/", BODY, "application/json").status_code
        == 401
    )
    assert not RefusedRequest.objects.exists()


def test_a_process_keeps_one_a_second(client, integration, monkeypatch):
    monkeypatch.setattr(refused_requests, "_PAUSES", {True: 60.0, False: 60.0})
    for _ in range(5):
        assert visit(client, integration, "shop=test.myshopify.com&timestamp=1&hmac=0").status_code == 400
    assert RefusedRequest.objects.count() == 1


def test_a_process_rests_after_one_that_took_long(client, integration, monkeypatch):
    monkeypatch.setattr(refused_requests, "_REST", 100_000)
    for _ in range(5):
        assert visit(client, integration, "shop=test.myshopify.com&timestamp=1&hmac=0").status_code == 400
    assert RefusedRequest.objects.count() == 1


def test_no_mistake_is_looked_for_in_a_very_long_query(rf):
    account = AccountShopline.objects.create(
        client=Client.objects.create(name="A"), merchant_id="m1", shop_name="S", app_proxy_secret="hush"
    )
    many = "&".join(f"a{number}[b][c][d]=x" for number in range(500))
    started_at = time.process_time()
    refused_requests.note_storefront(rf.get(f"/shopline/proxy/?{many}&signature={'0' * 64}"), "signature", account)
    assert time.process_time() - started_at < 0.3
    row = RefusedRequest.objects.get()
    assert (row.rule, row.finding) == ("signature", "The query is too long to be looked into on the way.")


@pytest.mark.parametrize("name", ["%00", "%00[a][b][c][d][e][f]", "x%00[", "a%00b"])
def test_a_zero_byte_in_a_name_is_kept_by_every_database(rf, name):
    account = AccountShopline.objects.create(
        client=Client.objects.create(name="A"), merchant_id="m1", shop_name="S", app_proxy_secret="hush"
    )
    signed = "merchant_id=m1&customer_id=&path_prefix=a&timestamp=1"
    signature = signatures.sign(queries.read_extended(signed), "hush")
    query = f"{signed}&signature={signature}&{name}=1"
    refused_requests.note_storefront(rf.get(f"/shopline/proxy/?{query}"), "signature", account)
    row = RefusedRequest.objects.get()
    assert name in row.query and "\x00" not in f"{row.finding}{row.query}"


def test_only_the_newest_of_each_app_stay_and_only_so_long(client, integration, monkeypatch):
    monkeypatch.setattr(refused_requests, "KEPT_OF_EACH", 3)
    other = RefusedRequest.objects.create(kind="shopify_query", method="GET", path="/", rule="hmac")
    for number in range(5):
        visit(client, integration, f"shop=s{number}.myshopify.com&timestamp=1&hmac=0")
    kept = [row.query.partition("&")[0] for row in RefusedRequest.objects.exclude(pk=other.pk)]
    assert kept == [f"shop=s{number}.myshopify.com" for number in (4, 3, 2)]
    assert RefusedRequest.objects.filter(pk=other.pk).exists()
    RefusedRequest.objects.filter(pk=other.pk).update(at=timezone.now() - timedelta(days=31))
    refused_requests.forget()
    assert RefusedRequest.objects.count() == 3
    monkeypatch.setattr(refused_requests, "KEPT", 2)
    visit(client, integration, "shop=last.myshopify.com&timestamp=1&hmac=0")
    assert RefusedRequest.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_table_that_cannot_be_written_changes_no_answer(client, account, integration):
    with connection.schema_editor() as editor:
        editor.delete_model(RefusedRequest)
    try:
        assert visit(client, integration, "shop=test.myshopify.com&timestamp=1&hmac=0").status_code == 400
        assert post(client, account, BODY, Hmac_Sha256="A").status_code == 401
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(RefusedRequest)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("code=abc&shop=s&hmac=0123456789", "code=***&shop=s&hmac=01234567***"),
        ("signature=0123456789&customer_id=12345678", "signature=01234567***&customer_id=12345678"),
        ("q=a%20b&e=a%40b.de&phone=1&n=0049123456", "q=a%20b&e=***&phone=***&n=***"),
        ("a%40b.de=1&x=&y", "***=***&x=&y"),
        ("customer_id=a%40b.de", "customer_id=***"),
        ("%63ode=1&CODE=2&access_token=3", "%63ode=***&CODE=***&access_token=***"),
        (f"q={'x' * 101}", "q=***"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_hidden(query, kept):
    assert hidden(query) == kept


def test_a_path_keeps_nobodys_address_and_no_orders_number(rf):
    for path, kept in (("a@b.de/x", "***/x"), ("orders/10042", "orders/***"), ("status.json", "status.json")):
        refused_requests.note_storefront(rf.get(f"/shopline/proxy/{path}?a=1"), "unsigned", None)
        assert RefusedRequest.objects.first().path == f"/shopline/proxy/{kept}"


def test_a_refused_storefront_request_is_checked_with_the_accounts_secrets(rf, client):
    owner = Client.objects.create(name="A")
    account = AccountShopline.objects.create(client=owner, merchant_id="m1", shop_name="S", app_proxy_secret="hush")
    now = int(time.time())
    query = f"merchant_id=m1&customer_id=&path_prefix={quote('/apps/x', safe='')}&timestamp={now}&signature={'0' * 64}"
    refused_requests.note_storefront(rf.get(f"/shopline/proxy/status.json?{query}"), "signature", account)
    refused_requests.note_storefront(rf.get(f"/shopline/proxy/?{query.replace('m1', 'm2')}"), "unknown", None)
    unknown, known = RefusedRequest.objects.all()
    assert (known.shopline, known.rule, known.path) == (account, "signature", "/shopline/proxy/status.json")
    assert (unknown.shopline, unknown.rule, unknown.finding) == (None, "unknown", "")
    assert "00000000***" in known.query and "000000000" not in known.query
