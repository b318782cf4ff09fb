"""Which reply files are taken, when, and where they go then; hostile ones are shown and stop nothing else."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from suppliers import inbound, lanes, pickup, replies
from suppliers.models import Endpoint, ReplyColumns, SupplierOrder, SupplierReply
from suppliers.reply_formats.reading import LIMIT_BYTES
from suppliers.tests import factories
from suppliers.tests.test_inbound import CONTENT, commands, look, names, put
from suppliers.tests.test_replies import BOMB, EXTERNAL, document
from suppliers.transports.session import Entry

pytestmark = pytest.mark.django_db(transaction=True)


def folder(server, name):
    path = server.root / name
    path.mkdir(exist_ok=True)
    return path


def inside(server, name):
    return sorted(path.name for path in (server.root / name).iterdir())


def test_a_file_is_taken_once_it_is_old_enough_by_the_servers_clock(server, supplier):
    Endpoint.objects.update(reply_age=3600)
    path = put(server, "REPLY_1.xml")
    assert look(supplier, 3) == 0
    hour_ago = (datetime.now(UTC) - timedelta(minutes=61)).timestamp()
    os.utime(path, (hour_ago, hour_ago))
    assert look(supplier, 2) == 1


@pytest.mark.parametrize(("ahead", "stored"), [(0, 0), (7200, 1), (-7200, 0)])
def test_a_server_whose_clock_is_wrong_is_reckoned_with(server, supplier, ahead, stored):
    Endpoint.objects.update(reply_age=3600, profile={"clock_difference": ahead})
    put(server, "REPLY_1.xml")
    assert look(supplier, 3) == stored


def test_what_lay_still_long_enough_by_hemis_clock_is_taken_too(server, supplier):
    Endpoint.objects.update(reply_age=3600)
    put(server, "REPLY_1.xml")
    look(supplier, 2)
    seen = Endpoint.objects.get().replies_seen
    seen["REPLY_1.xml"]["since"] = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    Endpoint.objects.update(replies_seen=seen)
    assert look(supplier) == 1


def test_a_file_written_anew_with_the_same_size_waits_again(server, supplier):
    path = put(server, "REPLY_1.xml")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    look(supplier)
    os.utime(path, (1_700_000_060, 1_700_000_060))
    assert look(supplier) == 0
    assert look(supplier) == 1


def test_read_replies_are_archived_under_a_name_of_their_own(server, supplier):
    Endpoint.objects.update(after_reading="archive", archive_folder="seen")
    folder(server, "seen")
    for content in (CONTENT, CONTENT + b"\n", CONTENT):
        put(server, "status.xml", content)
        look(supplier, 2)
    assert names(server) == []
    kept = inside(server, "seen")
    assert len(kept) == 3
    assert all(name.startswith("status.") and name.endswith(".xml") for name in kept)
    assert {(server.root / "seen" / name).read_bytes() for name in kept} == {CONTENT, CONTENT + b"\n"}
    assert SupplierReply.objects.count() == 2


def test_without_the_archive_folder_the_file_stays_and_is_read_once(server, supplier):
    Endpoint.objects.update(after_reading="archive", archive_folder="no-such-folder")
    put(server, "REPLY_1.xml")
    look(supplier, 4)
    assert len(names(server)) == 1
    assert len(commands(server, "RETR")) == 1


def test_unreadable_files_go_to_their_folder_and_to_the_list(server, supplier):
    Endpoint.objects.update(unreadable_folder="bad")
    folder(server, "bad")
    put(server, "broken.xml", b"<Reply")
    put(server, "huge.xml", b"x" * (LIMIT_BYTES + 1))
    put(server, "REPLY_1.xml")
    look(supplier, 3)
    assert names(server) == []
    assert [name.split(".")[0] for name in inside(server, "bad")] == ["broken", "huge"]
    notes = dict(SupplierReply.objects.filter(status="unreadable").values_list("file_name", "note"))
    assert "not well-formed" in notes["broken.xml"] and "Larger than" in notes["huge.xml"]


def test_a_file_of_500_mb_is_not_fetched(server, supplier):
    with put(server, "HUGE.xml", b"").open("r+b") as file:
        file.truncate(500_000_000)
    put(server, "REPLY_1.xml")
    look(supplier, 3)
    assert SupplierReply.objects.get(file_name="HUGE.xml").size == 500_000_000
    assert not [name for name in commands(server, "RETR") if "HUGE" in name]
    assert SupplierReply.objects.filter(status="new").count() == 1


def test_a_listing_that_lies_about_the_size_is_not_believed(server, supplier):
    put(server, "LIAR.xml", b"x" * (LIMIT_BYTES * 2))
    with lanes.enter(supplier.endpoint_id) as lane:
        seen = {"size": 10, "time": "", "since": datetime.now(UTC).isoformat()}
        pickup.consider(pickup.Look(lane, {"LIAR.xml": seen}), "LIAR.xml", Entry(10))
    reply = SupplierReply.objects.get()
    assert (reply.status, bytes(reply.content)) == ("unreadable", b"")
    put(server, "REPLY_1.xml")
    look(supplier, 3)
    assert SupplierReply.objects.filter(file_name="REPLY_1.xml", status="new").exists()


def test_a_file_that_the_server_does_not_hand_out_is_shown(server, supplier):
    server.faults.add("RETR", reply=(550, "Permission denied"), argument="SECRET", times=None)
    put(server, "SECRET.xml")
    put(server, "REPLY_1.xml")
    look(supplier, 6)
    assert "Permission denied" in SupplierReply.objects.get(file_name="SECRET.xml").note
    assert SupplierReply.objects.filter(file_name="REPLY_1.xml", status="new").exists()
    server.faults.clear()
    look(supplier)
    found = SupplierReply.objects.filter(file_name="SECRET.xml").order_by("pk")
    assert list(found.values_list("status", flat=True)) == ["settled", "new"]


HOSTILE = {
    "bomb.xml": BOMB,
    "external.xml": EXTERNAL,
    "encoding.xml": b'<?xml version="1.0" encoding="klingon"?>' + document(),
    "quotes.csv": b'reference;status\n"A;shipped\n' * 100,
    "columns.csv": b";" * 999_999,
    "nul.csv": b"reference;status\nA\0;shipped\n",
    "..\\..\\etc\\passwd.xml": CONTENT,
}


def test_hostile_files_are_refused_and_shown_and_stop_nothing_else(server, supplier):
    ReplyColumns.objects.create(endpoint=supplier.endpoint)
    part = factories.part(supplier, status=SupplierOrder.Status.SENT)
    for name, content in HOSTILE.items():
        put(server, name, content)
    put(server, "zz-good.xml", document(part.reference, "accepted"))
    look(supplier, 3)
    replies.apply_replies()
    part.refresh_from_db()
    assert part.status == "accepted"
    refused = SupplierReply.objects.filter(status="unreadable")
    assert refused.count() == len(HOSTILE)
    assert all(reply.note for reply in refused)
    assert inbound.collect(supplier.endpoint_id) == 0
