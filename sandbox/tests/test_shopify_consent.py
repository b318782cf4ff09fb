import time

import pytest
import requests

from sandbox.shopify import ConsentFailed, ShopifySandbox, give_consent
from sandbox.shopify.signatures import sign_query
from sandbox.tests.shopify_calls import CALLBACK, CLIENT, SCOPES, authorize_url, consented, exchange, furnished


@pytest.fixture
def sandbox():
    with ShopifySandbox() as sandbox:
        yield furnished(sandbox)


@pytest.mark.parametrize(
    ("parameters", "digest"),
    [
        (
            {
                "code": "0907a61c0c8d55e99db179b68161bc00",
                "shop": "some-shop.myshopify.com",
                "state": "0.6784241404160823",
                "timestamp": "1337178173",
            },
            "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
        ),
        (
            {
                "code": "0907a61c0c8d55e99db179b68161bc00",
                "shop": "some-shop.myshopify.com",
                "timestamp": "1337178173",
                "hmac": "is left out",
            },
            "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20",
        ),
        (
            {
                "timestamp": "1337178173",
                "shop": "some-shop.myshopify.com",
                "code": "a94a110d86d2452eb3e2af4cfb8a3828",
            },
            "2cb1a277650a659f1b11e92a4a64275b128e037f2c3390e3c8fd2d8721dac9e2",
        ),
        (
            {"ids[]": ["2", "1"], "shop": "some-shop.myshopify.com"},
            "b93b9f82996f6f8bf9f1b7bbddec284c8fabacdc4e12dc80550b4705f3003b1e",
        ),
    ],
)
def test_query_digest_equals_shopifys_vectors(parameters, digest):
    assert sign_query(parameters, "hush") == digest


def test_page_names_app_shop_and_scopes(sandbox):
    page = requests.get(authorize_url(sandbox), timeout=5)
    assert page.status_code == 200
    for text in ("Hemi", "demo.myshopify.com", *SCOPES.split(","), "Install", "Cancel"):
        assert text in page.text


def test_consent_comes_back_signed_and_buys_one_token(sandbox):
    query = consented(sandbox)
    assert set(query) == {"code", "hmac", "host", "shop", "state", "timestamp"}
    assert (query["shop"], query["state"]) == ("demo.myshopify.com", "s.1-2_3")
    assert query["host"] == "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvZGVtbw"
    assert abs(time.time() - int(query["timestamp"])) < 5
    assert query["hmac"] == sign_query(query, "hush")

    answer = exchange(sandbox, query["code"])
    assert answer.status_code == 200
    assert answer.json()["access_token"].startswith("shpat_")
    assert answer.json()["scope"] == SCOPES

    again = exchange(sandbox, query["code"])
    assert again.status_code == 400
    assert again.json()["error"] == "invalid_request"
    assert len(sandbox.state.tokens) == 1


def test_json_body_buys_a_token(sandbox):
    body = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "code": consented(sandbox)["code"]}
    answer = requests.post(f"{sandbox.url}/shops/demo/admin/oauth/access_token", json=body, timeout=5)
    assert answer.status_code == 200


def test_decline_comes_back_signed_without_code(sandbox):
    query = consented(sandbox, decision="cancel")
    assert query["error"] == "access_denied"
    assert "code" not in query
    assert query["hmac"] == sign_query(query, "hush")
    assert sandbox.state.codes == {}


def test_unticked_scopes_are_not_granted(sandbox):
    code = consented(sandbox, without=["read_products"])["code"]
    assert exchange(sandbox, code).json()["scope"] == "read_orders,read_locations,read_customers"


def test_read_is_dropped_beside_its_write(sandbox):
    location = give_consent(authorize_url(sandbox, scope="read_orders,write_orders,read_products"))
    code = location.split("code=")[1].split("&")[0]
    assert exchange(sandbox, code).json()["scope"] == "write_orders,read_products"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": "nobody"}, "Could not find Shopify API application"),
        ({"redirect_uri": CALLBACK + "?x=1"}, "redirect_uri is not whitelisted"),
        ({"redirect_uri": CALLBACK.rstrip("/")}, "redirect_uri is not whitelisted"),
        ({"scope": "read_orders,everything"}, "access scope is invalid: everything"),
    ],
)
def test_wrong_link_is_refused(sandbox, changes, said):
    with pytest.raises(ConsentFailed, match=said):
        give_consent(authorize_url(sandbox, **changes))
    assert sandbox.state.codes == {}


def test_markup_in_a_link_is_shown_as_text(sandbox):
    page = requests.get(authorize_url(sandbox, state='"><script>alert(1)</script>'), timeout=5)
    assert "<script>" not in page.text


@pytest.mark.parametrize("changes", [{"client_secret": "wrong"}, {"client_id": "nobody"}, {"client_secret": ""}])
def test_wrong_credentials_keep_the_code_unused(sandbox, changes):
    code = consented(sandbox)["code"]
    refused = exchange(sandbox, code, **changes)
    assert refused.status_code == 400
    assert set(refused.json()) == {"error", "error_description"}
    assert exchange(sandbox, code).status_code == 200


def test_secret_in_the_url_is_refused(sandbox):
    code = consented(sandbox)["code"]
    query = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "code": code}
    refused = requests.post(f"{sandbox.url}/shops/demo/admin/oauth/access_token", params=query, timeout=5)
    assert refused.status_code == 400
    assert code in sandbox.state.codes


def test_code_of_one_shop_buys_nothing_in_another(sandbox):
    sandbox.add_shop("other")
    code = consented(sandbox)["code"]
    body = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "code": code}
    refused = requests.post(f"{sandbox.url}/shops/other/admin/oauth/access_token", data=body, timeout=5)
    assert refused.status_code == 400
    assert code in sandbox.state.codes


def test_after_a_rotation_both_secrets_buy_and_the_old_may_sign(sandbox):
    sandbox.rotate_secret(CLIENT[0], "new-secret", signs_with_old_secret=True)
    query = consented(sandbox)
    assert query["hmac"] == sign_query(query, "hush")
    assert exchange(sandbox, query["code"], client_secret="hush").status_code == 200
    assert exchange(sandbox, consented(sandbox)["code"], client_secret="new-secret").status_code == 200


def test_lost_answer_has_used_the_code(sandbox):
    code = consented(sandbox)["code"]
    sandbox.add_fault("lost", place="token")
    with pytest.raises(requests.ConnectionError):
        exchange(sandbox, code)
    assert sandbox.state.codes == {}
    assert len(sandbox.state.tokens) == 1


@pytest.mark.parametrize("kind", ["429", "500", "502", "401"])
def test_token_endpoint_fails_on_demand_and_keeps_the_code(sandbox, kind):
    code = consented(sandbox)["code"]
    sandbox.add_fault(kind, place="token")
    assert exchange(sandbox, code).status_code == int(kind)
    assert exchange(sandbox, code).status_code == 200
