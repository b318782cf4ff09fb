"""The storefront side: who may ask, where it goes, what goes on, and what is shown."""

import json
import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from hemi.lib import in_process
from hemi.lib.logs import ConsoleFormatter, JsonFormatter
from integrations import previews, storefront_side
from integrations.models import AccountShopline
from integrations.shopline import signatures
from integrations.shopline.forwarding import Outgoing
from integrations.storefront_requests import StorefrontRequest
from integrations.tests.backend import HTML, Backend, Reply
from integrations.tests.storefront import SECRET, ask, home, store, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def backend():
    with Backend() as backend:
        yield backend


@pytest.fixture
def shop(backend):
    return store(f"{backend.url}/proxy")


def verified(arrival):
    return signatures.verify(arrival.query, [SECRET], now=timezone.now().timestamp())


def refused(response, status, *words):
    said = text(response)
    assert response.status_code == status, said
    for word in words:
        assert word in said
    return True


def test_a_customers_request_reaches_the_proxy_url_signed(client, shop, backend):
    response = ask(client, f"{home(shop, '7')}lists/caf%C3%A9/?b=2&a=%20x+y&a=1")
    assert (response.status_code, text(response)) == (200, HTML.decode())
    assert response["Content-Type"] == "text/html; charset=utf-8"
    (arrival,) = backend.arrivals
    assert arrival.path == "/proxy/lists/caf%C3%A9/"
    assert arrival.query.startswith("b=2&a=%20x+y&a=1&merchant_id=m1&")
    found = verified(arrival).values
    assert found.pop("timestamp").isdecimal()
    assert found == {
        "b": "2",
        "a": [" x y", "1"],
        "merchant_id": "m1",
        "customer_id": "7",
        "path_prefix": "/apps/orders",
    }
    assert arrival.headers["Host"] == f"127.0.0.1:{backend.port}"


def test_a_guest_has_an_empty_customer_id(client, shop, backend):
    ask(client, home(shop))
    assert backend.arrivals[0].path == "/proxy/"
    assert verified(backend.arrivals[0]).values["customer_id"] == ""


def test_what_a_shopper_adds_under_a_reserved_name_is_dropped(client, shop, backend):
    forged = (
        "customer_id=9&customer_id[]=9&customer%5Fid%5Ba%5D=9&merchant_id=m2&signature=0&timestamp=1&path_prefix=/x"
    )
    ask(client, f"{home(shop, '7')}?{forged}&q=1")
    found = verified(backend.arrivals[0]).values
    assert (found["customer_id"], found["merchant_id"], found["path_prefix"]) == ("7", "m1", "/apps/orders")
    assert found["q"] == "1" and len(found) == 5


def test_method_body_and_safe_headers_go_on(client, shop, backend):
    sent = {"Accept": "text/html", "Accept_Language": "zh-Hant", "User_Agent": "Shopper"}
    never = {"Cookie": "sessionid=1", "Authorization": "Basic x", "X_Forwarded_For": "1.2.3.4", "X_Own": "1"}
    hops = {"Connection": "X-Own, Accept-Language", "Keep_Alive": "5", "TE": "trailers", "Upgrade": "websocket"}
    ask(client, home(shop), "POST", b"order=%231001&email=a", **sent, **never, **hops)
    (arrival,) = backend.arrivals
    assert (arrival.method, arrival.body) == ("POST", b"order=%231001&email=a")
    assert arrival.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (arrival.headers["Accept"], arrival.headers["User-Agent"]) == ("text/html", "Shopper")
    assert set(arrival.headers) == {
        *("Host", "Accept", "User-Agent", "Content-Type", "Content-Length", "Accept-Encoding", "Connection", "Via")
    }
    assert arrival.headers["Connection"] == "close"


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE"])
def test_other_methods_go_on_too(client, shop, backend, method):
    assert ask(client, home(shop), method).status_code == 200
    assert backend.arrivals[0].method == method


def test_what_is_no_method_of_a_page_stays_here(client, shop, backend):
    for method in ("TRACE", "CONNECT", "OPTIONS", "BREW"):
        assert refused(ask(client, home(shop), method), 405)
    assert backend.arrivals == []


def test_nothing_dangerous_comes_back(client, shop, backend):
    headers = [("Content-Type", "text/html"), ("Set-Cookie", "sessionid=stolen"), ("origin", "https://x.example")]
    headers += [(f"Access-Control-Allow-{name}", "*") for name in ("Origin", "Methods", "Headers")]
    headers += [
        ("Clear-Site-Data", '"*"'),
        ("X-Accel-Redirect", "/x"),
        ("Keep-Alive", "5"),
        ("Cache-Control", "max-age=5"),
    ]
    headers += [("Content-Security-Policy", "sandbox allow-scripts allow-same-origin")]
    backend.reply = Reply(headers=headers)
    client.cookies["sessionid"] = "mine"
    response = ask(client, home(shop))
    assert response.status_code == 200
    assert set(response.headers) == {
        *("Content-Type", "Content-Length", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options"),
        *("X-Frame-Options", "Referrer-Policy", "X-Robots-Tag"),
    }
    assert response["Cache-Control"] == "private, max-age=5"
    assert not response.cookies


def test_a_page_runs_nothing_beside_the_admin(client, shop, backend):
    for target in (home(shop), f"{home(shop)}../", "/storefront/m1~x/apps/orders/"):
        policy = ask(client, target)["Content-Security-Policy"]
        words = policy.partition(";")[0].split()
        assert words[0] == "sandbox" and "allow-forms" in words
        assert not {"allow-scripts", "allow-same-origin", "allow-top-navigation"} & set(words)
        assert "script-src 'none'" in policy and "form-action 'self' https://hemi.test/shopline/" in policy


@pytest.mark.parametrize("media_type", ["text/plain", "application/javascript", "image/svg+xml", "text/css", None])
def test_other_content_types_are_refused_with_a_reason(client, shop, backend, media_type):
    backend.reply = Reply(headers=[("Content-Type", media_type)] if media_type else [], body=b"alert(1)")
    assert refused(ask(client, home(shop)), 502, "text/html nor application/json")


def test_json_and_the_apps_own_refusals_are_passed_on(client, shop, backend):
    backend.reply = Reply(422, [("Content-Type", "application/json")], b'{"error": "no"}')
    response = ask(client, home(shop))
    assert (response.status_code, response["Content-Type"], text(response)) == (
        422,
        "application/json",
        '{"error": "no"}',
    )
    backend.reply = Reply(304, [("ETag", '"1"')], b"")
    assert ask(client, home(shop), If_None_Match='"1"').status_code == 304
    assert backend.arrivals[1].headers["If-None-Match"] == '"1"'


def test_a_redirect_is_passed_on_within_the_shop_and_never_followed(client, shop, backend):
    backend.reply = Reply(303, [("Location", "/proxy/lists?x=1")])
    response = ask(client, f"{home(shop)}orders/1", "POST")
    assert (response.status_code, response["Location"]) == (303, "../lists?x=1")
    for elsewhere in ("https://evil.example/", "//evil.example/proxy/", "http://127.0.0.1:1/proxy/", "/admin/"):
        backend.reply = Reply(302, [("Location", elsewhere), ("Content-Type", "text/html")])
        response = ask(client, home(shop))
        assert refused(response, 502, "not below its Proxy URL") and "Location" not in response
    assert len(backend.arrivals) == 5


@pytest.mark.parametrize(
    "child", ["../x", "%2e%2e/x", "a%2Fb", "a%5Cb", "a%00b", "..%2f", ".%2E", "%252e%252e", "a\\b", "%"]
)
def test_a_child_path_that_could_lead_elsewhere_is_refused(client, shop, backend, child):
    assert refused(ask(client, f"{home(shop)}{child}"), 400)
    assert backend.arrivals == []


def test_where_the_server_does_not_tell_the_raw_path_the_decoded_one_is_used(client, shop, backend):
    client.get(f"{home(shop)}caf%C3%A9%20x")
    assert backend.arrivals[0].path == "/proxy/caf%C3%A9%20x"
    assert refused(client.get(f"{home(shop)}..%2f..%2fx"), 400)
    assert len(backend.arrivals) == 1


def test_a_doubtful_query_is_refused_with_a_reason(client, shop, backend):
    for query in ("__proto__=1", "a[20]=1", "a=%FF", "a[b][c][d][e][f][g]=1", "=1"):
        assert refused(ask(client, f"{home(shop)}?{query}"), 400)
    assert backend.arrivals == []


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(client, shop, backend):
    response = ask(client, f"{home(shop)[:-1]}?a=1", "POST")
    assert (response.status_code, response["Location"]) == (308, "./orders/?a=1")
    assert refused(ask(client, home(shop).replace("orders/", "others")), 404)
    assert backend.arrivals == []


def test_development_works_while_release_is_off_or_not_approved(client, shop, backend):
    AccountShopline.objects.update(proxy_enabled=False)
    assert refused(ask(client, home(shop)), 404)
    AccountShopline.objects.update(
        proxy_enabled=True, state="submitted", live_prefix="", live_subpath="", live_proxy_url=""
    )
    assert refused(ask(client, home(shop)), 404)
    assert backend.arrivals == []
    response = ask(client, home(shop, is_development=True))
    assert (response.status_code, text(response)) == (200, HTML.decode())
    assert verified(backend.arrivals[0]).values["path_prefix"] == "/apps/app1_TEST"


def test_what_waits_shows_on_the_development_path_only(client, shop, backend):
    AccountShopline.objects.update(
        seo_slug="parcels", subpath_prefix="tools", proxy_url=f"{backend.url}/next", state="draft"
    )
    shop.refresh_from_db()
    ask(client, home(shop))
    ask(client, home(shop, is_development=True))
    assert [arrival.path for arrival in backend.arrivals] == ["/proxy/", "/next/"]
    assert "/tools/app1_TEST/" in home(shop, is_development=True)
    assert refused(ask(client, home(shop).replace("/apps/orders/", "/tools/parcels/")), 404)


def test_a_slug_that_looks_like_no_known_path_is_not_here(client, shop, backend):
    for path in ("/apps/other/", "/a/orders/", "/apps/_TEST/", "/tools/app1_TEST/", "/apps/ORDERS/"):
        assert refused(ask(client, home(shop).replace("/apps/orders/", path)), 404)
    assert backend.arrivals == []


def test_only_a_preview_link_or_the_sandbox_may_ask(client, shop, backend, settings):
    assert ask(client, "/storefront/m1/apps/orders/", X_Storefront_Customer="7").status_code == 200
    assert verified(backend.arrivals[0]).values["customer_id"] == "7"
    assert refused(ask(client, "/storefront/m1/apps/orders/", X_Forwarded_For="1.2.3.4"), 404)
    assert refused(client.get("/storefront/m1/apps/orders/", REMOTE_ADDR="10.0.0.9"), 404)
    settings.SANDBOX, settings.ALLOWED_PRIVATE_NETWORKS = False, ["127.0.0.0/8"]
    assert refused(ask(client, "/storefront/m1/apps/orders/", X_Storefront_Customer="7"), 404)
    assert len(backend.arrivals) == 1


def test_a_link_names_its_shopper_and_nobody_else(client, shop, backend):
    response = ask(client, home(shop, "7"), X_Storefront_Customer="9")
    assert response.status_code == 200
    assert verified(backend.arrivals[0]).values["customer_id"] == "7"


def test_a_token_of_another_store_is_none(client, shop, backend):
    other = store(f"{backend.url}/proxy", merchant_id="m2")
    assert refused(ask(client, home(other).replace("/m2~", "/m1~")), 404)
    assert refused(ask(client, home(shop).replace("m1~", "m1~x")), 404)
    assert refused(ask(client, home(shop).replace("m1~", "m3~")), 404)
    assert backend.arrivals == []


def test_a_link_ends_after_half_an_hour(client, shop, backend, monkeypatch):
    target = home(shop)
    later = timezone.now() + timedelta(minutes=previews.MINUTES, seconds=1)
    monkeypatch.setattr("django.core.signing.time.time", later.timestamp)
    assert refused(ask(client, target), 404, "This preview has ended")
    assert backend.arrivals == []


def test_it_is_off_unless_switched_on(client, shop, backend, settings):
    settings.STOREFRONT_SIDE = False
    assert refused(ask(client, home(shop)), 404)
    assert refused(ask(client, "/storefront/m1/apps/orders/"), 404)
    assert backend.arrivals == []
    assert "STOREFRONT_SIDE" in previews.why_not(shop, is_development=False)


def test_why_there_is_no_preview(shop):
    assert previews.why_not(shop, is_development=False) == previews.why_not(shop, is_development=True) == ""
    shop.proxy_enabled = False
    assert "off" in previews.why_not(shop, is_development=False)
    assert previews.why_not(shop, is_development=True) == ""
    shop.proxy_enabled, shop.live_subpath = True, ""
    assert "approved" in previews.why_not(shop, is_development=False)
    shop.app_id = ""
    assert "app id" in previews.why_not(shop, is_development=True)
    shop.app_proxy_secret = ""
    assert "Secret" in previews.why_not(shop, is_development=True)


def test_without_a_secret_nothing_is_sent(client, shop, backend):
    AccountShopline.objects.update(app_proxy_secret="")
    assert refused(ask(client, home(shop)), 502, "App Proxy Secret")
    assert backend.arrivals == []


def test_another_host_than_hemis_is_refused(client, shop, backend, settings):
    settings.ALLOWED_HOSTS = ["hemi.test"]
    assert ask(client, home(shop), Host="rebound.example").status_code == 400
    assert backend.arrivals == []
    assert ask(client, home(shop), Host="hemi.test").status_code == 200


def test_without_hemis_own_address_nothing_is_sent(client, shop, backend, settings):
    target = home(shop)
    settings.HEMI_BASE_URL = ""
    assert refused(ask(client, target), 502, "HEMI_BASE_URL")
    assert "HEMI_BASE_URL" in previews.why_not(shop, is_development=False)
    assert backend.arrivals == []


def test_a_refusal_is_json_for_who_wants_json(client, shop):
    response = ask(client, f"{home(shop)}%2e%2e/status.json", Accept="application/json")
    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert json.loads(text(response))["error"].startswith("The path")
    assert response["Cache-Control"] == "private, no-store"


def test_no_repr_holds_what_a_shopper_sent_or_what_was_signed(shop, monkeypatch, client):
    made = []
    for kind in (storefront_side.Asked, StorefrontRequest, Outgoing, in_process.Call, signatures.Verified):
        known = kind.__init__

        def remember(self, *args, known=known, **values):
            known(self, *args, **values)
            made.append(self)

        monkeypatch.setattr(kind, "__init__", remember)
    AccountShopline.objects.update(live_proxy_url="")
    target = f"{home(shop)}?q=word-of-eve"
    answer = ask(client, target, "POST", b"email=eve%40shop.example", Cookie="sessionid=of-staff")
    assert answer.status_code == 200
    assert len({type(value) for value in made}) == 5
    for value in made:
        for secret in ("word-of-eve", "shop.example", "of-staff", "signature="):
            assert secret not in repr(value)


def test_no_log_line_holds_a_token_a_customer_or_what_was_asked(client, shop, backend, caplog, settings):
    caplog.set_level(logging.DEBUG)
    target = home(shop, "customer-77")
    ask(client, f"{target}order?email=eve@shop.example")
    ask(client, f"{target}%2e%2e/")
    ask(client, target.replace("m1~", "m1~x"))
    backend.reply = Reply(headers=[("Content-Type", "text/plain")])
    ask(client, target)
    token = target.split("~")[1].split("/")[0]
    for path in (f"/storefront/m1~{token}", f"/storefront/m1~{token}/apps", f"/storefront//m1~{token}/apps/orders/"):
        assert ask(client, path).status_code == 404
    settings.HEMI_BASE_URL = "http://["  # whatever goes wrong
    client.raise_request_exception = False
    assert ask(client, target).status_code == 500
    for record in caplog.records:
        line = f"{JsonFormatter().format(record)} {ConsoleFormatter('%(message)s').format(record)}"
        for secret in (token, "customer-77", "eve@shop.example", SECRET):
            assert secret not in line
