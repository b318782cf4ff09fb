"""The usual mistakes of the other side, made on purpose: each is named, and the right request is accepted."""

import base64
import hashlib
import hmac
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest

from integrations import signature_checks
from integrations.claimed_signatures import Key
from integrations.shopify import signatures
from integrations.signature_checks import Secrets

NOW = 1_700_000_000
SECRETS = Secrets(
    [Key("current secret", "hush"), Key("old secret", "older", is_accepted=False)],
    [Key("the App Proxy Secret of Elsewhere", "elsewhere", is_accepted=False)],
)
VALUES = {
    "merchant_id": "m1",
    "customer_id": "",
    "path_prefix": "/apps/hemi",
    "timestamp": str(NOW),
    "q": "Größe <a> b+c",
}
RIGHT = '{"customer_id":"","merchant_id":"m1","path_prefix":"/apps/hemi","q":"Größe <a> b+c","timestamp":"1700000000"}'
COMPACT = {"separators": (",", ":")}


def sign(message, secret="hush"):
    return hmac.digest(secret.encode(), message.encode(), hashlib.sha256).hex()


def check(signature, now=NOW, **changes):
    pairs = {**VALUES, **changes, "signature": signature}
    return signature_checks.shopline(urlencode(pairs, doseq=True), SECRETS, now)


def dump(values, **how):
    return json.dumps(values, **{"sort_keys": True, "ensure_ascii": False, **COMPACT, **how})


def test_what_is_right_is_accepted_and_shown():
    found = check(sign(RIGHT))
    assert (found.rule, found.matches, found.canonical) == ("", "current secret", RIGHT)
    assert json.loads(found.parsed) == VALUES
    assert dict(found.expected) == {"current secret": sign(RIGHT)[:8], "old secret": sign(RIGHT, "older")[:8]}


MISTAKES = [
    ("order", "not sorted", dump(VALUES, sort_keys=False)),
    ("escape", "beyond ASCII", dump(VALUES, ensure_ascii=True)),
    ("escape", "spaces after", dump(VALUES, separators=(", ", ": "))),
    ("escape", "letters beyond ASCII", json.dumps(VALUES, sort_keys=True)),
    ("escape", "/ was escaped", dump(VALUES).replace("/", "\\/")),
    ("escape", "<, > and & were escaped", dump(VALUES).replace("<", "\\u003c").replace(">", "\\u003e")),
    ("order", "not sorted", json.dumps(VALUES)),
    ("value", "as a number", dump({**VALUES, "timestamp": NOW})),
    ("value", "as null", dump({**VALUES, "customer_id": None})),
    ("value", "left out", dump({name: value for name, value in VALUES.items() if value})),
    ("parameter", "“q” was not signed", dump({name: value for name, value in VALUES.items() if name != "q"})),
    ("escape", "without decoding", dump({name: quote_plus(value) for name, value in VALUES.items()})),
    ("escape", "encoded before", dump({name: quote(value, safe="") for name, value in VALUES.items()})),
    ("repeated key", "as a list", dump({name: [value] for name, value in VALUES.items()})),
    ("form", "nothing between", "".join(sorted(f"{name}={value}" for name, value in VALUES.items()))),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "told", "message"), MISTAKES)
def test_usual_mistakes_are_named(rule, told, message):
    found = check(sign(message))
    assert (found.rule, found.matches) == (rule, "current secret")
    assert told.lower() in found.told.lower() and found.advice


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("last value", {**VALUES, "a": "1"}),
        ("first value", {**VALUES, "a": "2"}),
        ("joined by commas", {**VALUES, "a": "2,1"}),
        ("another order", {**VALUES, "a": ["1", "2"]}),
    ],
)
def test_repeated_keys(told, message):
    found = check(sign(dump(message)), a=["2", "1"])
    assert found.rule == "repeated key" and told in found.told
    assert check(sign(dump({**VALUES, "a": ["2", "1"]})), a=["2", "1"]).rule == ""


@pytest.mark.parametrize(
    ("names", "told", "keys"),
    [
        (("9", "10"), "keys like 9 and 10", sorted),
        (("😀", "～"), "by code point", sorted),
        (("B", "a"), "as in a dictionary", lambda names: sorted(names, key=str.casefold)),
    ],
)
def test_orders_of_keys(names, told, keys):
    values = {**VALUES, **dict.fromkeys(names, "1")}
    found = check(
        sign(dump({name: values[name] for name in keys(values)}, sort_keys=False)), **dict.fromkeys(names, "1")
    )
    assert found.rule == "order" and told in found.told.lower()


def test_a_plus_that_was_not_decoded_and_an_address_encoded_twice():
    query = "customer_id=&merchant_id=m1&path_prefix=/apps/hemi&q=a+b&timestamp=1700000000"
    message = RIGHT.replace("Größe <a> b+c", "a+b")
    found = signature_checks.shopline(f"{query}&signature={sign(message)}", SECRETS, NOW)
    assert found.told == "A + was not read as a space."
    found = check(sign(RIGHT), **{name: quote(value, safe="") for name, value in VALUES.items()})
    assert found.told == "The address was encoded once more after signing."


@pytest.mark.parametrize(
    ("secret", "rule", "told"),
    [
        ("older", "old secret", "no longer accepted"),
        ("elsewhere", "other secret", "the App Proxy Secret of Elsewhere"),
        ("nobody's", "signature", "none of the secrets"),
    ],
)
def test_secrets(secret, rule, told):
    found = check(sign(RIGHT, secret))
    assert found.rule == rule and told in found.told


def test_an_old_secret_in_its_time_of_grace_is_accepted():
    secrets = Secrets([Key("current secret", "new"), Key("old secret", "hush")])
    found = signature_checks.shopline(urlencode({**VALUES, "signature": sign(RIGHT)}), secrets, NOW)
    assert (found.rule, found.matches) == ("", "old secret")
    assert signature_checks.shopline(urlencode({**VALUES, "signature": "0" * 64}), Secrets([]), NOW).rule == "no secret"


@pytest.mark.parametrize(
    ("now", "told"),
    [(NOW + 301, "5 minutes earlier"), (NOW - 301, "5 minutes later"), (NOW + 7_300, "2 hours earlier")],
)
def test_clock(now, told):
    found = check(sign(RIGHT), now)
    assert found.rule == "clock" and told in found.told and found.matches == "current secret"
    assert check(sign(RIGHT), NOW + 299).rule == ""


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("a=1", "no signature"),
        ("signature=1&signature=2", "repeated key"),
        (f"signature={'0' * 64}", "missing"),
        ("signature=0011", "form"),
        ("a=%FF&signature=0", "encoding"),
        ("__proto__=1&signature=0", "dropped"),
        ("a[1][2][3][4][5][6]=1&signature=0", "depth"),
        (f"customer_id=1&customer_id=2&signature={'0' * 64}", "missing"),
        (f"merchant_id=1&customer_id=1&customer_id=2&signature={'0' * 64}", "repeated key"),
        ("", "no signature"),
        ("%", "encoding"),
        ("&&&=", "dropped"),
    ],
)
def test_what_cannot_be_right_is_told_by_its_first_rule(query, rule):
    assert signature_checks.shopline(query, SECRETS, NOW).rule == rule


def test_how_a_signature_is_written():
    digest = sign(RIGHT)
    assert "capital letters" in check(digest.upper()).told
    assert "base64" in check(base64.b64encode(bytes.fromhex(digest)).decode()).told
    assert check(digest[:-1]).rule == "form"


@pytest.mark.parametrize("length", [9, 16, 63])
def test_more_of_a_signature_cannot_be_tried_out(length):
    for guess in (sign(RIGHT)[:length], f"{sign(RIGHT)[:length]}***"):
        assert check(guess).matches == ""
    wrong_behind = f"{sign(RIGHT)[:-1]}{'0' if sign(RIGHT)[-1] != '0' else '1'}"
    assert check(wrong_behind).matches == ""


SHOP = {"code": "c0de", "shop": "test.myshopify.com", "state": "st", "timestamp": str(NOW), "host": "YWRtaW4="}


def shopify(query, now=NOW):
    return signature_checks.shopify_query(query, SECRETS, now)


def test_a_callback_that_is_right_and_what_happens_to_it_on_the_way():
    query = urlencode(SHOP)
    signed = f"{query}&hmac={signatures.query_hmac(query, 'hush')}"
    assert shopify(signed).rule == ""
    assert shopify(signed, NOW + 91).rule == "clock"
    assert "“gclid” was not signed" in shopify(f"{signed}&gclid=1").told
    assert shopify(signed.replace("shop=test", "shop=best")).rule == "signature"
    assert shopify(f"{query}&hmac={signatures.query_hmac(query, 'older')}").rule == "old secret"
    assert shopify(query).rule == "no signature"
    other_kind = signatures.proxy_signature(query, "hush")
    assert "as of an app proxy" in shopify(f"{query}&hmac={other_kind}").told


def test_an_app_proxy_request_of_shopify():
    query = f"shop=s.myshopify.com&path_prefix=%2Fapps%2Fa&timestamp={NOW}&a=2&a=1"
    signed = f"{query}&signature={signatures.proxy_signature(query, 'hush')}"
    assert signature_checks.shopify_proxy(signed, SECRETS, NOW).rule == ""
    assert signature_checks.shopify_proxy(signed, SECRETS, NOW + 301).rule == "clock"
    last = f"a=1path_prefix=/apps/ashop=s.myshopify.comtimestamp={NOW}"
    found = signature_checks.shopify_proxy(f"{query}&signature={sign(last)}", SECRETS, NOW)
    assert (found.rule, found.told) == ("repeated key", "Of a repeated key only the last value was taken.")


BODY = '{"id":1,"note":"Größe a/b","lines":[{"sku":"A"}]}'


@pytest.mark.parametrize(
    ("received", "told"),
    [
        (json.dumps(json.loads(BODY)), "written anew"),
        (json.dumps(json.loads(BODY), indent=2, ensure_ascii=False), "written anew"),
        (BODY.replace("/", "\\/"), "written anew"),
        (f"{BODY}\n", "line break was added"),
        (f" {BODY}", "spaces were added"),
    ],
)
def test_a_body_that_was_changed_on_the_way(received, told):
    headers = {
        "x-shopify-hmac-sha256": signatures.webhook_hmac(BODY.encode(), "hush"),
        "x-shopify-topic": "orders/create",
    }
    assert signature_checks.shopify_webhook(headers, BODY.encode(), SECRETS).rule == ""
    found = signature_checks.shopify_webhook(headers, received.encode(), SECRETS)
    assert found.rule == "body" and told in found.told.lower()


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b'{"a":"\\ud800"}', b"9" * 5000])
def test_no_body_breaks_the_check(body):
    headers = {"x-shopify-hmac-sha256": signatures.webhook_hmac(b"x", "hush")}
    assert signature_checks.shopify_webhook(headers, body, SECRETS).rule == "signature"
