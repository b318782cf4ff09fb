"""The Proxy URL behind a real server: bytes as they come over the wire, and one signature sent many times at once."""

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from integrations.models import UsedSignature
from integrations.tests.shopline import proxying
from integrations.tests.shopline.proxying import signed

pytestmark = pytest.mark.django_db(transaction=True)
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
def shop(live_server):
    return proxying.account()


def exchange(live_server, target, method=b"GET", headers=b"", body=b""):
    """Send bytes, and no more, and return the status that comes back."""
    where = urlsplit(live_server.url)
    head = method + b" " + target + b" HTTP/1.1\r\nHost: hemi\r\nConnection: close\r\n" + headers + b"\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        return int(connection.makefile("rb").readline().split()[1])


def url(query="", path=""):
    return f"/shopline/proxy/{path}?{query}".encode()


def test_what_was_signed_is_what_came_over_the_wire(live_server, shop):
    query = signed("q=Gr%C3%B6%C3%9Fe+%E6%9D%B1&a%5Bb%5D=%2B%20&x=1%2F2")
    assert exchange(live_server, url(query)) == 200
    assert exchange(live_server, url(query.replace("%20", "%21"))) == 401
    assert exchange(live_server, url(query.replace("Gr%C3%B6%C3%9Fe", "Größe"))) == 401  # bytes that nobody escaped


@pytest.mark.parametrize(
    "query",
    [
        b"\xff\xfe",
        b"%",
        b"%00%01%02",
        b"&" * 60_000,
        b"a=" + b"x" * 60_000,
        b"[" * 3000,
        b"a" + b"[b]" * 5000,
        b"\x01\x7f",
    ],
    ids=lambda query: f"{query[:8]!r}{len(query)}",
)
def test_rubbish_is_refused_and_breaks_nothing(live_server, shop, query):
    assert exchange(live_server, url() + query) in (400, 401, 414)
    assert exchange(live_server, url(signed()) + b"&" + query) in (400, 401, 414)


@pytest.mark.parametrize("path", [b"%00", b"%ff%fe", b"%0a", b"\xff", b"a" * 3000, b"a/../b", b"%2e%2e%2f"])
def test_odd_paths_are_not_found(live_server, shop, path):
    target = b"/shopline/proxy/" + path + b"?" + signed().encode()
    assert exchange(live_server, target) == 404


def test_a_huge_body_is_refused_before_it_is_read(live_server, shop):
    headers = FORM + b"Content-Length: 20000000\r\n"
    assert exchange(live_server, url(signed()), b"POST", headers) == 413
    assert exchange(live_server, url(signed(secret="wrong")), b"POST", headers) == 401


def test_a_body_that_breaks_off_is_refused(live_server, shop):
    headers = FORM + b"Content-Length: 100\r\n"
    assert exchange(live_server, url(signed()), b"POST", headers, b"number=1&email=a%40b.example") == 400


def test_a_signature_that_comes_many_times_at_once_serves_once(live_server, shop):
    target = f"{live_server.url}/shopline/proxy/?{signed('form=x')}"

    def post(_):
        return requests.post(target, data={"number": "1", "email": "a@b.example"}, timeout=30).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(post, range(12)))
    assert answers == [200] + [401] * 11
    assert UsedSignature.objects.count() == 1
