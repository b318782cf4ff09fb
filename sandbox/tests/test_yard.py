"""The yard: servers in a process of their own, whose commands are held, and whose arrivals outlive them."""

import ftplib
import io
import json
import threading
import time
import urllib.request

import pytest

from sandbox.yard import Yard


@pytest.fixture
def yard(tmp_path):
    yard = Yard(tmp_path / "yard")
    yard.start()
    yield yard
    yard.stop()


def ask(yard, method, path, **details):
    request = urllib.request.Request(f"{yard.web.url}{path}", json.dumps(details).encode(), method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def client(access):
    session = ftplib.FTP(timeout=5)
    session.connect(access["host"], access["port"])
    session.login(access["user"], access["password"])
    session.voidcmd("TYPE I")
    session.storbinary("STOR in/a.part", io.BytesIO(b"<Order/>" * 9))
    return session


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def orders(yard):
    return [file["name"] for file in ask(yard, "GET", "/servers/north")["orders"]]


def test_a_file_that_goes_while_it_is_looked_at_is_passed_over(yard, tmp_path):
    client(ask(yard, "POST", "/servers", name="north", kind="ftp"))
    (tmp_path / "yard/north/files/in/gone.xml").symlink_to("nowhere")  # listed, but not to be read
    assert orders(yard) == ["a.part"]


@pytest.mark.parametrize(("when", "lying"), [("before", "a.part"), ("after", "a.xml")])
def test_a_held_rename_goes_on_when_it_is_released(yard, when, lying):
    session = client(ask(yard, "POST", "/servers", name="north", kind="ftp"))
    ask(yard, "POST", "/servers/north/fault", command="RNTO", hold=when)
    thread = threading.Thread(target=session.rename, args=("in/a.part", "in/a.xml"))
    thread.start()
    wait_until(lambda: ask(yard, "GET", "/servers")["north"] == [True])
    assert orders(yard) == [lying]
    ask(yard, "POST", "/servers/north/release")
    thread.join()
    assert orders(yard) == ["a.xml"]
    assert session.voidcmd("NOOP").startswith("2")


def test_a_held_rename_of_a_client_that_left_is_not_carried_out(yard):
    session = client(ask(yard, "POST", "/servers", name="north", kind="ftp"))
    ask(yard, "POST", "/servers/north/fault", command="RNTO", hold="before")
    session.sock.sendall(b"RNFR in/a.part\r\nRNTO in/a.xml\r\n")
    wait_until(lambda: ask(yard, "GET", "/servers")["north"] == [True])
    session.close()
    server = yard.plots["north"].server
    ask(yard, "POST", "/servers/north/release")
    other = client({"host": server.host, "port": server.port, "user": server.user, "password": server.password})
    assert other.nlst("in") == ["a.part"]


def test_a_yard_that_comes_back_has_the_same_servers_and_what_arrived(yard, tmp_path):
    known = [ask(yard, "POST", "/servers", name=kind, kind=kind) for kind in ("ftp", "ftps", "sftp")]
    client(known[0]).rename("in/a.part", "in/a.xml")
    yard.stop()
    again = Yard(tmp_path / "yard")
    again.start()
    try:
        assert [again.plots[kind].access() for kind in ("ftp", "ftps", "sftp")] == known
        names = [json.loads(line)["name"] for line in again.ledger.path.read_text().splitlines()]
        assert names == ["a.part", "a.xml"]
    finally:
        again.stop()
