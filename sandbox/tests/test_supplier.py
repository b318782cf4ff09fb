"""A supplier of the sandbox: what arrives over FTP and what comes back."""

import ftplib
import hashlib
import io
import time

import pytest
from lxml import etree

from sandbox.ftp_options import FtpOptions
from sandbox.supplier import SupplierSandbox
from sandbox.supplier_documents import Verdict

NAMESPACE = {"r": "urn:hemi:reply:1.0"}


@pytest.fixture
def supplier(tmp_path):
    with SupplierSandbox("northwind", tmp_path / "northwind", prefix="NW") as supplier:
        yield supplier


def order(reference, lines=2):
    body = "".join(f"<Line><Sku>S{n}</Sku></Line>" for n in range(lines))
    head = f"<Reference>{reference}</Reference><Customer><Reference>other</Reference></Customer>"
    return f'<Order xmlns="urn:hemi:order:1.0" version="1.0">{head}<Lines>{body}</Lines></Order>'.encode()


def connect(supplier):
    client = ftplib.FTP(timeout=5)
    client.connect(supplier.ftp.host, supplier.ftp.port)
    client.login(supplier.ftp.user, supplier.ftp.password)
    return client


def deliver(supplier, name, content):
    client = connect(supplier)
    client.storbinary(f"STOR in/{name}.part", io.BytesIO(content))
    client.rename(f"in/{name}.part", f"in/{name}")
    client.quit()


def wait_until(condition, timeout=5.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.01)


def reply(supplier, reference):
    """Fetch a reply over FTP once it is there."""
    client = connect(supplier)
    wait_until(lambda: f"REPLY_{reference}.xml" in client.nlst("out"))
    content = io.BytesIO()
    client.retrbinary(f"RETR out/REPLY_{reference}.xml", content.write)
    return etree.fromstring(content.getvalue())


def texts(document):
    return {etree.QName(child).localname: child.text for child in document}


def test_order_is_read_and_accepted(supplier):
    content = order("HM00000001")
    deliver(supplier, "HM00000001.xml", content)
    document = reply(supplier, "HM00000001")
    assert document.tag == "{urn:hemi:reply:1.0}Reply"
    assert document.get("version") == "1.0"
    fields = texts(document)
    assert list(fields) == ["Reference", "Status", "SupplierReference", "CreatedAt"]
    assert (fields["Reference"], fields["Status"]) == ("HM00000001", "accepted")
    assert fields["SupplierReference"] == "NW-000001"
    assert fields["CreatedAt"].endswith("+00:00")
    [arrived] = supplier.orders
    assert (arrived.file_name, arrived.reference, arrived.line_count) == ("HM00000001.xml", "HM00000001", 2)
    assert (arrived.content, arrived.sha256) == (content, hashlib.sha256(content).hexdigest())
    assert supplier.duplicates == {}


def test_temporary_names_are_left_alone(supplier):
    connect(supplier).storbinary("STOR in/HM1.xml.part", io.BytesIO(order("HM1")))
    deliver(supplier, "HM2.xml", order("HM2"))
    reply(supplier, "HM2")
    assert [arrived.reference for arrived in supplier.orders] == ["HM2"]


def test_repeats_are_counted_by_reference(supplier):
    deliver(supplier, "HM1.xml", order("HM1"))
    supplier.wait_for_orders(1)
    deliver(supplier, "HM1-again.xml", order("HM1"))
    supplier.wait_for_orders(2)
    deliver(supplier, "HM1.xml", order("HM1"))
    supplier.wait_for_orders(3)
    assert supplier.duplicates == {"HM1": 3}


def test_half_written_file_is_reported_and_not_taken(supplier):
    deliver(supplier, "HM1.xml", order("HM1")[:-20])
    deliver(supplier, "HM2.xml", b"<Order><Reference>HM2</Reference></Order>")
    wait_until(lambda: len(supplier.broken) == 2)
    assert "HM1.xml" in supplier.broken[0] and "not whole XML" in supplier.broken[0]
    assert supplier.orders == []


def test_reject_next_rejects_one_with_its_reason(supplier):
    supplier.reject_next("Out of stock")
    deliver(supplier, "HM1.xml", order("HM1"))
    fields = texts(reply(supplier, "HM1"))
    assert (fields["Status"], fields["Reason"]) == ("rejected", "Out of stock")
    deliver(supplier, "HM2.xml", order("HM2"))
    assert texts(reply(supplier, "HM2"))["Status"] == "accepted"


def test_policy_decides(tmp_path):
    def policy(arrived):
        return Verdict("taken") if arrived.line_count > 1 else Verdict("rejected", "Too small")

    with SupplierSandbox("suedhaus", tmp_path, policy=policy) as supplier:
        deliver(supplier, "HM1.xml", order("HM1"))
        deliver(supplier, "HM2.xml", order("HM2", lines=1))
        assert reply(supplier, "HM1").findtext("r:Status", namespaces=NAMESPACE) == "taken"
        assert reply(supplier, "HM2").findtext("r:Reason", namespaces=NAMESPACE) == "Too small"


def test_supplier_that_never_replies(tmp_path):
    with SupplierSandbox("silent", tmp_path, replies=False) as supplier:
        deliver(supplier, "HM1.xml", order("HM1"))
        supplier.wait_for_orders(1)
        supplier.stop()
        assert list(supplier.ftp.replies_folder.iterdir()) == []


def test_delayed_reply_comes_later(tmp_path):
    with SupplierSandbox("slow", tmp_path, delay=0.5) as supplier:
        deliver(supplier, "HM1.xml", order("HM1"))
        supplier.wait_for_orders(1)
        arrived_at = time.monotonic()
        assert list(supplier.ftp.replies_folder.iterdir()) == []
        reply(supplier, "HM1")
        assert time.monotonic() - arrived_at > 0.3


def test_swept_orders_are_still_read(tmp_path):
    options = FtpOptions(has_sweeper=True)
    with SupplierSandbox("sweeper", tmp_path / "sweeper", options=options) as supplier:
        deliver(supplier, "HM1.xml", order("HM1"))
        supplier.wait_for_orders(1)
        assert connect(supplier).nlst("in") == []


def test_orders_survive_that_the_server_is_down_for_a_while(supplier):
    deliver(supplier, "HM1.xml", order("HM1"))
    reply(supplier, "HM1")
    supplier.ftp.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(supplier)
    supplier.ftp.start()
    deliver(supplier, "HM2.xml", order("HM2"))
    reply(supplier, "HM2")
    assert [arrived.reference for arrived in supplier.orders] == ["HM1", "HM2"]


def test_waiting_in_vain_says_what_arrived(supplier):
    with pytest.raises(TimeoutError, match="0 of 1 orders"):
        supplier.wait_for_orders(1, timeout=0.05)
