"""The FTP server of the sandbox, seen by a client."""

import ftplib
import io
import socket
import time
from pathlib import Path

import pytest

from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions

CONTENT = b"<Order>" + b"x" * 3000 + b"</Order>"


@pytest.fixture
def server(tmp_path):
    with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
        yield server


def connect(server, timeout=5.0):
    client = ftplib.FTP(timeout=timeout)
    client.connect(server.host, server.port)
    client.login(server.user, server.password)
    client.voidcmd("TYPE I")
    return client


def upload(client, name, content=CONTENT):
    return client.storbinary(f"STOR {name}", io.BytesIO(content))


def started(tmp_path, **options):
    return FtpSandbox(tmp_path / "other", "hemi", "right-password", options=FtpOptions(**options))


def codes(server, command):
    return [entry.code for entry in server.log if entry.command == command]


def test_upload_under_a_temporary_name_and_rename(server):
    client = connect(server)
    upload(client, "in/HM1.xml.part")
    assert client.size("in/HM1.xml.part") == len(CONTENT)
    client.rename("in/HM1.xml.part", "in/HM1.xml")
    assert (server.orders_folder / "HM1.xml").read_bytes() == CONTENT
    assert [path.name for path in server.orders_folder.iterdir()] == ["HM1.xml"]


def test_pipelined_rename_and_next_upload_are_answered_in_order(server):
    client = connect(server)
    client.voidcmd("TYPE I")
    upload(client, "in/a.part")
    host, port = ftplib.parse229(client.sendcmd("EPSV"), client.sock.getpeername())
    data = socket.create_connection((host, port))
    client.sock.sendall(b"RNFR in/a.part\r\nRNTO in/a.xml\r\nSTOR in/b.part\r\n")
    assert [client.getresp()[:3] for _ in range(2)] == ["350", "250"]
    assert client.getresp()[:3] in ("125", "150")  # whether the data connection was seen yet
    data.sendall(b"second")
    data.close()
    assert client.getresp()[:3] == "226"
    assert (server.orders_folder / "b.part").read_bytes() == b"second"


def test_log_and_counters_name_sessions_and_hide_the_password(server):
    client = connect(server)
    upload(client, "in/a.part")
    connect(server).quit()
    assert (server.sessions, server.logins, server.failed_logins) == (2, 2, 0)
    assert [(e.session, e.argument, e.code) for e in server.log if e.command == "STOR"] == [(1, "in/a.part", 226)]
    assert [e.argument for e in server.log if e.command == "PASS"] == ["", ""]
    assert "right-password" not in repr(server.log)


@pytest.mark.parametrize("user, password", [("hemi", "wrong"), ("anonymous", "me@example.com")])
def test_wrong_and_anonymous_logins_are_refused(server, user, password):
    client = ftplib.FTP(timeout=5)
    client.connect(server.host, server.port)
    with pytest.raises(ftplib.error_perm, match="530"):
        client.login(user, password)
    with pytest.raises(ftplib.error_perm, match="530"):
        client.sendcmd("SIZE in/a")
    assert (server.logins, server.failed_logins) == (0, 1)


def test_stop_drops_sessions_and_start_comes_back_on_the_same_port(server):
    client = connect(server)
    upload(client, "in/a.xml")
    port = server.port
    server.stop()
    with pytest.raises((EOFError, OSError)):
        client.voidcmd("NOOP")
    with pytest.raises(ConnectionRefusedError):
        connect(server)
    server.start()
    assert server.port == port
    assert connect(server).size("in/a.xml") == len(CONTENT)


def test_two_servers_do_not_share_users_folders_or_faults(server, tmp_path):
    with FtpSandbox(tmp_path / "second", "other", "other-password") as second:
        server.faults.add("STOR", reply=(452, "Disk full"), times=None)
        upload(connect(second), "in/a.xml")
        client = ftplib.FTP(timeout=5)
        client.connect(second.host, second.port)
        with pytest.raises(ftplib.error_perm, match="530"):
            client.login(server.user, server.password)
        assert [path.name for path in second.orders_folder.iterdir()] == ["a.xml"]
    assert not list(server.orders_folder.iterdir())


def test_reply_fault_changes_nothing_and_counts_down(server):
    server.faults.add("STOR", reply=(452, "Disk full"), times=2, skip=1)
    client = connect(server)
    upload(client, "in/0.xml")
    for name in ("in/1.xml", "in/2.xml"):
        with pytest.raises(ftplib.error_temp, match="452 Disk full"):
            upload(client, name)
    upload(client, "in/3.xml")
    assert sorted(path.name for path in server.orders_folder.iterdir()) == ["0.xml", "3.xml"]
    assert codes(server, "STOR") == [226, 452, 452, 226]
    assert server.faults.waiting == []


def test_fault_for_one_argument_leaves_the_others_alone(server):
    server.faults.add("RNTO", reply=(553, "Name not allowed"), argument="HM2", times=None)
    client = connect(server)
    for name in ("HM1", "HM2"):
        upload(client, f"in/{name}.part")
    client.rename("in/HM1.part", "in/HM1.xml")
    with pytest.raises(ftplib.error_perm, match="553"):
        client.rename("in/HM2.part", "in/HM2.xml")
    assert sorted(path.name for path in server.orders_folder.iterdir()) == ["HM1.xml", "HM2.part"]


def test_late_reply_refuses_what_was_done(server):
    server.faults.add("RNTO", reply=(550, "Failed"), late=True)
    client = connect(server)
    upload(client, "in/a.part")
    with pytest.raises(ftplib.error_perm, match="550"):
        client.rename("in/a.part", "in/a.xml")
    assert (server.orders_folder / "a.xml").exists()


def test_login_fault(server):
    server.faults.add("PASS", reply=(530, "Account locked"))
    with pytest.raises(ftplib.error_perm, match="Account locked"):
        connect(server)
    connect(server)
    assert server.logins == 1


def test_connection_fault(server):
    server.faults.add("CONNECT", reply=(421, "Too many connections"))
    with pytest.raises(ftplib.error_temp, match="421"):
        connect(server)
    connect(server)


@pytest.mark.parametrize("cut, is_renamed", [("before", False), ("after", True)])
def test_cut_around_the_rename(server, cut, is_renamed):
    server.faults.add("RNTO", cut=cut)
    client = connect(server)
    upload(client, "in/a.part")
    with pytest.raises((EOFError, ConnectionResetError)):
        client.rename("in/a.part", "in/a.xml")
    assert (server.orders_folder / "a.xml").exists() == is_renamed
    assert (server.orders_folder / "a.part").exists() != is_renamed
    assert codes(server, "RNTO") == [None]
    connect(server).voidcmd("NOOP")


@pytest.mark.parametrize("cut, sizes", [("before", set()), ("after", {len(CONTENT)})])
def test_cut_around_the_upload(server, cut, sizes):
    server.faults.add("STOR", cut=cut)
    with pytest.raises((EOFError, ConnectionResetError)):
        upload(connect(server), "in/a.part")
    assert {path.stat().st_size for path in server.orders_folder.iterdir()} == sizes


def test_cut_during_the_upload_leaves_a_part(server):
    server.faults.add("STOR", cut="during")
    with pytest.raises((EOFError, OSError)):
        upload(connect(server), "in/a.part")
    assert 0 < (server.orders_folder / "a.part").stat().st_size < len(CONTENT)


def test_pipelined_commands_after_a_cut_are_not_carried_out(server):
    server.faults.add("NOOP", cut="before")
    client = connect(server)
    client.sock.sendall(b"NOOP\r\nMKD in/late\r\n")
    with pytest.raises((EOFError, ConnectionResetError)):
        client.getresp()
    client.close()
    connect(server).voidcmd("NOOP")
    assert not (server.orders_folder / "late").exists()


def test_short_upload_is_called_complete(server):
    server.faults.add("STOR", short=True)
    client = connect(server)
    assert upload(client, "in/a.part").startswith("226")
    assert client.size("in/a.part") == len(CONTENT) // 2
    upload(client, "in/b.part")
    assert client.size("in/b.part") == len(CONTENT)


@pytest.mark.parametrize("late", [False, True])
def test_hang_hangs_one_session_only(server, late):
    server.faults.add("STOR", hang=True, late=late)
    with pytest.raises(TimeoutError):
        upload(connect(server, timeout=0.3), "in/a.part")
    assert (server.orders_folder / "a.part").exists() == late
    started_at = time.monotonic()
    upload(connect(server), "in/b.part")
    server.stop()
    assert time.monotonic() - started_at < 3


@pytest.mark.parametrize(
    "details", [{}, {"hang": True, "cut": "after"}, {"cut": "sometimes"}, {"short": True}, {"cut": "during"}]
)
def test_impossible_faults_are_refused(server, details):
    with pytest.raises(ValueError):
        server.faults.add("RNTO", **details)
    assert server.faults.waiting == []


def test_rename_onto_an_existing_file(server, tmp_path):
    for ftp, is_refused in ((server, False), (started(tmp_path, allow_overwrite=False), True)):
        with ftp:
            client = connect(ftp)
            upload(client, "in/a.xml", b"old")
            upload(client, "in/a.part", b"new")
            reply = "250 "
            try:
                client.rename("in/a.part", "in/a.xml")
            except ftplib.error_perm as error:
                reply = str(error)
            assert reply.startswith("550") == is_refused
            assert (ftp.orders_folder / "a.xml").read_bytes() == (b"old" if is_refused else b"new")


def test_missing_commands(tmp_path):
    with started(tmp_path, has_size=False, has_mlsd=False) as ftp:
        client = connect(ftp)
        upload(client, "in/a.xml")
        for command in ("SIZE in/a.xml", "MLSD in", "MLST in/a.xml"):
            with pytest.raises(ftplib.error_perm, match="502"):
                client.sendcmd(command)
        assert "SIZE" not in client.sendcmd("FEAT")
        assert client.nlst("in") == ["a.xml"]


def test_replies_that_may_not_be_renamed(tmp_path):
    with started(tmp_path, can_rename_inbound=False) as ftp:
        (ftp.replies_folder / "REPLY_1.xml").write_bytes(b"<Reply/>")
        client = connect(ftp)
        with pytest.raises(ftplib.error_perm, match="550"):
            client.rename("out/REPLY_1.xml", "out/REPLY_1.claimed")
        assert [path.name for path in ftp.replies_folder.iterdir()] == ["REPLY_1.xml"]
        upload(client, "in/a.part")
        client.rename("in/a.part", "in/a.xml")


def test_sweeper_takes_final_names_away(tmp_path):
    arrived: list[Path] = []
    with started(tmp_path, has_sweeper=True) as ftp:
        ftp.on_arrival = arrived.append
        client = connect(ftp)
        upload(client, "in/a.part")
        assert client.size("in/a.part") == len(CONTENT)
        client.rename("in/a.part", "in/a.xml")
        with pytest.raises(ftplib.error_perm, match="550"):
            client.size("in/a.xml")
        assert (ftp.swept_folder / "a.xml").read_bytes() == CONTENT
        assert arrived[-1] == ftp.swept_folder / "a.xml"
