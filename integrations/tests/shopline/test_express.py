"""A shop's own backend with Express verifies what the storefront side signs, and Hemi accepts what Express signs."""

import http.client
import json
import time
from random import Random
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from integrations.models import AccountShopline
from integrations.shopline import signatures
from integrations.shopline.queries import QueryRefused, read_extended, read_simple
from integrations.tests import storefront
from integrations.tests.shopline import nasty, node, proxying

pytestmark = [node.needed, pytest.mark.django_db]
FLAT = [
    "",
    "b=2&a=1&10=x&9=y&01=z&flag&blank=",
    "q=Gr%C3%B6%C3%9Fe+%E6%9D%B1%E4%BA%AC%20%F0%9F%98%80&%F0%9F%98%80=1&%EF%BD%9E=2",
    "q=a/b%3C%3E%26%22%5C%0A%E2%80%A8%00%7F&a=2&a=1&a=",
    "constructor=1&toString=2&length=3&toJSON=4",
]
NESTED = ["a[]=2&a[]=1", "a[b]=1&a[c][]=2", "f[z]=1&f[a]=2&f[a]=1&a%5B1%5D=x&a[0][b]=y"]


@pytest.fixture(scope="module", params=["express-4.16", "express-4.18", "express-4.22", "express-5.3"])
def backend(request):
    """Its address, and the queries that both read alike."""
    with node.express(request.param) as url:
        yield url, FLAT if request.param == "express-5.3" else FLAT + NESTED


def shop(url):
    return storefront.store(f"{url}/verify", app_proxy_secret=proxying.SECRET)


def test_express_verifies_what_the_storefront_side_signs(client, backend):
    url, queries = backend
    account = shop(url)
    for query in queries:
        for customer_id in ("", "sl-7"):
            answer = storefront.ask(client, f"{storefront.home(account, customer_id)}child/?{query}")
            said = storefront.text(answer)
            assert answer.status_code == 200, (query, said)
            assert json.loads(said)["path"] == "/verify/child/"
            assert json.loads(said)["query"]["customer_id"] == customer_id


def test_express_refuses_what_was_signed_with_another_secret(client, backend):
    account = shop(backend[0])
    AccountShopline.objects.update(app_proxy_secret="another")
    assert storefront.ask(client, f"{storefront.home(account)}?a=1").status_code == 401


def test_hemi_accepts_what_express_signs(backend):
    url, queries = backend
    proxying.account()
    for query in queries:
        for customer_id in ("", "sl-7"):
            added = {
                "merchant_id": "m-1",
                "customer_id": customer_id,
                "path_prefix": "/apps/tea",
                "timestamp": int(time.time()),
            }
            whole = f"{query}&{urlencode(added)}" if query else urlencode(added)
            signed = requests.get(f"{url}/sign?{whole}", timeout=10).json()["query"]
            assert proxying.send(signed).status_code == 200, signed
            assert proxying.send(signed.replace("merchant_id=m-1", "merchant_id=m-1&x=1")).status_code == 401


def test_express_5_signs_brackets_flat_and_hemi_records_it():
    proxying.account()
    with node.express("express-5.3") as url:
        signed = requests.get(f"{url}/sign?{proxying.unsigned('a[b]=1')}", timeout=10)
    assert proxying.send(signed.json()["query"]).status_code == 200
    assert AccountShopline.objects.get().read_as == "simple"


@pytest.mark.parametrize(
    ("version", "read"),
    [("express-4.18", read_extended), ("express-4.22", read_extended), ("express-5.3", read_simple)],
)
def test_nasty_queries_over_http_get_the_same_signature(version, read):
    random = Random(5)
    compared = 0
    with node.express(version) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        while compared < 500:
            query = nasty.query(random)
            try:
                made = signatures.sign(read(query), proxying.SECRET)
            except QueryRefused:
                continue
            connection.request("GET", f"/sign?{query}")
            assert json.load(connection.getresponse()) == {"query": f"{query}&signature={made}"}
            compared += 1
        connection.close()
