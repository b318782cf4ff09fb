"""The delaying relay: how late things are, and that they are whole."""

import ftplib
import io
import os
import socket
import socketserver
import threading
import time

import pytest

from sandbox.ftp import FtpSandbox
from sandbox.relay import DelayRelay, FtpDelayRelay

DELAY = 0.015
ROUND_TRIP = 2 * DELAY


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def echo():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address
        server.shutdown()


@pytest.fixture
def ftp(tmp_path):
    with FtpSandbox(tmp_path / "ftp", "hemi", "secret") as server:
        yield server


def seconds_for_round_trips(address, count=10):
    with socket.create_connection(address, timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(b"first")
        assert client.recv(100) == b"first"
        started_at = time.monotonic()
        for _ in range(count):
            client.sendall(b"ping")
            assert client.recv(100) == b"ping"
        return time.monotonic() - started_at


def has_ended(client):
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def login(relay):
    client = ftplib.FTP(timeout=5)
    client.connect(relay.host, relay.port)
    client.login("hemi", "secret")
    client.voidcmd("TYPE I")
    return client


def test_round_trip_takes_two_delays(echo):
    direct = seconds_for_round_trips(echo)
    with DelayRelay(*echo, DELAY) as relay, DelayRelay(*echo, 3 * DELAY) as far_relay:
        near = seconds_for_round_trips((relay.host, relay.port))
        far = seconds_for_round_trips((far_relay.host, far_relay.port))
    assert near - direct >= 10 * ROUND_TRIP * 0.99
    assert near > 10 * direct
    # What the machine adds is the same for both, so a relay that is right is a little under three here.
    assert 2 < far / near < 3.2


def test_first_byte_pays_for_the_handshake(echo):
    with DelayRelay(*echo, DELAY) as relay, socket.create_connection((relay.host, relay.port), timeout=5) as client:
        started_at = time.monotonic()
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert time.monotonic() - started_at >= 4 * DELAY * 0.95


def test_bandwidth_is_not_limited_and_bytes_stay_in_order(echo):
    sent = os.urandom(1024) * 20_000
    received = bytearray()
    with DelayRelay(*echo, DELAY) as relay, socket.create_connection((relay.host, relay.port), timeout=10) as client:
        writer = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
        started_at = time.monotonic()
        writer.start()
        while piece := client.recv(1 << 20):
            received += piece
        elapsed = time.monotonic() - started_at
        writer.join()
    assert received == sent
    # A sleep for each piece of 64 KB would take far longer.
    assert elapsed < len(sent) / 65536 * DELAY


def test_target_that_is_down_ends_the_connection(echo):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with DelayRelay("127.0.0.1", unused.getsockname()[1], DELAY) as relay:
            client = socket.create_connection((relay.host, relay.port), timeout=5)
            assert has_ended(client)


def test_stop_cuts_and_start_comes_back(echo):
    relay = DelayRelay(*echo, DELAY).start()
    port = relay.port
    client = socket.create_connection((relay.host, port), timeout=5)
    relay.stop()
    assert has_ended(client)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((relay.host, port), timeout=5)
    with relay.start():
        assert relay.port == port
        assert seconds_for_round_trips((relay.host, port), 1) >= ROUND_TRIP * 0.99


def test_ftp_goes_through_with_its_data_channels(ftp):
    content = os.urandom(300_000)
    with FtpDelayRelay(ftp.host, ftp.port, DELAY) as relay:
        client = login(relay)
        assert relay.port != ftp.port
        client.storbinary("STOR in/a.part", io.BytesIO(content))
        client.rename("in/a.part", "in/a.xml")
        read = io.BytesIO()
        client.retrbinary("RETR in/a.xml", read.write)
        assert client.nlst("in") == ["a.xml"]
        assert client.quit().startswith("221")
    assert (ftp.orders_folder / "a.xml").read_bytes() == content
    assert read.getvalue() == content


@pytest.mark.parametrize("command", ["PASV", "EPSV"])
def test_passive_replies_name_a_port_of_the_relay(ftp, command):
    with FtpDelayRelay(ftp.host, ftp.port, DELAY) as relay:
        client = login(relay)
        reply = client.sendcmd(command)
        peer = client.sock.getpeername()
        address = ftplib.parse227(reply) if command == "PASV" else ftplib.parse229(reply, peer)
        data = socket.create_connection(address, timeout=5)
        started_at = time.monotonic()
        client.sock.sendall(b"STOR in/a.part\r\n")
        data.sendall(b"content")
        data.close()
        assert client.getresp()[:1] == "1"
        assert client.getresp()[:3] == "226"
        # The data comes later than the command that is answered meanwhile: it has a delay of its own.
        assert time.monotonic() - started_at >= 4 * DELAY * 0.95
    assert (ftp.orders_folder / "a.part").read_bytes() == b"content"


def test_pipelined_commands_share_a_round_trip(ftp):
    with FtpDelayRelay(ftp.host, ftp.port, DELAY) as relay:
        client = login(relay)
        started_at = time.monotonic()
        for _ in range(6):
            client.voidcmd("NOOP")
        one_by_one = time.monotonic() - started_at
        started_at = time.monotonic()
        client.sock.sendall(b"MKD in/x\r\nRNFR in/x\r\nRNTO in/y\r\nSIZE in/none\r\nEPSV\r\nNOOP\r\n")
        replies = []
        for _ in range(6):
            try:
                replies.append(client.getresp()[:3])
            except ftplib.error_perm as error:
                replies.append(str(error)[:3])
        together = time.monotonic() - started_at
    assert replies == ["257", "350", "250", "550", "229", "200"]
    assert together < one_by_one / 2


def test_cut_server_ends_the_relayed_session(ftp):
    with FtpDelayRelay(ftp.host, ftp.port, DELAY) as relay:
        client = login(relay)
        ftp.stop()
        with pytest.raises((EOFError, OSError)):
            client.voidcmd("NOOP")
