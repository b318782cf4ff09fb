"""The signature bench in the admin: it explains to whoever may ask, stores nothing, and signs for nobody."""

import json
import logging
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from hemi.tests.test_admin_actions import _snapshot
from integrations import old_secrets, refused_requests
from integrations.models import AccountShopline, Client, RefusedRequest
from integrations.services import proxy_secrets, signature_bench
from integrations.services.proxy_secrets import Wish
from integrations.shopify import signatures
from integrations.shopline.signatures import sign
from integrations.tests.webhooks import BODY, headers

pytestmark = pytest.mark.django_db
URL = "/admin/integrations/integration/signature-bench/"
EVERY = ("use_signature_bench", "view_accountshopline", "view_integration")


@pytest.fixture
def shop():
    owner = Client.objects.create(name="Owner")
    return AccountShopline.objects.create(
        client=owner,
        merchant_id="m1",
        shop_name="Teehaus",
        app_proxy_secret="tea-secret",
        previous_app_proxy_secret="was",
    )


@pytest.fixture
def person(client):
    """Return what logs somebody in who has these permissions and no other."""

    def log_in(*permissions):
        user = User.objects.create_user(f"user-{User.objects.count()}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in


def values(**changes):
    stamp = str(int(time.time()))
    return {
        "merchant_id": "m1",
        "customer_id": "",
        "path_prefix": "/apps/x",
        "timestamp": stamp,
        "q": "quicksand",
        **changes,
    }


def address(signature, **changes):
    return f"https://hemi.test/shopline/proxy/a?{urlencode({**values(**changes), 'signature': signature})}"


def check(client, subject, text="", kind="shopline_proxy", **more):
    name = "shopline" if isinstance(subject, AccountShopline) else "app"
    return client.post(URL, {"kind": kind, "subject": f"{name}-{subject.pk}", "address": text, **more})


@pytest.mark.parametrize("permissions", [(), EVERY[1:], ("change_integration", "change_accountshopline")])
def test_it_has_a_permission_of_its_own(person, shop, permissions):
    client, before = person(*permissions), _snapshot()
    for answer in (client.get(URL), check(client, shop, address("0" * 64))):
        assert answer.status_code == 403
    assert _snapshot() == before
    assert URL not in client.get("/admin/").content.decode()
    assert URL in person(*EVERY).get("/admin/").content.decode()


def test_strangers_are_sent_to_the_login(client, shop):
    assert check(client, shop, address("0" * 64)).status_code == 302


def test_nobody_checks_for_whom_they_may_not_see(person, shop, integration):
    RefusedRequest.objects.create(kind="shopline_proxy", shopline=shop, method="GET", path="/p", rule="clock")
    client = person("use_signature_bench", "view_integration")
    text = client.get(URL).content.decode()
    assert "Teehaus" not in text and "Hemi Orders" in text
    answer = check(client, shop, address(sign(values(), "tea-secret")))
    assert "finding" not in answer.context and "Select a valid choice" in answer.content.decode()
    answer = client.post(URL, {"taken": RefusedRequest.objects.get().pk})
    assert "finding" not in answer.context and "no longer kept" in answer.content.decode()


def test_an_address_on_get_is_not_looked_at(person, shop):
    query = urlencode({"kind": "shopline_proxy", "subject": f"shopline-{shop.pk}", "address": address("0" * 64)})
    answer = person(*EVERY).get(f"{URL}?{query}")
    assert answer.status_code == 200 and "finding" not in answer.context
    assert "merchant_id" not in answer.content.decode()
    assert person(*EVERY).put(URL).status_code == 405


def test_a_form_of_another_site_is_refused(person, shop):
    client = person(*EVERY)
    client.handler.enforce_csrf_checks = True
    assert check(client, shop, address("0" * 64)).status_code == 403


@pytest.mark.parametrize("secret", ["tea-secret", "was", "no secret of anybody"])
def test_never_more_of_a_signature_than_its_beginning(person, shop, secret, caplog):
    caplog.set_level(logging.DEBUG)
    client, before = person(*EVERY), _snapshot()
    told = values()
    answer = check(client, shop, address(sign(told, secret), timestamp=told["timestamp"]))
    text = answer.content.decode()
    assert answer.status_code == 200 and answer["Cache-Control"].startswith("max-age=0")
    right = sign(told, "tea-secret")
    shown = text.replace(address(sign(told, secret), timestamp=told["timestamp"]).replace("&", "&amp;"), "")
    assert f"{right[:8]}…" in shown and right[:9] not in shown
    assert "tea-secret" not in text
    assert _snapshot() == before
    for record in caplog.records:
        said = f"{record.getMessage()} {vars(record)}"
        assert "quicksand" not in said and right[:8] not in said
    assert any(record.getMessage() == "signature_bench.checked" for record in caplog.records)


def test_what_is_right_what_is_old_and_what_is_wrong(person, shop):
    client = person(*EVERY)
    for secret, rule in (("tea-secret", ""), ("was", "old secret"), ("x", "signature")):
        assert check(client, shop, address(sign(values(), secret))).context["finding"].rule == rule
    message = json.dumps(values(), sort_keys=True)
    python = signatures._hex(message, "tea-secret")
    answer = check(client, shop, address(python))
    assert answer.context["finding"].rule == "escape"
    assert "In Python: separators=" in answer.content.decode()
    other = check(client, shop, address(sign(values(merchant_id="m2"), "x"), merchant_id="m2")).content.decode()
    assert "It names the merchant “m2”" in other


def test_a_revoked_secret_is_recognised_for_some_days(person, shop):
    proxy_secrets.revoke(account=shop, wish=Wish(seen=proxy_secrets.mark(shop), pasted="a-newer-secret"), by=None)
    client = person(*EVERY)
    found = check(client, shop, address(sign(values(), "tea-secret"))).context["finding"]
    assert (found.rule, [title for title, _ in found.expected]) == ("old secret", ["current secret", "old secret"])
    shop.refresh_from_db()
    assert shop.secrets == ["a-newer-secret"]
    AccountShopline.objects.update(secret_changed_at=timezone.now() - timedelta(days=old_secrets.EXPLAINED_DAYS))
    old_secrets.forget()
    shop.refresh_from_db()
    assert shop.retired_app_proxy_secret == "" and shop.app_proxy_secret == "a-newer-secret"
    assert check(client, shop, address(sign(values(), "tea-secret"))).context["finding"].rule == "signature"


def test_an_old_secret_counts_in_its_time_of_grace(person, shop):
    AccountShopline.objects.update(previous_secret_until=timezone.now() + timedelta(minutes=5))
    answer = check(person(*EVERY), shop, address(sign(values(), "was")))
    assert (answer.context["finding"].rule, answer.context["finding"].matches) == ("", "old secret")


@pytest.mark.parametrize("text", ["?", "https://shop.example/apps/x", "no query", "http://[::1?a=1", "\x00?\x00=1"])
def test_whatever_is_pasted_is_answered(person, shop, integration, text):
    client = person(*EVERY)
    for kind, subject in (("shopline_proxy", shop), ("shopify_query", integration), ("shopify_proxy", integration)):
        answer = check(client, subject, text, kind)
        assert answer.status_code == 200
        found = answer.context.get("finding")
        assert found.rule if found else answer.context["form"].errors


def test_kind_and_owner_must_fit(person, shop, integration):
    client = person(*EVERY)
    for subject, kind in ((integration, "shopline_proxy"), (shop, "shopify_query"), (shop, "shopify_proxy")):
        assert "for this kind" in check(client, subject, "?a=1", kind).content.decode()
    pasted = {"headers": "a: b", "body": "{}"}
    assert "for this kind" in check(client, shop, kind="shopify_webhook", **pasted).content.decode()
    assert "Paste the body." in check(client, integration, kind="shopify_webhook", headers="a: b").content.decode()


def test_a_webhook_by_its_headers_and_body(person, integration):
    client, body = person(*EVERY), BODY.decode().replace(", ", ",\n")
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers(body.encode()).items())
    answer = check(client, integration, kind="shopify_webhook", headers=lines, body=body.replace("\n", "\r\n"))
    assert answer.context["finding"].rule == ""
    curl = lines.replace("X-Shopify", "-H 'x-shopify").replace("\r\n", "'\r\n")
    answer = check(client, integration, kind="shopify_webhook", headers=curl, body=body.replace("\n", "\r\n"))
    assert answer.context["finding"].rule == ""
    answer = check(client, integration, kind="shopify_webhook", headers=lines, body=json.dumps(json.loads(body)))
    assert answer.context["finding"].rule in ("body", "signature")


def test_a_shopify_app_proxy_request(person, integration):
    query = f"shop=test.myshopify.com&path_prefix=%2Fapps%2Fa&timestamp={int(time.time())}&extra=1&extra=2"
    signature = signatures.proxy_signature(query, "hush")
    text = f"https://hemi.test/x?{query}&signature={signature}"
    assert check(person(*EVERY), integration, text, "shopify_proxy").context["finding"].rule == ""


def test_a_refused_storefront_request_is_taken_and_shown(person, shop, rf, monkeypatch):
    monkeypatch.setattr(refused_requests, "_next", {})
    sent = urlencode({**values(), "signature": sign(values(), "was")})
    refused_requests.note_storefront(rf.get(f"/shopline/proxy/a?{sent}"), "signature", shop)
    client = person(*EVERY)
    assert "old secret" in client.get(URL).content.decode()
    answer = client.post(URL, {"taken": RefusedRequest.objects.get().pk})
    found = answer.context["finding"]
    assert (found.rule, found.matches) == ("old secret", "old secret")
    assert json.loads(found.parsed) == {name: value for name, value in values().items() if name != "timestamp"} | {
        "timestamp": json.loads(found.parsed)["timestamp"]
    }
    assert found.claimed == sign(json.loads(found.parsed), "was")[:8]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ("&customer_id=5", "repeated key"),
        ("&a[b][c][d][e][f][g]=1", "depth"),
        ("&q=%FF", "encoding"),
        ("&new=1", "parameter"),
        ("", "old secret"),
    ],
)
def test_what_the_proxy_url_refuses_can_be_taken(person, client, shop, monkeypatch, changes, rule):
    monkeypatch.setattr(refused_requests, "_next", {})
    secret = "was" if rule == "old secret" else "tea-secret"
    sent = urlencode({**values(), "signature": sign(values(), secret)})
    assert client.get(f"/shopline/proxy/status.json?{sent}{changes}").status_code == 401
    row = RefusedRequest.objects.get()
    assert (row.shopline, row.rule) == (shop, rule)
    found = person(*EVERY).post(URL, {"taken": row.pk}).context["finding"]
    assert (found.rule, found.told) == (rule, row.finding)


def test_a_form_that_came_twice_says_so(person, client, shop, monkeypatch):
    monkeypatch.setattr(refused_requests, "_next", {})
    AccountShopline.objects.update(proxy_enabled=True)
    sent = urlencode({**values(), "signature": sign(values(), "tea-secret")})
    for _ in range(2):
        client.post(f"/shopline/proxy/?{sent}", {"number": "1", "email": "a@b.de"})
    row = RefusedRequest.objects.get()
    found = person(*EVERY).post(URL, {"taken": row.pk}).context["finding"]
    assert (row.rule, found.matches) == ("used", "current secret") and "second time" in found.told


def test_of_a_refused_callback_the_finding_is_left(person, client, integration, monkeypatch):
    monkeypatch.setattr(refused_requests, "_next", {})
    query = f"shop=test.myshopify.com&timestamp={int(time.time())}&code=c0dec0de&hmac={'0' * 64}"
    client.get(
        reverse("shopify-install", args=[integration.uuid]), query_params=dict(p.split("=") for p in query.split("&"))
    )
    answer = person(*EVERY).post(URL, {"taken": RefusedRequest.objects.get().pk})
    found = answer.context["finding"]
    assert found.rule == "signature" and "were not kept" in found.advice
    assert json.loads(found.parsed)["code"] == "***" and not found.expected


def test_a_request_of_nobody_known_asks_whose_it_was(person, shop):
    sent = address(f"{sign(values(), 'tea-secret')[:8]}***").partition("/shopline/proxy/a?")[2]
    RefusedRequest.objects.create(
        kind="shopline_proxy", method="GET", path="/shopline/proxy/a", query=sent, rule="unknown"
    )
    client = person(*EVERY)
    answer = client.post(URL, {"taken": RefusedRequest.objects.get().pk})
    assert "Choose whose it should have been" in answer.content.decode()
    pasted = answer.context["form"]["address"].value()
    assert check(client, shop, pasted).context["finding"].rule == ""


def test_who_may_use_it(django_user_model):
    user = django_user_model(is_staff=False, is_superuser=True, is_active=True)
    assert not signature_bench.may_use(user)
