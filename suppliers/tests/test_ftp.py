"""The FTP transport against a real server: what it does, and what it says when it cannot."""

import contextlib
import socket
import threading
import time

import pytest

from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from sandbox.sockets import listen
from suppliers.transports import addresses
from suppliers.transports.errors import Crowded, Kind, TransportError
from suppliers.transports.ftp import FtpSession
from suppliers.transports.listings import from_list, from_mlsd
from suppliers.transports.session import Entry, Profile, Server
from suppliers.transports.sessions import Sessions

CONTENT = bytes(range(256)) * 20 + b"\r\n\n\r"


def where(server, **values):
    known = {"host": server.host, "port": server.port, "username": server.user, "password": server.password}
    known["protocol"] = "ftp"
    return Server(**{**known, "connect_timeout": 2, "data_timeout": 2, **values})


@pytest.fixture
def session(server):
    session = FtpSession(where(server))
    yield session
    session.close()


def sizes(listing):
    return {name: entry.size for name, entry in listing.items()}


def failure(call, *arguments):
    with pytest.raises(TransportError) as caught:
        call(*arguments)
    return caught.value


def test_bytes_arrive_as_they_are_and_come_back(server, session):
    session.upload("in/Büro 日本.xml", CONTENT)
    assert (server.orders_folder / "Büro 日本.xml").read_bytes() == CONTENT
    assert sizes(session.listing("in")) == {"Büro 日本.xml": len(CONTENT)}
    session.rename("in/Büro 日本.xml", "in/b.xml")
    assert session.size("in/b.xml") == len(CONTENT)
    assert session.size("in/Büro 日本.xml") is None
    assert session.read("in/b.xml", len(CONTENT)) == CONTENT
    session.delete("in/b.xml")
    session.delete("in/b.xml")
    assert session.listing("in") == {}
    assert [entry.command for entry in server.log].count("TYPE") == 1


@pytest.mark.parametrize("options", [{}, {"has_size": False}, {"has_size": False, "has_mlsd": False}])
def test_sizes_are_known_whatever_the_server_speaks(tmp_path, options):
    with FtpSandbox(tmp_path / "f", "hemi", "right-password", options=FtpOptions(**options)) as server:
        (server.orders_folder / "folder").mkdir()
        session = FtpSession(where(server))
        session.upload("in/a b.xml", CONTENT)
        assert session.size("in/a b.xml") == len(CONTENT)
        assert session.size("in/missing.xml") is None
        assert sizes(session.listing("in")) == {"a b.xml": len(CONTENT)}
        session.close()


def test_a_server_behind_nat_is_reached_where_the_control_connection_is(tmp_path):
    class Masquerading(FtpSandbox):
        def _attributes(self):
            known = super()._attributes()
            known["proto_cmds"].pop("EPSV")
            return {**known, "masquerade_address": "10.1.2.3"}

    with Masquerading(tmp_path / "f", "hemi", "right-password") as server:
        session = FtpSession(where(server))
        session.upload("in/a.xml", CONTENT)
        assert session.size("in/a.xml") == len(CONTENT)
        session.close()
        assert [entry.command for entry in server.log if entry.command in ("EPSV", "PASV")] == ["EPSV", "PASV"]


@pytest.mark.parametrize("name", ["a\r\nDELE b", "a\nb", "a\0b", "a\udcffb"])
def test_names_that_would_be_commands_are_refused(server, session, name):
    (server.orders_folder / "b").write_bytes(b"b")
    calls = [
        (session.upload, name, b""),
        (session.size, name),
        (session.rename, name, "x"),
        (session.rename, "in/b", name),
        (session.delete, name),
        (session.listing, name),
        (session.read, name, 9),
    ]
    before = len(server.log)
    for call, *arguments in calls:
        assert failure(call, *arguments).kind == Kind.FILE
    assert len(server.log) == before
    assert [path.name for path in server.orders_folder.iterdir()] == ["b"]


@pytest.mark.parametrize(
    "code, kind",
    [
        (421, "temporary"),
        (425, "temporary"),
        (426, "temporary"),
        (450, "temporary"),
        (451, "temporary"),
        (452, "temporary"),
        (501, "file"),
        (550, "temporary"),
        (552, "temporary"),
        (553, "file"),
    ],
)
def test_refusals_of_an_upload(server, session, code, kind):
    server.faults.add("STOR", reply=(code, "Because right-password"))
    error = failure(session.upload, "in/a.xml", CONTENT)
    assert (error.kind, error.step) == (kind, "upload")
    assert f"{code} Because •••" in error.message
    assert session.is_broken == (code == 421)
    if not session.is_broken:
        session.upload("in/a.xml", CONTENT)
        assert session.size("in/a.xml") == len(CONTENT)


@pytest.mark.parametrize("code, kind", [(530, "endpoint"), (532, "endpoint"), (421, "temporary"), (430, "temporary")])
def test_refusals_of_a_login(server, code, kind):
    server.faults.add("PASS", reply=(code, "Go away, right-password"))
    error = failure(FtpSession, where(server))
    assert (error.kind, error.step, error.is_about_endpoint) == (kind, "login", True)
    assert "right-password" not in error.message


def test_wrong_password(server):
    error = failure(FtpSession, where(server, password="wrong-password"))
    assert (error.kind, error.step) == ("endpoint", "login")
    assert "530" in error.message
    assert server.failed_logins == 1


@pytest.mark.parametrize(
    "words", ["Sorry, the maximum number of clients (1) is already connected", "Too many users", "Connection limit"]
)
def test_a_crowded_server_is_no_reason_to_stop(server, words):
    server.faults.add("PASS", reply=(530, words))
    assert isinstance(failure(FtpSession, where(server)), Crowded)


@pytest.mark.parametrize(
    "words",
    [
        "Maximum login attempts exceeded",
        "Too many failed logins",
        "Login incorrect, limit of tries: 3",
        "Wrong password",
    ],
)
def test_a_refused_password_is_not_taken_for_a_crowd(server, words):
    server.faults.add("PASS", reply=(530, words))
    error = failure(FtpSession, where(server))
    assert (error.kind, error.step, isinstance(error, Crowded)) == ("endpoint", "login", False)


@pytest.mark.parametrize("command, call", [("RNFR", "temporary"), ("RNTO", "uncertain")])
@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "after"}, {"hang": True}])
def test_only_a_loss_after_the_second_half_of_a_rename_is_uncertain(server, command, call, fault):
    session = FtpSession(where(server, data_timeout=0.5))
    session.upload("in/a.part", CONTENT)
    server.faults.add(command, **fault)
    error = failure(session.rename, "in/a.part", "in/a.xml")
    assert (error.kind, error.step) == (call, "rename")
    assert session.is_broken
    session.close()


@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "during"}, {"cut": "after"}, {"hang": True}])
def test_a_lost_upload_breaks_the_session(server, fault):
    session = FtpSession(where(server, data_timeout=0.5))
    server.faults.add("STOR", **fault)
    error = failure(session.upload, "in/a.part", CONTENT * 100)
    assert (error.kind, error.step) == ("temporary", "upload")
    assert session.is_broken
    session.close()


def test_a_delete_that_is_not_allowed_is_told(server, session):
    session.upload("in/a.xml", CONTENT)
    server.faults.add("DELE", reply=(550, "Permission denied"))
    assert "550 Permission denied" in failure(session.delete, "in/a.xml").message
    assert session.size("in/a.xml") == len(CONTENT)


def test_a_file_over_the_limit_is_not_read(server):
    (server.replies_folder / "r.xml").write_bytes(b"x" * 3_000_000)
    session = FtpSession(where(server))
    error = failure(session.read, "out/r.xml", 1_000_000)
    assert (error.kind, session.is_broken) == ("file", True)
    session.close()


def test_nobody_listens_and_nobody_greets(server):
    server.stop()
    error = failure(FtpSession, where(server))
    assert (error.kind, error.step) == ("temporary", "connect")
    with listen(0) as silent:
        silent_server = where(server, port=silent.getsockname()[1], connect_timeout=0.3)
        assert failure(FtpSession, silent_server).kind == "temporary"


def test_a_greeting_that_is_not_ftp(server):
    with listen(0) as listener:

        def greet():
            connection, _ = listener.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\xff\r\n")
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        error = failure(FtpSession, where(server, port=listener.getsockname()[1]))
        thread.join()
    assert (error.kind, error.step) == ("temporary", "connect")


@pytest.mark.parametrize(
    ("said", "pause"), [(b"220-still\r\n", 0.1), (b"2", 0.1), (b"220-still\r\n", 0), (b"2" * 99, 0)]
)
def test_a_reply_that_never_ends_is_given_up(server, said, pause):
    over = threading.Event()
    with listen(0) as listener:

        def talk():
            connection, _ = listener.accept()
            until = time.monotonic() + 6
            with connection, contextlib.suppress(OSError):
                while time.monotonic() < until and not over.wait(pause):
                    connection.sendall(said)

        thread = threading.Thread(target=talk)
        thread.start()
        begun = time.monotonic()
        timeout = 0.5 if pause else 30
        error = failure(FtpSession, where(server, port=listener.getsockname()[1], connect_timeout=timeout))
        over.set()
        thread.join()
    assert time.monotonic() - begun < 3
    assert (error.kind, error.step) == ("temporary", "connect")


def test_the_password_is_in_no_repr(server, session):
    assert "right-password" not in repr(where(server)) + repr(session.server)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "192.0.0.192",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::ffff:0:a9fe:a9fe",
        "fe80::a9fe:a9fe",
        "fec0::1",
        "::",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_private_addresses_are_refused_unless_named(settings, host):
    error = failure(addresses.resolve, host, 21)
    assert (error.kind, error.step) == ("endpoint", "connect")
    settings.ALLOWED_PRIVATE_NETWORKS = ["0.0.0.0/0", "::/0"]
    assert addresses.resolve(host, 21)[0].sockaddr[1] == 21


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.8.8.8"])
def test_loopback_is_for_the_sandbox_and_debugging(settings, host):
    assert addresses.resolve(host, 21)
    settings.SANDBOX = settings.DEBUG = False
    assert failure(addresses.resolve, host, 21).kind == "endpoint"
    settings.DEBUG = True
    assert addresses.resolve(host, 21)


def test_plain_ftp_off_loopback_needs_the_tick(settings):
    for host in ("8.8.8.8", "10.9.9.9"):
        settings.ALLOWED_PRIVATE_NETWORKS = ["10.9.9.9/32"]
        error = failure(FtpSession, Server(host, 21, "hemi", "right-password", "ftp"))
        assert (error.kind, error.step) == ("endpoint", "connect")
        assert "tick" in error.message


def test_a_name_that_does_not_resolve_may_do_so_later():
    error = failure(addresses.resolve, "no..such..name", 21)
    assert (error.kind, error.step) == ("temporary", "connect")


def test_sessions_are_taken_out_kept_and_closed(server):
    sessions, settings = Sessions(), where(server)
    assert sessions.take(1, settings) is None
    session = FtpSession(settings)
    sessions.keep(1, settings, session)
    assert sessions.take(2, settings) is None
    assert sessions.take(1, settings) is session
    assert sessions.take(1, settings) is None
    sessions.keep(1, settings, session)
    assert sessions.close_idle(seconds=60) == 1
    assert sessions.close_idle() == 0
    assert session.is_broken


def test_as_many_sessions_are_kept_as_the_server_allows(server):
    sessions, settings = Sessions(), where(server, profile=Profile(max_sessions=2))
    opened = [FtpSession(settings) for _ in range(3)]
    for session in opened:
        sessions.keep(1, settings, session)
    assert [session.is_broken for session in opened] == [True, False, False]
    assert [sessions.take(1, settings) for _ in range(3)] == [opened[2], opened[1], None]
    for session in opened:
        session.close()


def test_a_kept_session_is_given_up_when_settings_change_or_it_died(server):
    sessions, settings = Sessions(), where(server)
    sessions.keep(1, settings, FtpSession(settings))
    assert sessions.take(1, where(server, password="another")) is None
    dead = FtpSession(settings)
    sessions.keep(1, settings, dead)
    dead.wire.sock.shutdown(socket.SHUT_RDWR)
    sessions._idle[1][0].since -= 10
    assert sessions.take(1, settings) is None


def test_a_session_idle_for_a_while_is_asked_whether_it_lives(server):
    sessions, settings = Sessions(), where(server)
    session = FtpSession(settings)
    sessions.keep(1, settings, session)
    sessions._idle[1][0].since -= 10
    assert sessions.take(1, settings) is session
    assert [entry.command for entry in server.log][-1] == "NOOP"
    session.close()


def test_sizes_and_times_that_are_none_are_left_out():
    facts = ["type=file;size=²;modify=20261121120000; a", f"type=file;size={'9' * 5000}; b", "type=file;size=7; c"]
    facts += ["type=file;size=8;modify=20261399999999; d", "type=dir;size=9; e", "type=file; f", "", "type=file;size=1"]
    assert from_mlsd(facts) == {"c": Entry(7), "d": Entry(8)}
    assert from_list([f"-rw-r--r-- 1 ftp ftp {'9' * 5000} Nov 21 12:00 a", "total 9"]) == {}
