"""The inbound runner against a real FTP server: each reply file is kept once, and deleted only then."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from sandbox.supplier_documents import Verdict, reply_document
from suppliers import inbound, lanes, outbox, pickup
from suppliers.looks import Look
from suppliers.models import Endpoint, SupplierReply
from suppliers.reply_formats.reading import LIMIT_BYTES
from suppliers.tests import factories, hints
from suppliers.transports import sessions
from suppliers.transports.session import Entry

pytestmark = pytest.mark.django_db(transaction=True)

LONGER = reply_document("HM1-NORTH-1", "Größe" * 20, Verdict())
CONTENT = reply_document("HM1-NORTH-1", "Größe", Verdict())


def put(server, name, content=CONTENT):
    path = server.replies_folder / name
    path.write_bytes(content)
    return path


def look(supplier, times=1):
    stored = 0
    for _ in range(times):
        stored += inbound.collect(supplier.endpoint_id)
        factories.let_time_pass()
    return stored


def names(server):
    return sorted(path.name for path in server.replies_folder.iterdir())


def kept():
    return [(reply.file_name, bytes(reply.content)) for reply in SupplierReply.objects.order_by("pk")]


def commands(server, name):
    return [entry.argument for entry in server.log if entry.command == name]


def test_a_file_is_taken_once_it_kept_its_size(server, supplier):
    put(server, "REPLY_1.xml", CONTENT[:5])
    assert look(supplier) == 0
    put(server, "REPLY_1.xml")
    assert look(supplier) == 0
    assert names(server) == ["REPLY_1.xml"]
    assert look(supplier) == 1
    assert names(server) == []
    reply = SupplierReply.objects.get()
    assert kept() == [("REPLY_1.xml", CONTENT)]
    assert (reply.size, reply.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert (reply.status, reply.endpoint_id) == ("new", supplier.endpoint_id)
    assert commands(server, "RETR")[0].startswith("out/REPLY_1.xml.hemi-")
    assert look(supplier, 2) == 0


def test_replies_and_deliveries_share_one_session(server, supplier):
    factories.delivery(supplier)
    put(server, "REPLY_1.xml")
    outbox.deliver(supplier.endpoint_id)
    look(supplier, 2)
    assert len(kept()) == 1
    assert server.logins == 1


def test_names_of_files_being_written_are_left_alone(server, supplier):
    left = [".hidden", "a.xml.part", "b.TMP", "c.xml.filepart", "d~", "empty.xml"]
    for name in left:
        put(server, name, b"" if name == "empty.xml" else CONTENT)
    (server.replies_folder / "folder").mkdir()
    assert look(supplier, 3) == 0
    assert names(server) == sorted([*left, "folder"])
    assert kept() == []


def test_a_look_is_taken_when_its_time_has_come_and_sooner_after_a_new_file(server, supplier):
    now = timezone.now()
    inbound.collect(supplier.endpoint_id)
    assert inbound.sweep() == 0
    quiet = Endpoint.objects.get().next_poll_at - now
    before = len(server.log)
    inbound.collect(supplier.endpoint_id)
    assert len(server.log) == before
    put(server, "REPLY_1.xml")
    factories.let_time_pass()
    now = timezone.now()
    assert inbound.sweep() == 1
    inbound.collect(supplier.endpoint_id)
    assert Endpoint.objects.get().next_poll_at - now < quiet / 2


@pytest.mark.parametrize(
    "columns",
    [{"replies_folder": ""}, {"is_active": False}, {"stopped_at": "now"}, {"lease_until": "soon"}],
)
def test_endpoints_that_are_not_looked_at(server, supplier, columns):
    put(server, "REPLY_1.xml")
    times = {"now": timezone.now(), "soon": timezone.now() + timedelta(minutes=1)}
    Endpoint.objects.update(**{name: times.get(value, value) for name, value in columns.items()})
    assert inbound.sweep() == 0
    assert inbound.collect(supplier.endpoint_id) == 0
    assert server.sessions == 0


@pytest.mark.parametrize("command", ["EPSV", "MLSD", "RNFR", "RNTO", "RETR", "SIZE", "DELE"])
@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "after"}, {"reply": (450, "Busy")}])
def test_one_fault_at_any_step_loses_and_doubles_nothing(server, supplier, command, fault):
    put(server, "REPLY_1.xml")
    put(server, "REPLY_2.xml", LONGER)
    server.faults.add(command, **fault)
    look(supplier, 5)
    assert not server.faults.waiting
    assert sorted(kept()) == [("REPLY_1.xml", CONTENT), ("REPLY_2.xml", LONGER)]
    if "cut" in fault:
        assert names(server) == []


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_claimed_file_of_a_dead_worker_is_finished(server, supplier, is_stored):
    put(server, "REPLY_1.xml.hemi-0123456789ab")
    if is_stored:
        SupplierReply.objects.create(
            endpoint=supplier.endpoint,
            file_name="REPLY_1.xml",
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            size=len(CONTENT),
            content=CONTENT,
        )
    look(supplier, 2)
    assert kept() == [("REPLY_1.xml", CONTENT)]
    assert names(server) == []


def test_a_file_that_grows_while_it_is_read_has_to_lie_still_again(server, supplier):
    put(server, "REPLY_1.xml", CONTENT[:60])
    look(supplier)
    # The supplier's server has the file open: it goes on writing under the claimed name, too, in bursts.
    server.faults.add("SIZE", reply=(213, "61"))
    assert look(supplier) == 0
    (claimed,) = names(server)
    for written in (100, 150, len(CONTENT)):
        put(server, claimed, CONTENT[:written])
        assert look(supplier) == 0
    assert look(supplier) == 1
    assert kept() == [("REPLY_1.xml", CONTENT)]
    assert names(server) == []


@pytest.mark.parametrize("content", [CONTENT[:60], LONGER])
def test_a_file_replaced_between_listing_and_reading_has_to_lie_still(server, supplier, content):
    put(server, "status.xml")
    look(supplier)
    entry = session_entry(supplier)
    put(server, "status.xml", content)
    with lanes.enter(supplier.endpoint_id) as lane:
        taken = Look(lane, lane.endpoint.replies_seen)
        pickup.consider(taken, "status.xml", entry)
        assert (taken.stored, taken.has_new) == (0, True)
    assert kept() == []
    look(supplier, 2)
    assert kept() == [("status.xml", content)]


def session_entry(supplier):
    with lanes.enter(supplier.endpoint_id) as lane:
        return lane.session.listing("out")["status.xml"]


def test_a_server_that_lists_wrong_sizes_is_read_all_the_same(server, supplier):
    put(server, "REPLY_1.xml")
    with lanes.enter(supplier.endpoint_id) as lane:
        before, name = {}, "REPLY_1.xml"
        for _ in range(5):
            taken = Look(lane, before)
            pickup.consider(taken, name, Entry(len(CONTENT) + 7))
            before, name = taken.now, (names(server) or [name])[0]
    assert kept() == [("REPLY_1.xml", CONTENT)]


def test_an_order_file_among_the_replies_is_never_taken_away(server, supplier):
    Endpoint.objects.update(replies_folder="in")
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    (server.orders_folder / "REPLY_1.xml").write_bytes(CONTENT)
    look(supplier, 4)
    assert [path.name for path in server.orders_folder.iterdir()] == [row.final_name]
    assert kept() == [("REPLY_1.xml", CONTENT)]


def test_the_same_file_again_is_no_second_but_other_content_is(server, supplier):
    for content in (CONTENT, CONTENT, CONTENT + b" "):
        put(server, "REPLY_1.xml", content)
        look(supplier, 2)
    assert kept() == [("REPLY_1.xml", CONTENT), ("REPLY_1.xml", CONTENT + b" ")]
    assert names(server) == []


def test_where_renaming_is_not_allowed_files_are_read_once_and_never_deleted(tmp_path):
    options = FtpOptions(can_rename_inbound=False)
    with FtpSandbox(tmp_path / "f", "hemi", "right-password", options=options) as server:
        supplier = factories.supplier(endpoint=factories.endpoint(server))
        put(server, "status.csv")
        assert look(supplier, 4) == 1
        put(server, "status.csv", CONTENT + b"new")
        assert look(supplier, 4) == 1
        assert kept() == [("status.csv", CONTENT), ("status.csv", CONTENT + b"new")]
        assert names(server) == ["status.csv"]
        assert len(commands(server, "RETR")) == 2
        assert commands(server, "DELE") == []
        sessions.kept.close_idle()


def test_where_deleting_is_not_allowed_a_file_is_read_once(server, supplier):
    server.faults.add("DELE", reply=(550, "Permission denied"), times=None)
    put(server, "REPLY_1.xml")
    look(supplier, 5)
    assert kept() == [("REPLY_1.xml", CONTENT)]
    assert len(commands(server, "RETR")) == 1
    assert len(names(server)) == 1


def test_a_huge_file_is_noted_once_and_left_where_it_is(server, supplier):
    put(server, "HUGE.xml", b"x" * (LIMIT_BYTES + 1))
    put(server, "REPLY_1.xml")
    look(supplier, 4)
    huge = SupplierReply.objects.get(file_name="HUGE.xml")
    assert (huge.status, bytes(huge.content), huge.size) == ("unreadable", b"", LIMIT_BYTES + 1)
    assert "Larger" in huge.note
    assert names(server) == ["HUGE.xml"]
    assert SupplierReply.objects.filter(file_name="REPLY_1.xml", status="new").exists()
    assert [name for name in commands(server, "RETR") if "HUGE" in name] == []


def test_names_that_would_be_commands_or_paths_are_left_alone(server, supplier):
    for name in ("back\\slash.xml", "bell\a.xml"):
        put(server, name)
    (server.replies_folder / b"latin\xe9.xml".decode("utf-8", "surrogateescape")).write_bytes(CONTENT)
    put(server, "REPLY_1.xml")
    before = len(names(server))
    look(supplier, 3)
    refused = SupplierReply.objects.filter(status="unreadable", note__startswith="Its name")
    assert sorted(refused.values_list("file_name", flat=True)) == [ascii("back\\slash.xml"), ascii("bell\a.xml")]
    assert not any(bytes(reply.content) for reply in refused)
    assert [reply.file_name for reply in SupplierReply.objects.filter(status="new")] == ["REPLY_1.xml"]
    assert len(names(server)) == before - 1


def test_a_server_that_cannot_be_reached_is_left_alone_for_a_while(server, supplier):
    server.stop()
    assert inbound.collect(supplier.endpoint_id) == 0
    endpoint = Endpoint.objects.get()
    assert endpoint.next_attempt_at > timezone.now()
    assert "refused" in endpoint.last_error
    assert inbound.sweep() == 0


def test_a_missing_folder_does_not_hold_up_deliveries(server, supplier):
    Endpoint.objects.update(replies_folder="no-such-folder")
    row = factories.delivery(supplier)
    hints.sent()
    inbound.collect(supplier.endpoint_id)
    assert hints.sent() == {("suppliers.deliver", supplier.endpoint_id)}
    assert "No such directory" in Endpoint.objects.get().last_error
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert row.status == "sent"


def test_stored_replies_are_announced(server, supplier):
    put(server, "REPLY_1.xml")
    look(supplier)
    hints.sent()
    look(supplier)
    assert ("suppliers.apply_replies",) in hints.sent()
