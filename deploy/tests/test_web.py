"""From TLS to the database: nginx, the socket as systemd hands it over, gunicorn."""

import shlex
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from deploy.tests import units, wire
from deploy.tests.places import NAME, Place


@pytest.fixture(scope="module", autouse=True)
def activated(place: Place, need: Callable) -> Iterator[subprocess.Popen]:
    """systemd-socket-activate, which starts gunicorn as the unit says at the first connection."""
    need("systemd-socket-activate")
    unit = units.read("hemi-web.service", place)
    settings = [f"--setenv={name}={value}" for name, value in unit.environment.items()]
    argv = ["systemd-socket-activate", f"--listen={place.socket}", *settings, *shlex.split(unit.one("ExecStart"))]
    with open(place.root / "activated.log", "wb") as log:
        process = subprocess.Popen(argv, cwd=place.opt / "current", stdout=log, stderr=log)
    wire.wait_for(place.socket.exists)
    yield process
    process.terminate()
    process.wait(40)
    place.socket.unlink()


def test_a_signed_webhook_reaches_the_database_and_a_forged_one_does_not(caller: wire.Caller, place: Place) -> None:
    assert caller.webhook(1).status == 200
    assert caller.webhook(2, Hmac_Sha256="AAAA").status == 401
    ids = f"'{1:032x}', '{2:032x}'"
    assert place.rows(f"SELECT webhook_id FROM integrations_webhookevent WHERE webhook_id IN ({ids})") == [
        (f"{1:032x}",)
    ]


def test_hemi_sees_the_client_and_not_what_it_claims(caller: wire.Caller) -> None:
    claims = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "203.0.113.9"}
    answer = caller.ask("GET", "/admin/login/", headers=claims)
    assert answer.status == 200
    assert "secure" in answer.headers["Set-Cookie"].lower()  # X-Forwarded-Proto is nginx's
    assert b"evil.example" not in answer.body


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", "/static/unfold/css/styles.css", "/nowhere/"])
def test_each_answer_has_the_headers_once(caller: wire.Caller, path: str) -> None:
    answer = caller.ask("GET", path)
    assert answer.status == (404 if path == "/nowhere/" else 200)
    assert len(answer.all("Strict-Transport-Security")) == 1
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert answer.all("X-Content-Type-Options") == ["nosniff"]
    assert answer.all("Referrer-Policy") == ["same-origin"]
    assert answer.all("X-Frame-Options") == ["DENY"] or "frame-ancestors" in answer.headers["Content-Security-Policy"]
    assert answer.all("Server") == ["nginx"]


def test_static_files_are_nginxs_own(caller: wire.Caller, place: Place) -> None:
    plain = caller.ask("GET", "/static/unfold/css/styles.css")
    packed = caller.ask("GET", "/static/unfold/css/styles.css", headers={"Accept-Encoding": "gzip"})
    assert plain.body == (place.opt / "current/static/unfold/css/styles.css").read_bytes()
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "max-age=3600" in plain.headers["Cache-Control"]
    assert caller.ask("GET", "/static/../hemi.env").status in (400, 404)
    assert caller.ask("GET", "/static../hemi.env").status == 404


def test_a_long_query_reaches_hemi_and_a_longer_one_is_refused_by_nginx(caller: wire.Caller) -> None:
    assert caller.ask("GET", f"/healthz?signature={'x' * 7000}").status == 200
    assert caller.ask("GET", f"/healthz?signature={'x' * 9000}").status == 414
    assert caller.ask("GET", "/healthz", headers={"Cookie": "a=" + "x" * 9000}).status == 400


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused(caller: wire.Caller, version: str) -> None:
    caller.context.minimum_version = caller.context.maximum_version = ssl.TLSVersion[version]
    caller.context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        caller.connect()


def test_http2_is_offered(caller: wire.Caller) -> None:
    caller.context.set_alpn_protocols(["h2", "http/1.1"])
    with caller.connect() as line:
        assert line.selected_alpn_protocol() == "h2"
        assert line.version() == "TLSv1.3"


def test_plain_http_is_sent_to_https_and_other_names_get_nothing(caller: wire.Caller, place: Place) -> None:
    def asked(url: str, *more: str) -> subprocess.CompletedProcess[str]:
        argv = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", *more, url]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20)

    plain = asked(f"http://127.0.0.1:{place.http}/admin/?a=b", "-H", f"Host: {NAME}")
    assert plain.stdout == f"308 https://{NAME}/admin/?a=b"
    assert asked(f"http://127.0.0.1:{place.http}/", "-H", "Host: other.example").stdout.startswith("000")
    assert asked(f"https://127.0.0.1:{place.https}/", "-k").returncode == 35  # no handshake without the name


def test_metrics_are_closed_to_the_public_and_open_on_this_machine(caller: wire.Caller, place: Place) -> None:
    on_loopback = f"http://127.0.0.1:{place.metrics}"
    assert requests.get(f"{on_loopback}/metrics", timeout=20).status_code == 200
    assert requests.get(f"{on_loopback}/admin/", timeout=20).status_code == 404
    assert caller.ask("GET", "/metrics").status == 404
    assert caller.ask("GET", "/%6detrics").status == 404


def test_20_megabytes_are_refused_announced_or_not(caller: wire.Caller) -> None:
    size = 20_000_000
    for path in (f"/shopify/webhooks/{caller.store}/", "/admin/login/"):
        with caller.connect() as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {size}\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 413 ")
        with caller.connect() as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            _pour(line, size)
            assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def _pour(line: ssl.SSLSocket, size: int) -> None:
    """Send chunks, as far as they are taken."""
    with suppress(OSError):
        for _ in range(size // 0x10000 + 1):
            line.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def test_a_flood_is_slowed_and_shopifys_rate_is_not(caller: wire.Caller, place: Place) -> None:
    calm = wire.Caller(place, caller.authority, "127.0.0.2", caller.store)
    place.nginx_log.write_text("")
    seconds, flooders = 6, 12
    with ThreadPoolExecutor(flooders + 1) as pool:
        floods = [pool.submit(_flood, caller, seconds) for _ in range(flooders)]
        waits = pool.submit(_steady, calm, 20, seconds).result()  # 20 orders a second
        flooded = sum(each.result() for each in floods)
    lines = place.nginx_log.read_text().splitlines()
    assert sum('"limit":"DELAYED"' in line or '"limit":"REJECTED"' in line for line in lines) > 0
    assert flooded <= 400 + 100 * (seconds + 3) + flooders
    assert len(waits) == 20 * seconds
    assert sorted(waits)[int(len(waits) * 0.95)] < 1.5, sorted(waits)[-10:]
    assert max(waits) < 5  # what Shopify waits


def _flood(caller: wire.Caller, seconds: float) -> int:
    """Send one request after the other on one connection as fast as they are answered."""
    request = (
        f"POST /shopify/webhooks/{caller.store}/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    )
    answered, deadline = 0, time.monotonic() + seconds
    with caller.connect() as line, line.makefile("rb") as answers:
        while time.monotonic() < deadline:
            line.sendall(request)
            while (head := answers.readline()) not in (b"\r\n", b""):
                if head.lower().startswith(b"content-length:"):
                    length = int(head.split(b":")[1])
            answers.read(length)
            answered += 1
    return answered


def _steady(caller: wire.Caller, per_second: int, seconds: int) -> list[float]:
    """Post webhooks at a steady pace; returns how long each took. All are taken."""

    def one(number: int) -> float:
        started = time.monotonic()
        assert caller.webhook(1000 + number).status == 200
        return time.monotonic() - started

    begun, waits = time.monotonic(), []
    with ThreadPoolExecutor(8) as pool:
        for number in range(per_second * seconds):
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            waits.append(pool.submit(one, number))
        return [each.result() for each in waits]


def test_tries_at_the_login_are_few_for_each_address(place: Place, caller: wire.Caller) -> None:
    guesser = wire.Caller(place, caller.authority, "127.0.0.3")
    tried = [guesser.ask("POST", "/admin/login/", b"username=admin&password=x").status for _ in range(14)]
    assert tried[:11] == [403] * 11  # no CSRF token: Hemi answered
    assert 429 in tried[11:]
    assert guesser.ask("GET", "/admin/login/").status == 200  # reading the page is no try
    assert caller.ask("POST", "/admin/login/", b"username=admin&password=x").status == 403


def test_the_log_is_json_and_knows_no_query_and_no_preview_link(caller: wire.Caller, place: Place) -> None:
    for path in (
        "/storefront/m-1~very-secret/apps/hemi/",
        "/shopify/callback/?code=very-secret&shop=test.myshopify.com",
    ):
        caller.ask("GET", path)
    text = place.nginx_log.read_text()
    assert '"path":"/shopify/callback/"' in text
    assert "very-secret" not in text + (place.root / "activated.log").read_text()
