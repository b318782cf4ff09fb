"""The storefront side's connection: to the address that was checked, within limits, and never back into Hemi."""

import datetime
import io
import os
import socket
import ssl
import time
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.models import AccountShopline
from integrations.shopline import forwarding
from integrations.tests.backend import Backend, Reply
from integrations.tests.storefront import ask, home, store, text

pytestmark = pytest.mark.django_db
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.fixture
def backend():
    with Backend() as backend:
        yield backend


@pytest.fixture
def shop(backend):
    return store(backend.url)


@pytest.fixture
def names(monkeypatch):
    """Names and what they resolve to, asked in turn; what was asked is kept."""
    known, asked, real = {}, [], socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host not in known:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        turns = known[host]
        return real(turns.pop(0) if len(turns) > 1 else turns[0], port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    known["asked"] = asked
    return known


def refused(response, *words):
    said = text(response)
    assert response.status_code == 502, said
    for word in words:
        assert word in said
    return True


def leads_to(proxy_url):
    AccountShopline.objects.update(proxy_url=proxy_url, live_proxy_url=proxy_url)


def drip(backend, connection, head):
    """Send a byte now and then, for as long as the test runs."""
    connection.sendall(head)
    while not backend.over.wait(0.05):
        try:
            connection.sendall(b"x")
        except OSError:
            return


def test_an_answer_streams(client, shop, backend):
    block = b"<p>" + b"x" * 99_997
    backend.reply = Reply(body=block * 10)
    response = ask(client, home(shop))
    blocks = list(response.streaming_content)
    assert response.streaming and len(blocks) > 1 and b"".join(blocks) == block * 10
    assert response["Content-Length"] == "1000000"


def test_the_first_bytes_come_before_the_last_are_there(client, shop, backend):
    def write(connection):
        connection.sendall(HEAD + b"\r\nfirst")
        backend.over.wait(20)

    backend.reply = Reply(write=write)
    response = ask(client, home(shop))
    assert next(iter(response.streaming_content)) == b"first"
    response.close()


def test_a_large_answer_is_refused_before_it_begins_or_cut(client, shop, backend, settings):
    settings.STOREFRONT_MAX_BYTES = 1000
    backend.reply = Reply(body=b"x" * 1001)
    assert refused(ask(client, home(shop)), "larger than 1,000 bytes")
    backend.reply = Reply(write=lambda connection: connection.sendall(HEAD + b"\r\n" + b"x" * 1001))
    assert refused(ask(client, home(shop)), "larger than 1,000 bytes")

    def write(connection):
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n384\r\n" + b"x" * 900 + b"\r\n")
        time.sleep(0.1)  # a block of its own
        connection.sendall(b"384\r\n" + b"x" * 900 + b"\r\n0\r\n\r\n")

    backend.reply = Reply(write=write)
    response = ask(client, home(shop))
    with pytest.raises(ConnectionResetError):
        text(response)


def test_what_is_sent_is_limited_too(client, shop, backend, settings):
    settings.STOREFRONT_MAX_BYTES = 1000
    assert ask(client, home(shop), "POST", b"x" * 1001).status_code == 413
    assert ask(client, home(shop), "POST", b"x" * 1000).status_code == 200
    assert len(backend.arrivals) == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"CONTENT_LENGTH": "9", "wsgi.input": io.BytesIO(b"12345678")}, 400),  # it broke off
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, 411),
    ],
)
def test_a_body_is_passed_on_whole_or_not_at_all(client, shop, backend, said, status):
    response = client.generic("POST", home(shop), b"12345678", "text/plain", **said)
    assert response.status_code == status, text(response)
    assert backend.arrivals == []


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_drip_before_the_answer_is_no_answer(client, shop, backend, settings, head):
    settings.STOREFRONT_SECONDS = 1
    backend.reply = Reply(write=partial(drip, backend, head=head))
    started_at = time.monotonic()
    assert refused(ask(client, home(shop)), "within 1 seconds")
    assert time.monotonic() - started_at < 3


def test_a_drip_in_the_answer_is_cut(client, shop, backend, settings):
    settings.STOREFRONT_SECONDS = 1
    backend.reply = Reply(write=partial(drip, backend, head=HEAD + b"\r\n"))
    started_at = time.monotonic()
    response = ask(client, home(shop))
    assert response.status_code == 200, text(response)
    with pytest.raises(ConnectionResetError, match="too long"):
        text(response)
    assert time.monotonic() - started_at < 3


def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(client, shop, backend):
    backend.reply = Reply(write=lambda connection: connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nhalf"))
    response = ask(client, home(shop))
    with pytest.raises(ConnectionResetError, match="before its end"):
        text(response)


@pytest.mark.parametrize(
    "garbage", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"\x16\x03\x01"]
)
def test_what_is_no_answer_is_a_502(client, shop, backend, garbage):
    backend.reply = Reply(write=lambda connection: connection.sendall(garbage))
    assert refused(ask(client, home(shop)))


@pytest.mark.parametrize("status", [b"101 Switching", b"103 Early", b"600 Odd", b"999 Odd"])
def test_a_status_of_no_answer_is_a_502(client, shop, backend, status):
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"
    backend.reply = Reply(write=lambda connection: connection.sendall(answer))
    assert refused(ask(client, home(shop)), f"status {status[:3].decode()}")


def test_a_header_that_goes_on_in_the_next_line_is_dropped(client, shop, backend):
    answer = HEAD + b"ETag: one\r\n two\r\nVary: a\x00b\r\nContent-Language: de\r\nContent-Length: 2\r\n\r\nhi"
    backend.reply = Reply(write=lambda connection: connection.sendall(answer))
    response = ask(client, home(shop))
    assert (response.status_code, text(response), response["Content-Language"]) == (200, "hi", "de")
    assert "ETag" not in response and "Vary" not in response


def test_an_answer_in_chunks_has_no_length_of_its_own(client, shop, backend):
    answer = HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    backend.reply = Reply(write=lambda connection: connection.sendall(answer))
    response = ask(client, home(shop))
    assert text(response) == "hello" and "Content-Length" not in response


def test_nobody_there_is_a_502(client, shop, backend):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        leads_to(f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert refused(ask(client, home(shop)), "does not answer")
    leads_to("http://no..such..name")
    assert refused(ask(client, home(shop)), "cannot be resolved")


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.254.169.254", "[fd00::1]", "192.168.1.1", "0.0.0.0", "[::ffff:10.0.0.1]"]
)  # noqa: S104
def test_private_addresses_are_refused(client, shop, backend, host):
    leads_to(f"http://{host}:{backend.port}")
    assert refused(ask(client, home(shop)), "private address")


def test_loopback_is_refused_outside_the_sandbox_unless_named(client, shop, backend, settings):
    target = home(shop)
    settings.SANDBOX, settings.DEBUG = False, False
    leads_to(f"https://127.0.0.1:{backend.port}")
    assert refused(ask(client, target), "private address")
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    assert refused(ask(client, target), "encryption")  # it got there; the backend speaks no TLS
    assert backend.arrivals == []


def test_a_name_is_resolved_once_and_that_address_is_used(client, shop, backend, names):
    names["shop.example"] = ["127.0.0.1", "10.0.0.1"]
    leads_to(f"http://shop.example:{backend.port}")
    assert ask(client, home(shop)).status_code == 200
    assert names["asked"] == ["shop.example"]
    assert backend.arrivals[0].headers["Host"] == f"shop.example:{backend.port}"
    assert refused(ask(client, home(shop)), "private address")
    assert len(backend.arrivals) == 1


@pytest.mark.parametrize(
    "proxy_url",
    ["https://hemi.test", "https://hemi.test/admin", "https://HEMI.test./shopline/proxy", "http://hemi.test:8000/x"],
)
def test_hemis_own_hosts_are_refused(client, shop, backend, names, proxy_url):
    names["hemi.test"] = names["hemi.test."] = names["HEMI.test."] = ["127.0.0.1"]
    leads_to(proxy_url)
    assert refused(ask(client, home(shop)), "leads back to Hemi")
    assert names["asked"] == []


def test_a_name_that_is_looked_up_for_too_long_is_a_502(client, shop, backend, settings, monkeypatch):
    def slow(*args, **kwargs):
        time.sleep(0.05)
        return real(*args, **kwargs)

    settings.STOREFRONT_SECONDS, real = 0.01, socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert refused(ask(client, home(shop)), "does not answer")
    assert backend.arrivals == []


def test_hemis_own_port_is_refused_by_whatever_name(client, shop, backend, names, settings):
    settings.ALLOWED_HOSTS = ["testserver", "also.hemi.test", ".staff.hemi.test"]
    names["alias.example"] = ["127.0.0.1"]
    target = home(shop)
    for host in ("alias.example", "127.0.0.1", "localhost", "127.1", "127.8.8.8"):
        leads_to(f"http://{host}:{backend.port}/admin")
        response = client.get(target, SERVER_PORT=str(backend.port), SERVER_NAME="also.hemi.test")
        assert refused(response, "leads back to Hemi"), host
    for host in ("also.hemi.test", "www.staff.hemi.test"):
        leads_to(f"http://{host}:{backend.port}/admin")
        assert refused(ask(client, target), "leads back to Hemi")
    assert backend.arrivals == []


def test_a_loop_ends_at_once(client, shop, backend):
    ask(client, home(shop))
    via = backend.arrivals[0].headers["Via"]
    assert refused(ask(client, home(shop), Via=f"{via}, 1.1 nginx"), "storefront side already")
    assert len(backend.arrivals) == 1


@pytest.mark.parametrize(
    "proxy_url",
    [
        "ftp://shop.example",
        "http:///x",
        "https://u:p@shop.example",
        "https://shop.example/?a=1",
        "https://shop.example:99999",
        "https://h\u00aami.test",  # looked up as hami.test
        "https://hem\uff49.test",
    ],
)
def test_what_is_no_plain_address_is_refused(client, shop, proxy_url):
    leads_to(proxy_url)
    assert refused(ask(client, home(shop)), "The Proxy URL must")


def test_outside_the_sandbox_only_https(client, shop, backend, settings):
    target = home(shop)
    settings.SANDBOX, settings.ALLOWED_PRIVATE_NETWORKS = False, ["127.0.0.1/32"]
    assert refused(ask(client, target), "https://")
    assert backend.arrivals == []


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """Make certificates of an authority that this machine trusts; give the files of one for a name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    forwarding._tls.cache_clear()
    key = ec.generate_private_key(ec.SECP256R1())
    own = _certificate("Test authority", key.public_key(), "Test authority", key, is_authority=True)
    (tmp_path / "authority.pem").write_bytes(own)

    def issue(name):
        leaf = ec.generate_private_key(ec.SECP256R1())
        path = tmp_path / f"{name}.pem"
        secret = leaf.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + _certificate(name, leaf.public_key(), "Test authority", key))
        return path

    yield issue
    forwarding._tls.cache_clear()


def _certificate(name, public_key, issuer, key, *, is_authority=False):
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_tls_is_verified_for_the_name_and_asks_for_it(client, authority, names):
    asked = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority("shop.example"))
    context.sni_callback = lambda connection, name, _context: asked.append(name)
    names["shop.example"] = names["other.example"] = ["127.0.0.1"]
    backend = Backend()
    backend.secure(partial(context.wrap_socket, server_side=True, do_handshake_on_connect=False))
    with backend:
        account = store(f"https://shop.example:{backend.port}")
        assert ask(client, home(account)).status_code == 200
        assert asked == ["shop.example"]
        leads_to(f"https://other.example:{backend.port}")
        assert refused(ask(client, home(account)), "certificate or encryption")
        leads_to(f"https://127.0.0.1:{backend.port}")
        assert refused(ask(client, home(account)), "certificate or encryption")
        assert len(backend.arrivals) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(client, authority, names, monkeypatch, tmp_path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority("shop.example"))
    monkeypatch.delenv("SSL_CERT_FILE")
    forwarding._tls.cache_clear()
    names["shop.example"] = ["127.0.0.1"]
    backend = Backend()
    backend.secure(partial(context.wrap_socket, server_side=True, do_handshake_on_connect=False))
    with backend:
        account = store(f"https://shop.example:{backend.port}")
        assert refused(ask(client, home(account)), "certificate or encryption")
        assert backend.arrivals == []


@pytest.mark.django_db(transaction=True)  # a response that is closed closes the database's connection with it
def test_every_connection_is_closed_again(client, shop, backend):
    """Also those of answers that are refused, cut, or left in the middle."""
    before = _open_sockets()
    ask(client, home(shop)).close()
    text(ask(client, home(shop)))
    backend.reply = Reply(headers=[("Content-Type", "text/plain")], body=b"x" * 300_000)
    ask(client, home(shop))
    backend.reply = Reply(body=b"x" * 300_000)
    response = ask(client, home(shop))
    next(iter(response.streaming_content))
    response.close()
    deadline = time.monotonic() + 5
    while _open_sockets() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(backend.arrivals) == 4 and _open_sockets() <= before


def _open_sockets():
    return sum(os.readlink(path).startswith("socket:") for path in Path("/proc/self/fd").iterdir() if path.is_symlink())
