"""Suppliers' servers of every kind, as the sandbox's own clients see them."""

import pytest

from sandbox.file_servers import KINDS
from sandbox.story import fetching
from sandbox.supplier import SupplierSandbox
from sandbox.world import Ports, World

ORDER = b'<Order xmlns="urn:hemi:order:1.0"><Reference>HM1</Reference><Lines><Line/></Lines></Order>'


def access(server):
    known = {"protocol": server.protocol, "host": server.host, "port": server.port, "orders_folder": "in"}
    return {**known, "user": server.user, "password": server.password}


@pytest.fixture(params=list(KINDS))
def server(request, tmp_path):
    with KINDS[request.param](tmp_path / "f", "hemi", "right-password") as server:
        yield server


def test_what_lies_there_is_fetched(server):
    (server.orders_folder / "a.xml").write_bytes(ORDER * 1000)
    (server.orders_folder / "b.part").write_bytes(ORDER)
    assert fetching.read_all(access(server)) == {"a.xml": ORDER * 1000}
    assert (server.logins, server.failed_logins) == (1, 0)
    assert "right-password" not in repr(server.log)


def test_a_server_comes_back_on_its_port_as_the_same(server):
    (server.orders_folder / "a.xml").write_bytes(ORDER)
    port, identity = server.port, server.identity
    server.stop()
    assert not server.is_running
    with pytest.raises(ConnectionRefusedError):
        fetching.read_all(access(server))
    server.start()
    assert (server.port, server.identity, server.is_running) == (port, identity, True)
    assert fetching.read_all(access(server)) == {"a.xml": ORDER}


def test_a_supplier_takes_orders_over_sftp(tmp_path):
    with SupplierSandbox("nw", tmp_path / "s", protocol="sftp") as supplier:
        (supplier.ftp.orders_folder / "HM1.xml").write_bytes(ORDER)
        supplier.back_office.look(supplier.ftp.orders_folder / "HM1.xml")
        assert [order.reference for order in supplier.wait_for_orders(1)] == ["HM1"]
        assert fetching.read_all(access(supplier.ftp)) == {"HM1.xml": ORDER}


def test_a_world_has_the_kinds_that_were_asked_for(tmp_path):
    with World(tmp_path, Ports.free(), {"northwind": "ftps", "suedhaus": "sftp"}) as world:
        told = world.describe()["suppliers"]
        assert {name: server["protocol"] for name, server in told.items()} == {"northwind": "ftps", "suedhaus": "sftp"}
        assert all(server["identity"].startswith("SHA256:") for server in told.values())
        assert [fetching.read_all(server) for server in told.values()] == [{}, {}]
