"""What TLS adds to FTP: who the server is, nothing said before it is known, and no file cut short unseen."""

import contextlib
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox import certificates
from sandbox.ftp import FtpSandbox
from sandbox.ftps import FtpsSandbox, ImplicitFtpsSandbox
from sandbox.sockets import listen
from suppliers.tests.servers import failure, make, where
from suppliers.transports import tls
from suppliers.transports.errors import IdentityChanged, IdentityRefused, IdentityUnknown
from suppliers.transports.opening import open_session

CONTENT = b"<Order/>" * 100_000


@pytest.fixture(params=[FtpsSandbox, ImplicitFtpsSandbox])
def place(request):
    return request.param


@pytest.fixture
def trust(tmp_path, monkeypatch):
    """Let the machine's authorities be one certificate."""

    def run(certificate):
        (tmp_path / "authorities.pem").write_bytes(certificate.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
        tls._make.cache_clear()
        return certificate

    yield run
    tls._make.cache_clear()


def test_a_certificate_that_an_authority_vouches_for_needs_no_pin(place, tmp_path, trust):
    certificate = trust(certificates.make())
    with place(tmp_path / "f", "hemi", "right-password", certificate=certificate) as server:
        session = open_session(where(server, identity=""))
        session.upload("in/a.xml", CONTENT)
        assert (server.orders_folder / "a.xml").read_bytes() == CONTENT
        assert session.seen.identity == certificate.fingerprint
        session.close()


@pytest.mark.parametrize(
    ("wrong", "words"), [({"host": "127.0.0.9"}, "not valid for '127.0.0.1'"), ({"days": -1}, "expired")]
)
def test_a_certificate_for_another_name_or_run_out_needs_one(place, tmp_path, trust, wrong, words):
    certificate = trust(certificates.make(**wrong))
    with place(tmp_path / "f", "hemi", "right-password", certificate=certificate) as server:
        error = failure(open_session, where(server, identity=""))
        assert isinstance(error, IdentityUnknown)
        assert (error.kind, error.identity) == ("endpoint", certificate.fingerprint)
        assert words in error.message
        assert server.logins + server.failed_logins == 0
        open_session(where(server)).close()


def test_a_renewed_certificate_is_not_the_pinned_one(place, tmp_path, trust):
    certificate = trust(certificates.make())
    with place(tmp_path / "f", "hemi", "right-password", certificate=certificate) as server:
        error = failure(open_session, where(server, identity=certificates.make().fingerprint))
        assert isinstance(error, IdentityChanged)
        assert error.identity == certificate.fingerprint
        assert server.logins + server.failed_logins == 0


def test_a_server_without_tls_is_not_told_the_password(tmp_path):
    with FtpSandbox(tmp_path / "f", "hemi", "right-password") as server:
        error = failure(open_session, where(server, protocol="ftps"))
        assert (error.kind, error.step) == ("endpoint", "connect")
        assert [entry.command for entry in server.log] == ["AUTH"]
        assert failure(open_session, where(server, protocol="ftps_implicit", connect_timeout=0.5)).step == "connect"
        assert server.logins == 0


def test_protection_that_is_refused_stops_the_endpoint(tmp_path):
    with FtpsSandbox(tmp_path / "f", "hemi", "right-password") as server:
        server.faults.add("PROT", reply=(536, "Not here"))
        assert failure(open_session, where(server)).kind == "endpoint"
        session = open_session(where(server))
        server.faults.add("STOR", reply=(522, "Session reuse required"))
        assert failure(session.upload, "in/a.xml", CONTENT).kind == "endpoint"
        session.close()


def test_words_slipped_in_before_tls_are_not_taken_for_the_servers(tmp_path):
    heard = []
    with FtpsSandbox(tmp_path / "f", "hemi", "right-password") as server, listen(0) as listener:

        def talk():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                connection.sendall(b"220 Ready.\r\n")
                connection.recv(100)
                connection.sendall(b"234 Go on.\r\n331 Say the password.\r\n")
                heard.append(connection.recv(100))

        thread = threading.Thread(target=talk)
        thread.start()
        error = failure(open_session, where(server, port=listener.getsockname()[1]))
        thread.join()
    assert (error.kind, error.step) == ("endpoint", "connect")
    assert "slipped in" in error.message
    assert heard == [b""]


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_data_channel_of_somebody_else_gets_no_file_and_ends_the_session(tmp_path, trust, is_pinned):
    """The reply to the upload is still under way: the next command would take it for its own."""
    certificate, another = trust(certificates.make()), certificates.make()
    with FtpsSandbox(tmp_path / "f", "hemi", "right-password", certificate=certificate) as server:
        session = open_session(where(server, identity=certificate.fingerprint if is_pinned else ""))
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (tmp_path / "another.pem").write_bytes(another.pem_with_key)
        stranger.load_cert_chain(tmp_path / "another.pem")
        with listen(0) as listener:

            def talk():
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), stranger.wrap_socket(connection, server_side=True) as secured:
                    heard.append(secured.recv(100))

            heard = []
            thread = threading.Thread(target=talk)
            thread.start()
            server.faults.add("EPSV", reply=(229, f"Entering extended passive mode (|||{listener.getsockname()[1]}|)"))
            error = failure(session.upload, "in/a.xml", CONTENT)
            thread.join()
        assert error.kind == "endpoint"
        assert isinstance(error, IdentityRefused)
        assert session.is_broken
        assert heard in ([], [b""])
        session.close()


@pytest.mark.parametrize("kind", ["vsftpd", "vsftpd_implicit"])
def test_vsftpd_takes_every_file_whole_in_the_same_tls_session(kind, tmp_path):
    """It refuses a data channel with a TLS session of its own, and a file without TLS's end."""
    with make(kind, tmp_path) as server:
        session = open_session(where(server))
        for number, size in enumerate((0, 1, 16_384, 2_000_000)):
            session.upload(f"in/{number}", b"x" * size)
            assert session.size(f"in/{number}") == size
            assert session.read(f"in/{number}", 3_000_000) == b"x" * size
            assert session.seen.is_tls_session_reused
        session.close()


def test_vsftpd_drops_a_data_channel_of_another_session(tmp_path):
    """What the test above rests on: the server really is that strict."""
    with make("vsftpd", tmp_path) as server:
        session = open_session(where(server))
        with session.step("upload"):
            channel = session.open_channel()
            session.wire.sendcmd("STOR in/a")
            stranger = tls.wrap(channel._connection, session.server)
        with contextlib.suppress(OSError):
            stranger.sendall(b"x")
        with contextlib.closing(stranger), pytest.raises(Exception, match="522 SSL connection failed"):
            session.wire.voidresp()
        session.close()


def test_a_server_that_ends_without_tls_end_has_its_file_checked(tmp_path):
    """A download that only stops might have been cut off by somebody on the way."""

    class Abrupt(FtpsSandbox):
        def _attributes(self):
            known = super()._attributes()
            parent = self.session_class.dtp_handler

            def close(self):
                with contextlib.suppress(OSError):
                    self.socket.sock_shutdown(socket.SHUT_RDWR)
                self._error = True
                parent.close(self)

            return {**known, "dtp_handler": type("AbruptTransfer", (parent,), {"close": close})}

    with Abrupt(tmp_path / "f", "hemi", "right-password") as server:
        (server.replies_folder / "r.xml").write_bytes(b"whole")
        session = open_session(where(server))
        assert session.read("out/r.xml", 99) == b"whole"
        server.faults.add("SIZE", reply=(213, "9"))
        assert failure(session.read, "out/r.xml", 99).kind == "temporary"
        session.close()


def test_threads_that_begin_at_once_share_one_context():
    tls._make.cache_clear()
    start = threading.Barrier(8)

    def ask(_):
        start.wait()
        return tls.context(True)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
