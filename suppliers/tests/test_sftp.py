"""What is SFTP's own: keys of both sides, blocks confirmed one by one, and names that are never replaced."""

import contextlib
import re
import threading
import time

import asyncssh
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sandbox.sftp import SftpSandbox
from sandbox.sockets import listen
from suppliers.tests.servers import failure, make, where
from suppliers.transports.errors import IdentityChanged, IdentityUnknown
from suppliers.transports.opening import open_session

CONTENT = bytes(range(256)) * 1000
OPENSSH, PKCS8, TRADITIONAL = (
    serialization.PrivateFormat.OpenSSH,
    serialization.PrivateFormat.PKCS8,
    serialization.PrivateFormat.TraditionalOpenSSL,
)


@pytest.fixture
def server(tmp_path):
    with SftpSandbox(tmp_path / "f", "hemi", "right-password") as server:
        yield server


@pytest.fixture
def session(server):
    session = open_session(where(server))
    yield session
    session.close()


def files(server):
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir()}


def written(key, form, passphrase=""):
    lock = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def let_in(server, key):
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    server.client_key = public.decode()


@pytest.mark.parametrize(
    ("key", "form", "passphrase"),
    [
        (ed25519.Ed25519PrivateKey.generate(), OPENSSH, ""),
        (ed25519.Ed25519PrivateKey.generate(), OPENSSH, "open sesame"),
        (ed25519.Ed25519PrivateKey.generate(), PKCS8, "open sesame"),
        (rsa.generate_private_key(65537, 2048), TRADITIONAL, ""),
        (rsa.generate_private_key(65537, 2048), TRADITIONAL, "open sesame"),
        (rsa.generate_private_key(65537, 2048), OPENSSH, ""),
        (ec.generate_private_key(ec.SECP256R1()), PKCS8, ""),
    ],
    ids=["ed25519", "ed25519 locked", "ed25519 pkcs8", "rsa pem", "rsa pem locked", "rsa", "ecdsa"],
)
def test_a_private_key_logs_in_whatever_its_form(server, key, form, passphrase):
    let_in(server, key)
    text = written(key, form, passphrase).replace("\n", "\r\n")
    session = open_session(where(server, private_key=text, key_passphrase=passphrase, password=""))
    session.upload("in/a.xml", CONTENT)
    assert files(server) == {"a.xml": CONTENT}
    session.close()


@pytest.mark.parametrize(
    "text", ["no key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"]
)
def test_a_key_that_cannot_be_read_is_told_without_a_connection(server, text):
    error = failure(open_session, where(server, private_key=text))
    assert (error.kind, error.step, server.sessions) == ("endpoint", "login", 0)
    locked = written(ed25519.Ed25519PrivateKey.generate(), OPENSSH, "open sesame")
    error = failure(open_session, where(server, private_key=locked, key_passphrase="wrong"))
    assert "passphrase" in error.message and "wrong" not in error.message
    assert server.sessions == 0


def test_a_key_that_the_server_does_not_know_is_tried_once(server):
    key = written(ed25519.Ed25519PrivateKey.generate(), OPENSSH)
    error = failure(open_session, where(server, private_key=key))
    assert (error.kind, error.step, server.logins, server.sessions) == ("endpoint", "login", 0, 1)
    assert "private key" in error.message


def test_an_unknown_and_a_changed_key_are_told_apart(server):
    unknown = failure(open_session, where(server, identity=""))
    changed = failure(open_session, where(server, identity=asyncssh.generate_private_key("ssh-rsa").get_fingerprint()))
    assert (type(unknown), type(changed)) == (IdentityUnknown, IdentityChanged)
    for error in (unknown, changed):
        assert (error.kind, error.identity) == ("endpoint", server.identity)
        assert server.identity in error.message
    assert server.logins + server.failed_logins == 0


def test_a_server_that_was_given_another_key_still_has_the_pinned_one(server):
    pinned = asyncssh.generate_private_key("ssh-rsa")
    server.stop()
    server.further_host_keys = [pinned]
    server.start()
    session = open_session(where(server, identity=pinned.get_fingerprint()))
    assert (session.seen.identity, session.seen.identity_kind) == (pinned.get_fingerprint(), "ssh-rsa")
    session.close()


def test_a_refused_block_in_the_middle_of_an_upload_is_told(server, session):
    server.faults.add("WRITE", reply=(4, "Failure"), skip=5)
    error = failure(session.upload, "in/a.part", CONTENT * 40)
    assert (error.kind, error.step, session.is_broken) == ("temporary", "upload", False)
    server.faults.add("CLOSE", reply=(15, "Quota exceeded"))
    assert "quota" in failure(session.upload, "in/a.part", CONTENT).message.lower()
    session.upload("in/a.part", CONTENT)
    assert files(server) == {"a.part": CONTENT}


@pytest.mark.parametrize(
    ("code", "kind"),
    [(3, "temporary"), (4, "temporary"), (8, "endpoint"), (11, "file"), (14, "temporary"), (20, "file")],
)
def test_refusals_of_an_upload(server, session, code, kind):
    server.faults.add("OPEN", reply=(code, "No"))
    error = failure(session.upload, "in/a.xml", CONTENT)
    assert (error.kind, error.step, session.is_broken) == (kind, "upload", False)
    assert files(server) == {}


@pytest.mark.parametrize("kind", ["sftp", "sshd"])
def test_an_existing_name_is_never_replaced(kind, tmp_path):
    with make(kind, tmp_path) as server:
        session = open_session(where(server))
        session.upload("in/a.part", b"new")
        session.upload("in/a.xml", b"old")
        assert failure(session.rename, "in/a.part", "in/a.xml").step == "rename"
        assert files(server) == {"a.part": b"new", "a.xml": b"old"}
        assert not session.is_broken
        session.close()


def test_posix_rename_serves_where_there_is_no_other_but_replaces_nothing(server, session):
    session.upload("in/a.part", b"new")
    server.faults.add("RENAME", reply=(8, "Not supported"), times=None)
    session.rename("in/a.part", "in/a.xml")
    session.upload("in/b.part", b"newer")
    assert failure(session.rename, "in/b.part", "in/a.xml").kind == "endpoint"
    assert files(server) == {"a.xml": b"new", "b.part": b"newer"}


def test_a_file_that_shrinks_while_it_is_read_is_read_to_its_end(server, session):
    (server.replies_folder / "r.xml").write_bytes(CONTENT * 20)
    server.faults.add("READ", reply=(1, "End of file"), skip=3)
    assert (CONTENT * 20).startswith(session.read("out/r.xml", 9_000_000))
    (server.replies_folder / "r.xml").write_bytes(b"x" * 50)
    server.faults.clear()
    assert session.read("out/r.xml", 50) == b"x" * 50


def test_sshd_takes_and_gives_large_files_whole(tmp_path):
    with make("sshd", tmp_path) as server:
        session = open_session(where(server))
        content = CONTENT * 40
        session.upload("in/a.part", content)
        assert (server.orders_folder / "a.part").read_bytes() == content
        assert session.read("in/a.part", len(content)) == content
        assert re.match("SSH-2.0-OpenSSH", session.seen.greeting)
        session.close()


def test_sshd_takes_the_private_key(tmp_path):
    with make("sshd", tmp_path) as server:
        session = open_session(where(server, private_key=server.private_key, password=""))
        assert session.listing("in") == {}
        session.close()


@pytest.mark.parametrize(
    "said",
    [
        b"220 Ready.\r\n",
        b"SSH-2.0-x\r\n" + b"\0" * 99,
        b"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x14" + b"\xff" * 99,
        b"\xff" * 9999,
    ],
)
def test_a_greeting_that_is_not_ssh(server, said):
    with listen(0) as listener:

        def greet():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(said)
                connection.settimeout(2)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=greet)
        thread.start()
        error = failure(open_session, where(server, port=listener.getsockname()[1], connect_timeout=1))
        thread.join()
    assert (error.kind, error.step) == ("temporary", "connect")


def test_a_server_that_answers_what_nobody_asked_is_given_up(server, session, monkeypatch):
    """Each answer would be kept for whoever waits for it."""
    told = asyncssh.sftp.SFTPServerHandler.send_packet

    def flood(handler, kind, number, *content):
        for other in range(2_000_000, 2_002_000):
            told(handler, kind, other, asyncssh.packet.UInt32(other), *content[1:])
        told(handler, kind, number, *content)

    monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "send_packet", flood)
    error = failure(session.size, "in/a.xml")
    assert (error.kind, session.is_broken) == ("temporary", True)
    assert "nobody asked" in error.message


def test_a_server_that_confirms_block_after_block_slowly_is_given_up(server):
    server.slowness = 0.1
    session = open_session(where(server, data_timeout=0.4))
    begun = time.monotonic()
    error = failure(session.upload, "in/a.part", CONTENT * 4)
    assert (error.kind, error.step, session.is_broken) == ("temporary", "upload", True)
    assert time.monotonic() - begun < 2
    session.close()
