"""The sandbox world as a whole, and its control over HTTP."""

import ftplib
import io
import json
import signal
import smtplib
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import requests

from sandbox.sockets import listen
from sandbox.world import Ports, World, WorldNotStarted

ORDER = b'<Order xmlns="urn:hemi:order:1.0"><Reference>HM1</Reference><Lines><Line/></Lines></Order>'


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("world"), Ports.free()) as world:
        yield world


def get(world, path):
    return requests.get(world.url + path, timeout=5)


def post(world, path, **body):
    return requests.post(world.url + path, json=body, timeout=5)


def connect(world, name):
    access = get(world, "/world.json").json()["suppliers"][name]
    client = ftplib.FTP(timeout=5)
    client.connect(access["host"], access["port"])
    client.login(access["user"], access["password"])
    return client


def upload(world, name, file_name="HM1.xml"):
    connect(world, name).storbinary(f"STOR in/{file_name}", io.BytesIO(ORDER))


def test_all_servers_answer_at_the_addresses_told(world):
    told = get(world, "/world.json").json()
    assert told == world.describe()
    assert requests.get(told["shopify"]["url"], timeout=5).status_code < 500
    assert requests.get(told["mailbox"]["url"], timeout=5).ok
    host, port = told["mailbox"]["smtp_url"].removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port), timeout=5) as client:
        assert client.noop()[0] == 250
    for name in told["suppliers"]:
        assert connect(world, name).nlst() == ["in", "out"]
    assert "{shop}" in told["shopify"]["shop_url_template"]


def test_front_page_links_to_everything(world):
    text = get(world, "/").text
    for address in (world.shopify.url, world.mailbox.url, "/world.json", "/suppliers/northwind/orders.json"):
        assert f'href="{address}"' in text
    assert "suedhaus-password" in text


def test_arrivals_are_told_with_checksum_and_repeats(world):
    for file_name in ("HM1.xml", "HM1-again.xml"):
        upload(world, "suedhaus", file_name)
    world.suppliers["suedhaus"].wait_for_orders(2)
    told = get(world, "/suppliers/suedhaus/orders.json").json()
    assert [order["reference"] for order in told["orders"]] == ["HM1", "HM1"]
    assert {order["file_name"] for order in told["orders"]} == {"HM1.xml", "HM1-again.xml"}
    assert len({order["sha256"] for order in told["orders"]}) == 1
    assert told["duplicates"] == {"HM1": 2}
    assert told["broken"] == []
    assert get(world, "/suppliers/northwind/orders.json").json()["orders"] == []


def test_supplier_is_stopped_and_started_over_http(world):
    assert post(world, "/suppliers/northwind/stop").json()["is_running"] is False
    with pytest.raises(ConnectionRefusedError):
        connect(world, "northwind")
    connect(world, "suedhaus")
    assert post(world, "/suppliers/northwind/start").json()["is_running"] is True
    connect(world, "northwind")


def test_fault_and_clear_over_http(world):
    fault = {"command": "STOR", "reply": [452, "Disk full"], "times": None}
    assert post(world, "/suppliers/northwind/fault", **fault).ok
    with pytest.raises(ftplib.error_temp, match="452"):
        upload(world, "northwind", "a.part")
    assert post(world, "/suppliers/northwind/clear").ok
    upload(world, "northwind", "a.part")


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("/suppliers/northwind/fault", {"command": "STOR"}, 400),
        ("/suppliers/northwind/fault", {"command": "STOR", "hang": True, "colour": "red"}, 400),
        ("/suppliers/northwind/fault", {"command": "STOR", "hang": True, "times": "often"}, 400),
        ("/suppliers/nobody/stop", {}, 404),
        ("/suppliers/northwind/explode", {}, 404),
        ("/nothing", {}, 404),
    ],
)
def test_wrong_requests_are_explained_and_change_nothing(world, path, body, status):
    answer = post(world, path, **body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert world.suppliers["northwind"].faults.waiting == []
    assert world.suppliers["northwind"].ftp.is_running


def test_rejection_over_http(world):
    assert post(world, "/suppliers/northwind/reject", reason="Out of stock").ok
    upload(world, "northwind", "HM1.xml")
    reply = world.suppliers["northwind"].ftp.replies_folder / "REPLY_HM1.xml"
    deadline = time.monotonic() + 5
    while not reply.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert b"<Status>rejected</Status>" in reply.read_bytes()
    assert b"<Reason>Out of stock</Reason>" in reply.read_bytes()


@pytest.mark.parametrize(
    "name, wording", [("northwind", "supplier northwind"), ("mailbox_smtp", "mail server"), ("shopify", "Shopify")]
)
def test_taken_port_is_named_and_nothing_stays_up(tmp_path, name, wording):
    with listen(0) as taken, listen(0) as other:
        port, mailbox_port = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        ports = replace(Ports.free(), **{"mailbox_http": mailbox_port, name: port})
        with pytest.raises(WorldNotStarted) as refused:
            World(tmp_path, ports).start()
    for part in (str(port), wording, f"--port {name}="):
        assert part in str(refused.value)
    assert not (tmp_path / "world.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", mailbox_port), timeout=5)


def test_two_worlds_live_side_by_side(world, tmp_path):
    with World(tmp_path, Ports.free()) as second:
        upload(second, "northwind", "HM2.xml")
        second.suppliers["northwind"].wait_for_orders(1)
        assert "HM2.xml" not in connect(world, "northwind").nlst("in")


def test_program_runs_until_it_is_told_to_stop(tmp_path):
    command = [sys.executable, "-m", "sandbox", "--data", str(tmp_path), "--free-ports"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        assert program.stdout.readline().startswith("The sandbox runs")
        told = json.loads((tmp_path / "world.json").read_text())
        assert requests.get(told["control"]["url"] + "/world.json", timeout=5).json() == told
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=10) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(told["control"]["url"], timeout=5)


def test_program_explains_a_taken_port(tmp_path):
    with listen(0) as taken:
        port = taken.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "sandbox",
            "--data",
            str(tmp_path),
            "--free-ports",
            "--port",
            f"suedhaus={port}",
        ]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert f"Port {port} is in use" in ended.stderr
    assert "Traceback" not in ended.stderr
