"""The Proxy URL: who is let in, who is not, and that nothing of a refused request is left behind."""

import re
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from hemi import celery
from integrations import tasks
from integrations.models import AccountShopline, UsedSignature
from integrations.shopline import queries, signatures
from integrations.tests.shopline import proxying
from integrations.tests.shopline.proxying import send, signed, unsigned

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def shop():
    return proxying.account()


def post(query, data="number=1&email=a%40b.example", path="", **environ):
    return send(query, path, "POST", data=data, content_type=environ.pop("content_type", FORM), **environ)


def test_signed_request_is_shown(shop):
    answer = send(signed())
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/html")
    assert "Tea Shop" in answer.content.decode()
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["status.json", "orders", "orders/", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_child_pages(shop, path, method):
    assert send(signed(), path, method).status_code == 200


def test_proxy_url_without_a_slash_is_the_same(shop, client):
    assert client.get("/shopline/proxy", QUERY_STRING=signed()).status_code == 200


def test_json_by_suffix_and_by_accept(shop):
    for answer in (send(signed(), "status.json"), send(signed(), HTTP_ACCEPT="application/json")):
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["version"] == 1


@pytest.mark.parametrize(
    "extra", ["a=1&a=2", "a[]=1", "a[b]=1&a[c]=", "q=Gr%C3%B6%C3%9Fe+%E6%9D%B1", "10=x&9=y", "flag"]
)
@pytest.mark.parametrize("read", [queries.read_extended, queries.read_simple])
def test_shoppers_own_parameters_are_signed_with_the_rest(shop, extra, read):
    assert send(signed(extra, read=read)).status_code == 200


def test_which_reading_verified_is_recorded_where_they_differ(shop):
    send(signed("a=1"))
    assert AccountShopline.objects.get().read_as == ""
    send(signed("a[b]=1", read=queries.read_simple))
    assert AccountShopline.objects.get().read_as == "simple"
    send(signed("a[b]=1"))
    assert AccountShopline.objects.get().read_as == "extended"


def without(name):
    query = "&".join(part for part in unsigned().split("&") if not part.startswith(f"{name}="))
    return f"{query}&signature={signatures.sign(queries.read_extended(query), 'hush')}"


def at(seconds):
    return signed(timestamp=str(int(time.time()) + seconds))


@pytest.fixture
def pages(settings):
    here = "integrations.tests.shopline.proxying"
    settings.STOREFRONT_PAGES = {"echo": f"{here}.echo", "kept": f"{here}.cached"}


def test_a_page_is_given_what_was_verified(shop, pages):
    answer = post(
        signed("a[b]=1", customer_id="", path_prefix="/apps/app1_TEST"), path="echo/", HTTP_ACCEPT_LANGUAGE="de"
    )
    told = answer.json()
    assert told["values"].pop("timestamp")
    assert told == {
        "account": "m-1",
        "customer_id": "",
        "path_prefix": "/apps/app1_TEST",
        "path": "echo/",
        "method": "POST",
        "values": {"a": {"b": "1"}, "merchant_id": "m-1", "customer_id": "", "path_prefix": "/apps/app1_TEST"},
        "form": {"number": "1", "email": "a@b.example"},
        "language": "de",
        "wants_json": False,
        "is_development": True,
    }


def test_a_page_sets_no_cookie_and_may_be_kept_if_it_says_so(shop, pages):
    assert not send(signed(), "echo").cookies
    assert send(signed(), "echo")["Cache-Control"] == "private, no-store"
    assert send(signed(), "kept")["Cache-Control"] == "private, max-age=5"
    assert send(signed(), "kept")["X-Content-Type-Options"] == "nosniff"


def test_a_secret_that_cannot_be_decrypted_is_503(shop):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_accountshopline SET app_proxy_secret = 'gAAAAnonsense'")
    assert send(signed()).status_code == 503


REFUSED = {
    "no query": lambda: "",
    "no signature": unsigned,
    "blank signature": lambda: f"{unsigned()}&signature=",
    "signature without =": lambda: f"{unsigned()}&signature",
    "two signatures": lambda: f"{signed()}&{signed().rpartition('&')[2]}",
    "two signatures, a wrong one first": lambda: f"signature={'0' * 64}&{signed()}",
    "signature as a list": lambda: signed().replace("signature=", "signature[]="),
    "signature by index": lambda: signed().replace("signature=", "signature[0]="),
    "upper case": lambda: re.sub("(?<=signature=).*", lambda digits: digits[0].upper(), signed()),
    "other secret": lambda: signed(secret="hush!"),
    "no secret": lambda: signed(secret=""),
    "too old": lambda: at(-310),
    "from the future": lambda: at(310),
    "years ahead": lambda: signed(timestamp="99999999999"),
    "milliseconds": lambda: signed(timestamp=str(int(time.time() * 1000))),
    "no time": lambda: signed(timestamp=""),
    "negative time": lambda: signed(timestamp="-5"),
    "fraction": lambda: signed(timestamp=f"{time.time():.3f}"),
    "time in Arabic digits": lambda: signed(timestamp="١٧٦٤٠٠٠٠٠٠"),
    "time with a blank": lambda: signed(timestamp=f" {int(time.time())}"),
    "missing time": lambda: without("timestamp"),
    "missing customer": lambda: without("customer_id"),
    "missing prefix": lambda: without("path_prefix"),
    "missing merchant": lambda: without("merchant_id"),
    "two customers": lambda: signed("customer_id=c-2"),
    "two customers alike": lambda: signed("customer_id=c-1"),
    "customer as a list": lambda: signed().replace("customer_id=", "customer_id[]="),
    "a list of customers, signed": lambda: signed("customer_id[]=c-2", read=queries.read_simple),
    "an object of customers, signed": lambda: signed("customer_id[a]=c-2", read=queries.read_simple),
    "two merchants": lambda: signed("merchant_id=m-1"),
    "two times": lambda: signed(f"timestamp={int(time.time())}"),
    "customer in brackets": lambda: f"[customer_id]=c-2&{signed()}",
    "broken encoding": lambda: f"{signed()}&q=%F6",
    "half an escape": lambda: f"{signed()}&q=%4",
    "raw bytes": lambda: f"{signed()}&q=\xf6",
    "raw blank": lambda: f"{signed()}& ",
    "fragment": lambda: f"{signed()}#",
    "more after it": lambda: f"{signed()}&q=1",
    "__proto__": lambda: f"{signed()}&__proto__=1",
    "__proto__ inside": lambda: f"{signed()}&a[__proto__]=1",
    "no name": lambda: f"{signed()}&=1",
    "too many": lambda: f"{'&' * 1000}{signed()}",
    "too long": lambda: f"{signed()}&q={'x' * 20_000}",
}  # fmt: skip


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_and_nothing_is_left(shop, query, method):
    answer = send(query(), method=method)
    assert answer.status_code == 401
    assert "Tea Shop" not in answer.content.decode()
    assert not UsedSignature.objects.exists()
    assert AccountShopline.objects.get().read_as == ""


def test_refusal_in_json_names_the_rule(shop):
    answer = send(signed(secret="wrong"), "status.json")
    assert (answer.status_code, answer.json()) == (401, {"error": "signature"})


def test_time_may_be_a_little_off(shop):
    assert send(at(-290)).status_code == send(at(290)).status_code == 200


@pytest.mark.parametrize("merchant", ["m-2", "M-1", "m-1 ", "x" * 200, "m-1\x00", "ｍ-1", ""])
def test_unknown_merchant_is_404(shop, merchant):
    assert send(signed(merchant_id=merchant)).status_code == 404


def test_merchant_without_a_secret_is_401(shop):
    AccountShopline.objects.update(app_proxy_secret="")
    assert send(signed(secret="")).status_code == 401


def test_secret_of_another_merchant_is_401(shop):
    proxying.account(client=shop.client, merchant_id="m-2", app_proxy_secret="other")
    assert send(signed(merchant_id="m-2")).status_code == 401
    assert send(signed(merchant_id="m-2", secret="other")).status_code == 200


@pytest.mark.parametrize(("minutes", "status"), [(5, 200), (-1, 401)])
def test_old_secret_is_accepted_while_it_is_kept(shop, minutes, status):
    until = timezone.now() + timedelta(minutes=minutes)
    AccountShopline.objects.update(previous_app_proxy_secret="old", previous_secret_until=until)
    assert send(signed(secret="old")).status_code == status
    assert send(signed()).status_code == 200


def test_disabled_is_404_but_on_the_development_path(shop):
    AccountShopline.objects.update(proxy_enabled=False)
    assert send(signed()).status_code == 404
    assert send(signed(path_prefix="/apps/app1_TEST")).status_code == 200
    for other in ("/apps/_TEST", "/a/app1_TEST", "/apps/app1_TEST/", "/apps/app2_TEST", ""):
        assert send(signed(path_prefix=other)).status_code == 404
    AccountShopline.objects.update(app_id="")
    assert send(signed(path_prefix="/apps/")).status_code == send(signed(path_prefix="/apps/_TEST")).status_code == 404


def test_unapproved_is_404_but_on_the_development_path(shop):
    AccountShopline.objects.update(live_prefix="", live_subpath="", state=AccountShopline.State.SUBMITTED)
    assert send(signed()).status_code == 404
    assert send(signed(), "status.json").json() == {"error": "unapproved"}
    assert send(signed(path_prefix="/apps/app1_TEST")).status_code == 200
    AccountShopline.objects.update(live_prefix="apps", live_subpath="tea")  # what waits takes nothing out of force
    assert send(signed()).status_code == 200


def test_disabled_says_nothing_to_those_who_did_not_sign(shop):
    AccountShopline.objects.update(proxy_enabled=False)
    assert send(signed(secret="wrong")).status_code == 401


@pytest.mark.parametrize("path", ["nothing", "orders/1", "%2e%2e/admin/", "..", "orders%00", "a%0Ab", "%FF"])
def test_unknown_page_is_404(shop, path):
    assert send(signed(), path).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_other_methods_are_refused(shop, method):
    assert send(signed(), method=method).status_code == 405


def test_signature_serves_for_one_post(shop):
    query = signed("form=x")
    assert post(query).status_code == 200
    again = post(query)
    assert again.status_code == 401
    assert "sent already" in again.content.decode()
    assert UsedSignature.objects.count() == 1
    assert send(query).status_code == 200  # reading changes nothing
    assert post(signed("form=y")).status_code == 200


def test_same_parameters_in_another_order_are_the_same_signature(shop):
    query = signed("a=1&form=x")
    assert post(query).status_code == 200
    assert post("&".join(reversed(query.split("&")))).status_code == 401


def test_used_signatures_are_forgotten_when_their_time_refuses_them(shop):
    post(signed(timestamp=str(int(time.time()) + 299)))
    tasks.forget_signatures()
    kept = UsedSignature.objects.get()
    assert kept.expires_at > timezone.now() + timedelta(seconds=600)
    UsedSignature.objects.update(expires_at=timezone.now())
    tasks.forget_signatures()
    assert not UsedSignature.objects.exists()
    assert "integrations.forget_signatures" in celery.SWEEPS


@pytest.mark.parametrize(
    ("data", "environ", "status"),
    [
        ("number=1", {"content_type": "application/json"}, 415),
        ("number=1", {"content_type": "multipart/form-data"}, 415),
        ("number=1", {"content_type": ""}, 415),
        ("number=1&number=2", {}, 400),
        ("number", {}, 400),
        ("number=%FF", {}, 400),
        (b"number=\xff", {}, 400),
        ("number=%00", {}, 400),
        ("&".join(f"f{number}=1" for number in range(60)), {}, 400),
        ("number=1", {"CONTENT_LENGTH": "x"}, 400),
        ("number=1", {"CONTENT_LENGTH": "-1"}, 400),
        ("number=1", {"CONTENT_LENGTH": "9" * 5000}, 413),
        ("number=1", {"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ("x" * 20_000_000, {}, 413),
    ],
    ids=str,
)
def test_bodies_that_are_no_form(shop, data, environ, status):
    assert post(signed(), data, **environ).status_code == status


@pytest.mark.parametrize(
    ("accepted", "word"),
    [
        ("de-AT,de;q=0.9", "Diese Seite"),
        ("zh-TW", "zh-hant"),
        ("fr, zh-HK;q=0.5", "zh-hant"),
        ("fr", "This page"),
        ("", "This page"),
        ("x" * 100_000, "This page"),
        ("de;q=nonsense,\xff", "This page"),
    ],
)
def test_refusals_are_in_the_shoppers_language(shop, accepted, word):
    assert word in send("", HTTP_ACCEPT_LANGUAGE=accepted).content.decode()


def test_language_by_parameter(shop):
    assert 'lang="de"' in send(signed("lang=de")).content.decode()
    assert 'lang="zh-Hant"' in send(signed("locale=zh_Hant_TW"), HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert 'lang="en"' in send(signed("lang[]=de")).content.decode()
