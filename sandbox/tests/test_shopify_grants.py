"""Tokens that end, and the grants that renew them, over HTTP."""

import pytest
import requests

from sandbox.shopify import ShopifySandbox
from sandbox.shopify.grants import issue_pair
from sandbox.tests.shopify_calls import CLIENT, ask, consented, exchange, furnished

HOUR, DAY = 3600, 86_400
SHOP = "{ shop { name } }"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture(params=["window", "until_used"])
def sandbox(request):
    with ShopifySandbox() as sandbox:
        sandbox.behaviour.rotation = request.param
        yield furnished(sandbox)


def post(sandbox, **fields):
    body = {"client_id": CLIENT[0], "client_secret": CLIENT[1]} | fields
    return requests.post(f"{sandbox.url}/shops/demo/admin/oauth/access_token", data=body, timeout=5)


def refresh(sandbox, pair):
    return post(sandbox, grant_type="refresh_token", refresh_token=pair["refresh_token"])


def opens(sandbox, token):
    return ask(sandbox, token, SHOP).status_code == 200


def move(sandbox, token):
    kinds = {"subject_token_type": OFFLINE, "requested_token_type": OFFLINE}
    return post(sandbox, grant_type=EXCHANGE, subject_token=token, expiring="1", **kinds)


@pytest.fixture
def pair(sandbox):
    return issue_pair(sandbox, CLIENT[0], "demo", ["read_orders", "write_orders"])


def test_a_code_buys_a_pair_where_it_is_asked_for(sandbox):
    answer = exchange(sandbox, consented(sandbox)["code"], expiring="1").json()
    assert (answer["expires_in"], answer["refresh_token_expires_in"]) == (HOUR, 90 * DAY)
    assert answer["refresh_token"].startswith("shprt_")
    assert opens(sandbox, answer["access_token"])
    sandbox.clock.advance(HOUR + 1)
    assert ask(sandbox, answer["access_token"], SHOP).status_code == 401


def test_a_refresh_gives_a_new_pair_and_the_old_access_token_runs_out(sandbox, pair):
    fresh = refresh(sandbox, pair).json()
    assert fresh["scope"] == "write_orders"
    assert fresh["access_token"] != pair["access_token"] and fresh["refresh_token"] != pair["refresh_token"]
    assert opens(sandbox, fresh["access_token"]) and opens(sandbox, pair["access_token"])
    assert refresh(sandbox, fresh).status_code == 200


def test_what_was_used_goes_in_one_of_two_ways(sandbox, pair):
    first, again = refresh(sandbox, pair).json(), refresh(sandbox, pair).json()
    assert (again == first) == (sandbox.behaviour.rotation == "window")
    sandbox.clock.advance(sandbox.behaviour.window_seconds + 1)
    late = refresh(sandbox, pair)
    assert late.status_code == (401 if sandbox.behaviour.rotation == "window" else 200)


def test_the_old_one_dies_once_the_new_one_is_used(sandbox, pair):
    fresh = refresh(sandbox, pair).json()
    assert refresh(sandbox, fresh).status_code == 200
    sandbox.clock.advance(sandbox.behaviour.window_seconds + 1)
    refused = refresh(sandbox, pair)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_request")


@pytest.mark.parametrize("days", [91, 31])
def test_it_ends_by_itself(sandbox, pair, days):
    if days == 31:
        refresh(sandbox, pair)  # thirty days after its first use at the latest
    sandbox.clock.advance(days * DAY)
    assert refresh(sandbox, pair).status_code == 401


def test_a_pair_that_is_acquired_kills_the_other_refresh_tokens(sandbox, pair):
    other = issue_pair(sandbox, CLIENT[0], "demo", ["read_orders"])
    assert refresh(sandbox, pair).status_code == 401
    assert opens(sandbox, pair["access_token"])
    assert refresh(sandbox, other).status_code == 200


def test_a_refresh_token_is_worth_nothing_in_another_shop_or_app(sandbox, pair):
    sandbox.add_shop("other")
    sandbox.add_app("app-2", "other-secret")
    stolen = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert post(sandbox, **stolen, client_id="app-2", client_secret="other-secret").status_code == 401
    url = f"{sandbox.url}/shops/other/admin/oauth/access_token"
    body = {"client_id": CLIENT[0], "client_secret": CLIENT[1], **stolen}
    assert requests.post(url, data=body, timeout=5).status_code == 401
    assert refresh(sandbox, pair).status_code == 200


def test_client_credentials_only_within_the_organisation(sandbox):
    refused = post(sandbox, grant_type="client_credentials")
    assert (refused.status_code, refused.json()["error"]) == (400, "shop_not_permitted")
    app = sandbox.state.apps[CLIENT[0]]
    app.organisation_shops, app.released_scopes = {"demo"}, ["read_orders"]
    answer = post(sandbox, grant_type="client_credentials").json()
    assert set(answer) == {"access_token", "scope", "expires_in"}
    sandbox.clock.advance(DAY)
    assert not opens(sandbox, answer["access_token"])


def test_moving_over_revokes_the_old_token_and_can_be_repeated_for_a_week(sandbox):
    old = sandbox.issue_token(CLIENT[0], "demo", ["read_orders"])
    answer = move(sandbox, old).json()
    assert not opens(sandbox, old) and opens(sandbox, answer["access_token"])
    assert move(sandbox, old).json() == answer
    assert move(sandbox, answer["access_token"]).status_code == 400  # it expires already
    sandbox.clock.advance(8 * DAY)
    assert move(sandbox, old).status_code == 400


def test_lasting_tokens_can_be_refused(sandbox, pair):
    old = sandbox.issue_token(CLIENT[0], "demo", ["read_orders"])
    sandbox.state.apps[CLIENT[0]].refuses_lasting_tokens = True
    refused = ask(sandbox, old, SHOP)
    assert refused.status_code == 403
    assert "Non-expiring access tokens are no longer accepted for the Admin API" in refused.text
    assert opens(sandbox, pair["access_token"])


def test_customers_data_can_be_denied_inside_a_200(sandbox, pair):
    sandbox.state.apps[CLIENT[0]].is_approved_for_customers = False
    answer = ask(sandbox, pair["access_token"], "{ orders(first: 1) { nodes { id } } }")
    assert answer.status_code == 200
    assert "protected-customer-data" in answer.json()["errors"][0]["message"]
    assert opens(sandbox, pair["access_token"])
