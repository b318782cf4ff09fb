"""Servers that reply what they should not: nothing of it is taken for a success, and nothing else is stopped by it."""

import contextlib
import ftplib
import os
import socket
import threading
import time

import asyncssh
import paramiko
import pytest
from asyncssh.packet import String, UInt32
from pyftpdlib.filesystems import AbstractedFS

from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from sandbox.sftp import SftpSandbox
from sandbox.sockets import listen
from suppliers import inbound, outbox, preflight
from suppliers.models import Delivery, Endpoint, EndpointCheck, SupplierReply
from suppliers.tests import factories
from suppliers.tests.servers import LARGE, SMALL, failure, ordered, rename, upload
from suppliers.tests.servers import where as known
from suppliers.tests.test_ftp import where
from suppliers.transports import addresses, channels, pipelining, sessions
from suppliers.transports.errors import TransportError
from suppliers.transports.ftp import FtpSession
from suppliers.transports.opening import open_session
from suppliers.transports.session import Profile
from suppliers.transports.sftp_line import SftpLine
from suppliers.transports.sftp_wire import wide

TWICE = (226, "Whole.\r\n226 And once more.")


@pytest.fixture
def session(server):
    session = FtpSession(where(server, connect_timeout=1, data_timeout=1))
    yield session
    session.close()


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_a_reply_too_many_is_never_taken_for_the_renames(server, session, content):
    line = pipelining.line(session)
    line.step(None, upload(1, content))
    server.faults.add("STOR", reply=TWICE, late=True)
    server.faults.add("RNTO", reply=(550, "Not now"))
    second = line.step(rename(1), upload(2, content))
    assert second.rename_error
    server.faults.add("RNTO", reply=(550, "Not now"))
    third = line.step(rename(2), upload(3, content))
    assert third.rename_error
    assert not {name for name in ordered(server) if name.endswith(".xml")}


@pytest.mark.parametrize("can_pipeline", [True, False])
def test_a_late_reply_to_the_upload_is_not_the_renames(server, can_pipeline):
    session = FtpSession(where(server, profile=Profile(can_pipeline=can_pipeline)))
    line = pipelining.line(session)
    line.step(None, upload(1))
    server.faults.add("RNTO", reply=(226, "Whole.\r\n550 Not now"))
    done = line.step(rename(1), None)
    assert (done.rename_error.kind, session.is_broken) == ("uncertain", True)
    assert "1.xml" not in ordered(server)


def test_a_plain_rename_is_not_done_by_a_reply_too_many(server, session):
    session.upload("in/1.part", SMALL)
    server.faults.add("NOOP", reply=(200, "Yes.\r\n350 Go on.\r\n250 Done."))
    session.noop()
    server.faults.add("RNTO", reply=(550, "Not now"))
    assert failure(session.rename, "in/1.part", "in/1.xml")
    assert session.is_broken


def test_times_that_drag_on_are_given_up_together(tmp_path):
    class Slow(OldServer):
        def _attributes(self):
            return {**super()._attributes(), "ftp_MDTM": slow}

    def slow(handler, path):
        time.sleep(0.3)
        handler.respond("213 20261121230400")

    with Slow(tmp_path / "f", "hemi", "right-password", options=FtpOptions(has_mlsd=False)) as server:
        for number in range(10):
            (server.orders_folder / f"{number}.xml").write_bytes(b"four")
        session = FtpSession(where(server, data_timeout=0.5))
        begun = time.monotonic()
        assert failure(session.listing, "in").kind == "temporary"
        assert time.monotonic() - begun < 2
        session.close()


def test_a_name_with_hundreds_of_addresses_holds_up_nobody(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", 21)) for last in range(1, 255)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    assert len(addresses.resolve("ftp.supplier.example", 21)) == addresses.MOST


def test_a_login_that_drags_on_is_given_up_as_a_whole(server):
    """Each reply comes in time, and there are nine of them."""
    over = threading.Event()
    with listen(0) as listener:

        def drag():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                for reply in (b"220", b"331", b"230", b"200", b"211", b"200", b"200"):
                    over.wait(0.4)
                    connection.sendall(reply + b" Well.\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=drag)
        thread.start()
        begun = time.monotonic()
        error = failure(FtpSession, where(server, port=listener.getsockname()[1], connect_timeout=0.5))
        took = time.monotonic() - begun
        over.set()
        thread.join()
    assert (error.kind, error.step) == ("temporary", "login")
    assert took < 1.9


@pytest.mark.parametrize("said", ["1" * 60_000, "1,2,3,4," + "5" * 5_000 + ",6", "1,2,3,4,300,1", "1,2,3,4,5,6000"])
def test_a_port_that_is_none_is_refused_at_once(said):
    begun = time.process_time()
    with pytest.raises(ftplib.Error):
        channels.port_in(f"227 {said}")
    assert time.process_time() - begun < 1


class Listed(AbstractedFS):
    """Lists names as they are on the disk, whatever their encoding."""

    def format_list(self, basedir, listing, ignore_err=True):
        for name in listing:
            yield b"-rw-r--r--   1 hemi     hemi            4 Nov 21 23:04 " + os.fsencode(name) + b"\r\n"


class OldServer(FtpSandbox):
    def _attributes(self):
        return {**super()._attributes(), "abstracted_fs": Listed}


@pytest.fixture
def old_server(tmp_path):
    """A server that lists in the old way, and has no times in its listings."""
    with OldServer(tmp_path / "f", "hemi", "right-password", options=FtpOptions(has_mlsd=False)) as server:
        yield server
        sessions.kept.close_idle()


def test_a_name_that_holds_what_looks_like_an_end_of_line_is_one_name(old_server):
    name = "-rw 1 a b 9 Nov 21 23:04 a.xml\u2028-rw-r--r-- 1 a b 99 Nov 21 23:04 ORDER_1.xml"
    (old_server.orders_folder / name).write_bytes(b"four")
    session = FtpSession(where(old_server))
    assert list(session.listing("in")) == [name]
    session.close()


@pytest.mark.django_db(transaction=True)
class TestWithRows:
    def test_what_no_database_keeps_stops_no_stop(self, server, supplier):
        delivery = factories.delivery(supplier)
        server.faults.add("PASS", reply=(530, "No \0 way \x1b[31m, Sir\u202eangry"), times=None)
        outbox.deliver(supplier.endpoint_id)
        supplier.endpoint.refresh_from_db()
        assert "530 No way [31m, Sir angry" in supplier.endpoint.stop_reason
        assert Delivery.objects.get(pk=delivery.pk).status == "due"
        check = EndpointCheck.objects.create(endpoint=supplier.endpoint)
        assert preflight.run(check.pk)
        check.refresh_from_db()
        assert "530 No way [31m, Sir angry" in check.steps[-2]["text"]

    def test_a_name_in_another_encoding_keeps_no_reply_back(self, old_server):
        endpoint = factories.endpoint(old_server)
        for name in (b"B\xfcro.xml", b"good.xml"):
            with open(os.fsencode(old_server.replies_folder) + b"/" + name, "wb") as file:
                file.write(b"<x/>")
        for _ in range(3):
            factories.let_time_pass()
            inbound.collect(endpoint.pk)
        names = set(SupplierReply.objects.values_list("file_name", flat=True))
        assert names == {"good.xml", ascii("B\udcfcro.xml")}

    @pytest.mark.parametrize("password", ["pass€", "pass\nQUIT"])
    def test_a_password_that_cannot_be_said_stops_the_endpoint(self, server, supplier, password):
        delivery = factories.delivery(supplier)
        Endpoint.objects.update(name_encoding="iso-8859-1", password=password)
        outbox.deliver(supplier.endpoint_id)
        supplier.endpoint.refresh_from_db()
        assert "The user or the password contains" in supplier.endpoint.stop_reason
        assert password not in supplier.endpoint.stop_reason
        assert Delivery.objects.get(pk=delivery.pk).status == "due"
        assert server.sessions == 0


def _packets(monkeypatch, change):
    """Have the server send what `change` makes of each of its packets."""
    told = asyncssh.sftp.SFTPServerHandler.send_packet

    def send(handler, kind, number, *content):
        change(lambda *values: told(handler, *values), kind, number, content)

    monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "send_packet", send)


@pytest.fixture
def sftp(tmp_path):
    with SftpSandbox(tmp_path / "s", "hemi", "right-password") as server:
        server.session = open_session(known(server, data_timeout=1))
        yield server
        server.session.close()


def test_an_answer_to_a_request_to_come_is_not_taken_for_it(sftp, monkeypatch):
    def change(send, kind, number, content):
        send(101, number + 1, UInt32(number + 1), UInt32(0), String("Done"), String(""))
        send(kind, number, *content)

    sftp.session.upload("in/1.part", SMALL)
    _packets(monkeypatch, change)
    sftp.faults.add("RENAME", reply=(4, "Not now"))
    with contextlib.suppress(TransportError):
        sftp.session.noop()
    done = SftpLine(sftp.session).step(rename(1), None)
    assert done.rename_error and sftp.session.is_broken
    assert ordered(sftp) == {"1.part": SMALL}


def test_a_status_that_is_cut_short_is_no_success(sftp, monkeypatch):
    def change(send, kind, number, content):
        send(kind, number, UInt32(number)) if kind == 101 else send(kind, number, *content)

    sftp.session.upload("in/1.part", SMALL)
    _packets(monkeypatch, change)
    sftp.faults.add("RENAME", reply=(4, "Not now"))
    error = failure(sftp.session.rename, "in/1.part", "in/1.xml")
    assert (error.kind, sftp.session.is_broken) == ("uncertain", True)
    assert ordered(sftp) == {"1.part": SMALL}


def test_a_name_that_is_longer_than_its_reply_is_not_made_up(sftp, monkeypatch):
    def change(send, kind, number, content):
        if kind == 104:
            send(kind, number, UInt32(number), UInt32(1), UInt32(1_000_000), b"x")
        else:
            send(kind, number, *content)

    _packets(monkeypatch, change)
    error = failure(sftp.session.listing, "in")
    assert "cut short" in error.message and sftp.session.is_broken


def test_answers_in_any_order_are_given_to_who_asked(sftp, monkeypatch):
    """The server keeps two answers back and sends them the wrong way round."""
    held = []

    def change(send, kind, number, content):
        held.append((kind, number, *content))
        if len(held) == 2:
            while held:
                send(*held.pop())

    sftp.session.upload("in/1.part", SMALL)
    _packets(monkeypatch, change)
    renaming, opening = (sftp.session.begin_upload(f"in/{name}.part") for name in (2, 3))
    second, third = sftp.session.opened(renaming), sftp.session.opened(opening)
    assert second != third
    writing = [
        sftp.session.wire.send(6, handle, wide(0), content) for handle, content in ((second, b"2"), (third, b"3"))
    ]
    for number in writing:
        sftp.session.wire.reply(number).confirm()
    assert ordered(sftp) == {"1.part": SMALL, "2.part": b"2", "3.part": b"3"}


def test_a_server_that_takes_a_few_bytes_at_a_time_is_given_up(sftp, monkeypatch):
    """paramiko's own way to send would wait a second for each of them."""

    send = paramiko.Channel.send

    def trickle(channel, data):
        time.sleep(0.02)
        return send(channel, data[:100])

    monkeypatch.setattr(paramiko.Channel, "send", trickle)
    begun = time.monotonic()
    error = failure(sftp.session.upload, "in/1.part", LARGE)
    assert "too slowly" in error.message and sftp.session.is_broken
    assert time.monotonic() - begun < 4
