"""The journal of what was sent, on a real server: what stands in it when, and that nothing goes without it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from hemi.lib import journal as files
from hemi.lib import journal_files
from hemi.lib.journal import Journal, Reading
from suppliers import journal, outbox
from suppliers.models import Delivery, DeliveryAttempt, Endpoint
from suppliers.tests import factories
from suppliers.tests.test_outbox_races import in_thread, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A journal of the test's own."""
    folder = tmp_path / "sent"
    monkeypatch.setattr(journal, "_files", Journal(folder, "sent", 60))
    return folder


def lines(folder):
    return list(files.read([folder], "sent", LONG_AGO, Reading()))


def said(folder):
    return [(line["what"], line["name"]) for line in lines(folder)]


def test_a_run_that_lost_its_claim_takes_no_rename_back(server, supplier, folder):
    factories.delivery(supplier)
    server.faults.add("RNTO", reply=(450, "Busy"))
    look = server.faults.add("SIZE", hold="before", argument=".part", skip=1)
    thread = in_thread(lambda: outbox.deliver(supplier.endpoint_id))
    wait_for(lambda: look.is_met)
    Delivery.objects.update(claim_token="another")
    look.release()
    thread.join()
    assert [what for what, _ in said(folder)] == ["begun"]  # whoever has it now may have renamed it
    assert set(Delivery.objects.values_list("step", "claim_token")) == {("renaming", "another")}


def test_each_file_is_begun_before_its_rename_and_sent_after_it(server, supplier, folder):
    rows = [factories.delivery(supplier) for _ in range(25)]
    outbox.deliver(supplier.endpoint_id)
    renamed = {entry.argument.removeprefix("in/"): entry.at for entry in server.log if entry.command == "RNTO"}
    assert len(renamed) == 25
    found = {}
    for line in lines(folder):
        found.setdefault(line["name"], []).append((line["what"], line["sha256"], line["reference"], line["at"]))
    for row in rows:
        begun, sent = found[row.final_name]
        assert (begun[:3], sent[:3]) == (("begun", row.sha256, row.supplier_order.reference), ("sent", *begun[1:3]))
        assert begun[3] < sent[3]


def test_a_group_costs_one_wait_for_the_disk(server, supplier, folder, monkeypatch):
    waits = []
    monkeypatch.setattr(os, "fdatasync", lambda handle: waits.append(handle))
    for _ in range(40):
        factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    assert len(said(folder)) == 80
    assert len(waits) <= 12


def test_no_person_stands_in_it(server, supplier, folder):
    factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    wanted = {"at", "what", "name", "folder", "sha256", "endpoint", "reference", "resends", "order", "shopify_id"}
    assert {name for line in lines(folder) for name in line} == wanted


@pytest.mark.parametrize("alone", [True, False])
def test_nothing_is_renamed_while_it_cannot_be_written(server, supplier, folder, alone):
    row = factories.delivery(supplier)
    if alone:
        factories.killed(row, step="renaming", temporary_name="old.part")
        (server.orders_folder / "old.part").write_bytes(row.document)
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    outbox.deliver(supplier.endpoint_id)
    assert not [entry for entry in server.log if entry.command in ("RNFR", "RNTO")]
    assert not (server.orders_folder / row.final_name).exists()
    row.refresh_from_db()
    assert (row.status, row.step, row.attempts, row.claim_token) == ("due", "renaming", 1 if alone else 0, "")
    assert not DeliveryAttempt.objects.exists()
    assert "cannot be written" in Endpoint.objects.get().last_error
    folder.unlink()
    factories.let_time_pass()
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert row.status == "sent"
    assert ("sent", row.final_name) in said(folder)


def test_a_rename_that_a_look_found_not_done_is_taken_back(server, supplier, folder):
    row = factories.delivery(supplier)
    server.faults.add("RNTO", reply=(553, "Not now"))
    outbox.deliver(supplier.endpoint_id)
    assert said(folder) == [("begun", row.final_name), ("back", row.final_name)]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_rename_whose_reply_was_lost_stays_begun_until_a_look(server, supplier, folder, cut):
    row = factories.delivery(supplier)
    server.faults.add("RNTO", cut=cut)
    outbox.deliver(supplier.endpoint_id)
    factories.let_time_pass()
    outbox.deliver(supplier.endpoint_id)
    assert Delivery.objects.get().status == "sent"
    assert said(folder)[0] == ("begun", row.final_name)
    assert said(folder)[-1] == ("sent", row.final_name)


def test_a_file_sent_again_is_a_sending_of_its_own(server, supplier, folder):
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    (server.orders_folder / row.final_name).unlink()
    Delivery.objects.update(status="due", step="", temporary_name="", resends=1)
    outbox.deliver(supplier.endpoint_id)
    assert [(line["what"], line["resends"]) for line in lines(folder)] == [
        ("begun", 0),
        ("sent", 0),
        ("begun", 1),
        ("sent", 1),
    ]


WRITER = """
import sys
from pathlib import Path
from hemi.lib.journal import Journal
journal = Journal(Path(sys.argv[1]), "sent", 60)
number = 0
while True:
    number += 1
    journal.append([{"who": sys.argv[2], "number": number, "of": part} for part in range(50)])
    print(number, flush=True)
"""


def test_many_processes_killed_in_the_middle_leave_every_line_that_they_were_told_of(tmp_path):
    folder = tmp_path / "sent"
    argv = [sys.executable, "-c", WRITER, str(folder)]
    writers = [subprocess.Popen([*argv, str(who)], stdout=subprocess.PIPE, text=True) for who in range(3)]
    told = []
    try:
        for writer in writers:
            for _ in range(20):
                writer.stdout.readline()
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            told.append(20 + len(writer.stdout.read().split()))
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    reading, found = Reading(), {}
    for line in files.read([folder], "sent", LONG_AGO, reading):
        found.setdefault(int(line["who"]), {}).setdefault(line["number"], []).append(line["of"])
    assert reading.damaged == 0
    for who, last in enumerate(told):
        assert all(found[who][number] == list(range(50)) for number in range(1, last + 1))


def test_a_torn_line_spoils_no_other_and_a_changed_one_is_counted(tmp_path):
    Journal(tmp_path, "sent", 60).append([{"name": "one"}])
    path = next(tmp_path.glob("sent-*.log"))
    with path.open("ab") as file:
        file.write(b'\n0badc0de {"at":"2026-11-21T10:00:00+00:00","name":"to')
    Journal(tmp_path, "sent", 60).append([{"name": "three"}])
    reading = Reading()
    assert [line["name"] for line in files.read([tmp_path], "sent", LONG_AGO, reading)] == ["one", "three"]
    assert reading.damaged == 0
    path.write_bytes(path.read_bytes().replace(b'"three"', b'"other"'))
    reading = Reading()
    assert [line["name"] for line in files.read([tmp_path], "sent", LONG_AGO, reading)] == ["one"]
    assert reading.damaged == 1


def test_it_begins_a_file_a_day_and_old_ones_go(tmp_path):
    today = datetime.now(UTC)
    for days in (59, 61, 400):
        (tmp_path / f"sent-{today - timedelta(days=days):%Y-%m-%d}.here.log").write_text("")
    Journal(tmp_path, "sent", 60).append([{"name": "one"}])
    kept = sorted(path.name[5:15] for path in tmp_path.glob("*.log"))
    assert kept == [f"{today - timedelta(days=59):%Y-%m-%d}", f"{today:%Y-%m-%d}"]


def test_a_folder_that_was_removed_under_a_running_process_is_made_anew(tmp_path):
    folder = tmp_path / "sent"
    written = Journal(folder, "sent", 60)
    written.append([{"name": "one"}])
    next(folder.glob("*.log")).unlink()
    written.append([{"name": "two"}])
    assert [line["name"] for line in lines(folder)] == ["two"]


def test_a_copy_is_told_from_the_place_and_takes_only_what_is_new(tmp_path):
    folder, other = tmp_path / "sent", tmp_path / "copy"
    written = Journal(folder, "sent", 60)
    written.append([{"name": "one"}])
    first = journal_files.copy(folder, other)
    written.append([{"name": "two"}])
    assert 0 < journal_files.copy(folder, other) < first
    assert journal_files.copy(folder, other) == 0
    assert lines(other) == lines(folder)
    assert is_in_place(folder) and not is_in_place(other)
    time.sleep(0.01)
    subprocess.run(["cp", "-a", str(folder), str(tmp_path / "cloned")], check=True)
    assert not is_in_place(tmp_path / "cloned")


@pytest.mark.parametrize("is_begun", [True, False])
def test_copied_files_stay_copies_in_a_folder_that_is_written_to(tmp_path, is_begun):
    folder, there = tmp_path / "sent", tmp_path / "new-server"
    Journal(folder, "sent", 60).append([{"name": "before"}])
    if is_begun:  # the new server made a backup before anybody brought the journal
        Journal(there, "redacted", 60).append([{"name": "own"}])
    journal_files.copy(folder, there)
    Journal(there, "sent", 60).append([{"name": "after"}])
    assert sorted(line["name"] for line in lines(there)) == ["after", "before"]
    assert not is_in_place(there)
    path = next(path for path in there.glob("sent-*") if journal_files.is_own(path))
    path.rename(there / path.name.replace(f"{datetime.now(UTC):%Y}", "2999"))  # what is written from the next day on
    assert journal_files.is_in_place(there, "sent", datetime(2999, 1, 1, tzinfo=UTC))


def test_a_day_that_is_gone_is_missed(tmp_path):
    written = Journal(tmp_path, "sent", 60)
    written.append([{"name": "one"}])
    assert journal_files.missing(tmp_path, "sent", LONG_AGO) == []
    next(tmp_path.glob("sent-*.log")).unlink()
    written.append([{"name": "two"}])
    Journal(tmp_path, "sent", 60).append([{"name": "three"}])
    assert [line["name"] for line in lines(tmp_path)] == ["two", "three"]
    assert journal_files.missing(tmp_path, "sent", LONG_AGO) == [f"{datetime.now(UTC):%Y-%m-%d}"]
    assert journal_files.missing(tmp_path, "sent", datetime.now(UTC) + timedelta(days=1)) == []


def test_a_disk_that_is_mounted_over_the_folder_is_written_to(tmp_path):
    folder, aside = tmp_path / "sent", tmp_path / "hidden"
    written = Journal(folder, "sent", 60)
    written.append([{"name": "one"}])
    folder.rename(aside)
    Journal(folder, "sent", 60).append([{"name": "of the disk"}])
    written.append([{"name": "two"}])
    assert [line["name"] for line in lines(folder)] == ["of the disk", "two"]


def test_a_clock_that_was_put_back_changes_no_order(tmp_path):
    written = Journal(tmp_path, "sent", 60)
    written.append([{"name": "first", "at": "2026-11-21T10:00:05+00:00"}])
    written.append([{"name": "second", "at": "2026-11-21T10:00:01+00:00"}])
    first, second = lines(tmp_path)
    assert first["at"] <= second["at"]


def test_the_copy_of_a_folder_that_was_lost_is_kept_beside_the_new_ones(tmp_path):
    folder, other = tmp_path / "sent", tmp_path / "copy"
    Journal(folder, "sent", 60).append([{"name": name} for name in ("one", "two", "three")])
    journal_files.copy(folder, other)
    shutil.rmtree(folder)
    Journal(folder, "sent", 60).append([{"name": "four"}])
    assert journal_files.copy(folder, other) > 0
    assert journal_files.copy(folder, other) == 0
    assert sorted(line["name"] for line in lines(other)) == ["four", "one", "three", "two"]


def is_in_place(folder):
    return journal_files.is_in_place(folder, "sent", LONG_AGO)
