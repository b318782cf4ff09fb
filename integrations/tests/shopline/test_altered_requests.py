"""Of 10,000 altered requests none is accepted, and none makes a 5xx."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from integrations.models import AccountShopline, UsedSignature
from integrations.tests.shopline import altering, proxying

pytestmark = pytest.mark.django_db
HOW_MANY = 10_000
_PATHS = ("", "orders", "status.json", "nothing", "%2e%2e/admin")
_METHODS = ("GET", "GET", "GET", "HEAD", "POST", "POST", "PUT")
_TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "\xff",
)
_BODIES = (b"", b"number=1&email=a%40b.example", b"{", b"\x00\xff", b"a" * 30_000)
_ACCEPTS = ("", "text/html", "application/json", "*/*", "\xff", "a/b;q=x," * 100)


@pytest.fixture
def shops():
    gone = {"previous_app_proxy_secret": "former", "previous_secret_until": timezone.now() - timedelta(seconds=1)}
    first = proxying.account(**gone)
    proxying.account(client=first.client, merchant_id="m-2", app_proxy_secret="other-secret")


def send(random, query):
    headers = {"HTTP_ACCEPT": random.choice(_ACCEPTS), "HTTP_ACCEPT_LANGUAGE": random.choice(("de", "zh", "\xff", ""))}
    return proxying.send(
        query,
        random.choice(_PATHS),
        random.choice(_METHODS),
        data=random.choice(_BODIES),
        content_type=random.choice(_TYPES),
        **headers,
    )


def test_none_is_accepted(shops):
    random = Random(20261121)
    kinds = list(altering.KINDS)
    found = Counter()
    for number in range(HOW_MANY):
        kind = kinds[number % len(kinds)]
        query = altering.altered(random, kind)
        status = send(random, query).status_code
        assert status in (401, 404, 405), (kind, query, status)
        found[kind, status] += 1
    assert {kind for kind, status in found if status == 401} == set(kinds)  # each kind came as far as the signature
    assert not UsedSignature.objects.exists()
    assert not AccountShopline.objects.exclude(read_as="").exists()


def test_the_originals_are_accepted(shops):
    random = Random(1)
    for _ in range(100):
        assert proxying.send(altering.original(random)).status_code == 200
