"""HMACs of queries and webhooks against published vectors (secret `hush`)."""

import pytest

from integrations.shopify import signatures

VECTORS = [
    (
        "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173",
        "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
    ),
    (
        "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&timestamp=1337178173",
        "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20",
    ),
    (
        "code=a94a110d86d2452eb3e2af4cfb8a3828&shop=some-shop.myshopify.com&timestamp=1337178173",
        "2cb1a277650a659f1b11e92a4a64275b128e037f2c3390e3c8fd2d8721dac9e2",
    ),
    (
        "ids[]=2&ids[]=1&shop=some-shop.myshopify.com",
        "b93b9f82996f6f8bf9f1b7bbddec284c8fabacdc4e12dc80550b4705f3003b1e",
    ),
]
BODY = '{"id":820982911946154508,"note":"Größe"}'.encode()
BODY_HMAC = "EggNZAcEYEDfCG3QvwHkTGdredTu8d4BohMOOZXmFAk="


@pytest.mark.parametrize(("query", "digest"), VECTORS)
def test_query_vectors(query, digest):
    assert signatures.query_hmac(query, "hush") == digest
    assert signatures.is_query_signed(f"{query}&hmac={digest}", ["hush"])


@pytest.mark.parametrize(("query", "digest"), VECTORS)
def test_order_legacy_signature_and_previous_secret_do_not_matter(query, digest):
    shuffled = "&".join([f"hmac={digest}", "signature=old", *reversed(query.split("&"))])
    if "ids" not in query:
        assert signatures.is_query_signed(shuffled, ["new", "hush"])


def test_query_digest_covers_unknown_parameters():
    query, digest = VECTORS[0]
    assert not signatures.is_query_signed(f"{query}&new=1&hmac={digest}", ["hush"])
    signed = signatures.query_hmac(f"{query}&new=1", "hush")
    assert signatures.is_query_signed(f"{query}&new=1&hmac={signed}", ["hush"])


@pytest.mark.parametrize("tail", ["", "&hmac=", "&hmac=%C3%A9", "&hmac={0}&hmac={0}", "&hmac={0}0", "&hmac=X{0}"])
def test_query_without_its_one_true_digest(tail):
    query, digest = VECTORS[0]
    assert not signatures.is_query_signed(query + tail.format(digest), ["hush"])


def test_escapes_cannot_move_a_border_between_parameters():
    digest = signatures.query_hmac("a=1%26b%3D2", "hush")
    assert not signatures.is_query_signed(f"a=1&b=2&hmac={digest}", ["hush"])


@pytest.mark.parametrize("message", ["note=a b/c", "note=a%20b%2Fc"])
def test_both_published_encodings_are_known(message):
    # Shopify's Python library signs decoded values, its JavaScript library encoded ones.
    digest = signatures._hex(message, "hush")
    assert signatures.is_query_signed(f"note=a+b%2Fc&hmac={digest}", ["hush"])


def test_webhook_vector():
    assert signatures.webhook_hmac(BODY, "hush") == BODY_HMAC
    assert signatures.is_webhook_signed(BODY, BODY_HMAC, ["hush"])
    assert signatures.is_webhook_signed(BODY, BODY_HMAC, ["new", "hush"])


@pytest.mark.parametrize("claimed", ["", "é", BODY_HMAC.lower(), BODY_HMAC[:-1], f"{BODY_HMAC} "])
def test_webhook_with_another_digest(claimed):
    assert not signatures.is_webhook_signed(BODY, claimed, ["hush"])


def test_no_secret_accepts_nothing():
    empty = signatures.webhook_hmac(BODY, "")
    assert not signatures.is_webhook_signed(BODY, empty, [])
    assert not signatures.is_webhook_signed(BODY, empty, [""])
    assert not signatures.is_query_signed(f"a=1&hmac={signatures.query_hmac('a=1', '')}", ["", ""])


PROXY_QUERY = (
    "extra=1&extra=2&shop=shop-name.myshopify.com&logged_in_customer_id=1"
    "&path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555"
)
PROXY_SIGNATURE = "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"


def test_app_proxy_vector():
    assert signatures.proxy_signature(PROXY_QUERY, "hush") == PROXY_SIGNATURE
    assert signatures.is_proxy_signed(f"signature={PROXY_SIGNATURE}&{PROXY_QUERY}", ["new", "hush"])


@pytest.mark.parametrize("tail", ["", "&signature=", "&signature=%C3%A9", "&signature={0}&signature={0}", "&hmac={0}"])
def test_app_proxy_query_without_its_one_true_signature(tail):
    assert not signatures.is_proxy_signed(PROXY_QUERY + tail.format(PROXY_SIGNATURE), ["hush", ""])


@pytest.mark.parametrize(
    ("old", "new"), [("extra=1&extra=2", "extra=2&extra=1"), ("id=1", "id=2"), ("shop=", "shop=x")]
)
def test_altered_app_proxy_query_is_not_signed(old, new):
    altered = PROXY_QUERY.replace(old, new)
    assert not signatures.is_proxy_signed(f"{altered}&signature={PROXY_SIGNATURE}", ["hush"])
