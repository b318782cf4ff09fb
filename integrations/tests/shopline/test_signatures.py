"""What is verified, and which rule refuses the rest."""

import pytest

from integrations.shopline import queries, signatures
from integrations.shopline.signatures import Refused, verify
from integrations.tests.shopline.proxying import signed, unsigned

NOW = 1_790_000_000.5


def at(seconds=0, extra="", **fields):
    return signed(extra, timestamp=str(int(NOW) + seconds), **fields)


def test_verified_holds_what_was_signed_and_nothing_else():
    found = verify(at(extra="a[b]=1&a[c]=2"), ["hush"], now=NOW)
    assert found.values == {
        "a": {"b": "1", "c": "2"},
        "merchant_id": "m-1",
        "customer_id": "c-1",
        "path_prefix": "/apps/tea",
        "timestamp": str(int(NOW)),
    }
    assert (found.reading, found.is_old_secret, found.timestamp) == ("extended", False, int(NOW))
    assert (found.text("customer_id"), found.text("a"), found.text("nothing")) == ("c-1", "", "")


@pytest.mark.parametrize(
    ("extra", "read", "reading"),
    [
        ("", queries.read_extended, "either"),
        ("a=1&a=2", queries.read_simple, "either"),
        ("a[]=1", queries.read_extended, "extended"),
        ("a[]=1", queries.read_simple, "simple"),
        ("a%5Bb%5D=1", queries.read_simple, "simple"),
        ("q=%5B%5D", queries.read_simple, "either"),
    ],
)
def test_reading(extra, read, reading):
    assert verify(at(extra=extra, read=read), ["hush"], now=NOW).reading == reading


def test_any_of_the_secrets_and_which():
    assert verify(at(secret="old"), ["hush", "old"], now=NOW).is_old_secret
    assert not verify(at(), ["hush", "old"], now=NOW).is_old_secret
    for secrets in ([], [""], ["other"]):
        with pytest.raises(Refused, match="another secret"):
            verify(at(secret=""), secrets, now=NOW)


@pytest.mark.parametrize("seconds", [-299, -1, 300])
def test_near_enough(seconds):
    assert verify(at(seconds), ["hush"], now=NOW).timestamp == int(NOW) + seconds


@pytest.mark.parametrize("seconds", [-301, 302])
def test_too_far(seconds):
    with pytest.raises(Refused) as refused:
        verify(at(seconds), ["hush"], now=NOW)
    assert refused.value.rule == "clock"


def test_no_value_of_a_signed_query_can_be_told_to_another():
    """Different objects have different canonical strings, so one signature fits one object."""
    same = {signatures.sign(queries.read_extended(query), "hush") for query in ("a=1", "a[]=1", "a[b]=1", "a[0][b]=1")}
    same |= {signatures.sign(queries.read_simple(query), "hush") for query in ("a[]=1", "a[b]=1", 'a={"b":"1"}')}
    assert len(same) == 7


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        (at(secret="x"), "signature"),
        (at(-999), "clock"),
        (at(-999, secret="x"), "signature"),  # who did not sign learns nothing of the clock
        (unsigned(), "unsigned"),
        (f"{at()}&signature=1", "repeated"),
        (at().upper().replace("SIGNATURE", "signature"), "malformed"),
        (f"{at()}&a[20]=1", "list"),
        (f"{at()}&q=%F6", "encoding"),
        (f"{at()}&customer_id=c-2", "repeated"),
        (at().replace("customer_id", "customer"), "missing"),
        ("", "unsigned"),
    ],
)
def test_refusal_names_the_first_rule_that_failed(query, rule):
    with pytest.raises(Refused) as refused:
        verify(query, ["hush", "old"], now=NOW)
    assert refused.value.rule == rule
    assert str(refused.value).endswith(".")
