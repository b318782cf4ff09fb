"""What the token endpoint may answer, over HTTP, read strictly."""

import json

import pytest

from integrations.shopify import oauth
from integrations.shopify.errors import Kind, ShopifyError
from sandbox.web import Answer, WebServer

APP = oauth.App("client-1", "hush")
PAIR = {
    "access_token": "shpat_1",
    "scope": "read_orders",
    "expires_in": 3600,
    "refresh_token": "shprt_1",
    "refresh_token_expires_in": 7_776_000,
}


@pytest.fixture
def endpoint():
    """A token endpoint that answers what it was given, and keeps what it was asked."""
    said = {"status": 200, "body": PAIR, "asked": []}

    def answer(request):
        said["asked"].append((request.path, request.body.decode()))
        return Answer(json.dumps(said["body"]).encode(), "application/json", said["status"])

    server = WebServer(answer).start()
    said["url"] = server.url
    yield said
    server.stop()


def test_a_pair_is_read_with_the_lifetimes_of_the_answer(endpoint):
    endpoint["body"] = PAIR | {"expires_in": 77, "refresh_token_expires_in": 88}
    grant = oauth.refresh(endpoint["url"], APP, "shprt_0")
    assert grant == oauth.TokenGrant("shpat_1", "read_orders", 77, "shprt_1", 88)
    assert "shp" not in repr(grant)
    ((path, body),) = endpoint["asked"]
    assert path == "/admin/oauth/access_token"
    assert body == "client_id=client-1&client_secret=hush&grant_type=refresh_token&refresh_token=shprt_0"


def test_moving_over_asks_as_shopify_documents_it(endpoint):
    oauth.migrate(endpoint["url"], APP, "shpat_0")
    body = endpoint["asked"][0][1]
    kind = "urn%3Ashopify%3Aparams%3Aoauth%3Atoken-type%3Aoffline-access-token"
    assert "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=shpat_0" in body
    assert f"subject_token_type={kind}&requested_token_type={kind}&expiring=1" in body


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"scope": None},
        {"expires_in": None},
        {"expires_in": 0},
        {"expires_in": "3600"},
        {"expires_in": True},
        {"expires_in": 10**12},
        {"refresh_token": None},
        {"refresh_token": 5},
        {"refresh_token_expires_in": None},
        {"refresh_token_expires_in": -1},
    ],
)
def test_half_a_pair_is_refused(endpoint, changes):
    endpoint["body"] = {name: value for name, value in (PAIR | changes).items() if value is not None}
    for ask in (oauth.refresh, oauth.migrate):
        with pytest.raises(ShopifyError, match="holds no token") as caught:
            ask(endpoint["url"], APP, "old")
        assert caught.value.kind == Kind.PERMANENT


def test_a_code_may_bring_a_token_that_lasts(endpoint):
    endpoint["body"] = {"access_token": "shpat_1", "scope": ""}
    grant = oauth.exchange_code(endpoint["url"], APP, "code", is_expiring=True)
    assert (grant.expires_in, grant.refresh_token, grant.refresh_expires_in) == (None, "", None)
    assert endpoint["asked"][0][1].endswith("code=code&expiring=1")
    oauth.exchange_code(endpoint["url"], APP, "code")
    assert "expiring" not in endpoint["asked"][1][1]


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, "invalid_request", Kind.REAUTHORISE),
        (401, "something_else", Kind.PERMANENT),
        (400, "invalid_request", Kind.PERMANENT),
        (400, "shop_not_permitted", Kind.PERMANENT),
        (429, "", Kind.TEMPORARY),
        (503, "invalid_request", Kind.TEMPORARY),
    ],
)
def test_refusals(endpoint, status, error, kind):
    endpoint["status"], endpoint["body"] = status, {"error": error, "error_description": "about shprt_0"}
    with pytest.raises(ShopifyError) as caught:
        oauth.refresh(endpoint["url"], APP, "shprt_0")
    assert (caught.value.kind, caught.value.status) == (kind, status)
    assert error in caught.value.message and "shprt_0" not in caught.value.message
