"""The runners over every protocol: orders go out whole and once, replies come in, whatever the server speaks."""

import hashlib

import pytest

from suppliers import inbound, outbox
from suppliers.models import Delivery, Endpoint, SupplierReply
from suppliers.tests import factories
from suppliers.tests.servers import REAL, SANDBOXES, command, make
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)


def _supplier(server):
    key = {"private_key": server.private_key} if getattr(server, "has_password", True) is False else {}
    return factories.supplier(endpoint=factories.endpoint(server, **key))


@pytest.fixture(params=[*SANDBOXES, *REAL])
def place(request, tmp_path):
    with make(request.param, tmp_path) as server:
        yield server
        sessions.kept.close_idle()


@pytest.fixture(params=["ftps", "sftp"])  # those of plain FTP are in test_outbox_faults.py
def sandboxed(request, tmp_path):
    with make(request.param, tmp_path) as server:
        yield server
        sessions.kept.close_idle()


def files(server):
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir()}


def test_due_files_go_out_and_replies_come_in(place):
    supplier = _supplier(place)
    rows = [factories.delivery(supplier) for _ in range(25)]
    assert outbox.deliver(supplier.endpoint_id) == 25
    assert files(place) == {row.final_name: bytes(row.document) for row in rows}
    assert set(Delivery.objects.values_list("status", "step")) == {("sent", "sent")}
    reply = "<Reply>Größe</Reply>".encode()
    (place.replies_folder / "REPLY_1.xml").write_bytes(reply)
    place.replies_folder.chmod(0o777)  # the reply is root's; the server's user may move and remove it
    for _ in range(3):
        inbound.collect(supplier.endpoint_id)
        factories.let_time_pass()
    kept = SupplierReply.objects.get()
    assert (kept.file_name, kept.sha256) == ("REPLY_1.xml", hashlib.sha256(reply).hexdigest())
    assert list(place.replies_folder.iterdir()) == []


@pytest.mark.parametrize("step", ["login", "upload", "size", "rename"])
@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "after"}, {"hang": True}])
def test_one_fault_at_any_step_still_means_each_file_once(sandboxed, step, fault):
    if sandboxed.protocol == "sftp" and step == "login":
        fault = {"hang": True}
    supplier = _supplier(sandboxed)
    Endpoint.objects.update(data_timeout=1, connect_timeout=1)
    rows = [factories.delivery(supplier) for _ in range(3)]
    sandboxed.faults.add(command(sandboxed, step), **fault)
    for _ in range(6):
        outbox.deliver(supplier.endpoint_id)
        factories.let_time_pass()
    assert files(sandboxed) == {row.final_name: bytes(row.document) for row in rows}
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


def test_a_server_with_another_identity_stops_the_endpoint_and_is_told_nothing(tmp_path):
    with make("sftp", tmp_path) as server:
        supplier = _supplier(server)
        Endpoint.objects.update(host_identity="SHA256:another")
        factories.delivery(supplier)
        outbox.deliver(supplier.endpoint_id)
        endpoint = Endpoint.objects.get()
        assert endpoint.stopped_at and server.identity in endpoint.stop_reason
        assert (server.logins, server.failed_logins, files(server)) == (0, 0, {})
        assert Delivery.objects.get().status == "due"
