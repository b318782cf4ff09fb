"""Every way in which a delivery can go wrong: nothing is lost, doubled or half-written."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.models import StaffAlert
from orders.models import Order
from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from suppliers import filedrop, hands, lanes, outbox, records
from suppliers.hands import Deck
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, SupplierOrder
from suppliers.services import deliveries, endpoints
from suppliers.tests import factories
from suppliers.tests.runs import commands, files, run
from suppliers.transports import sessions
from suppliers.transports.errors import Kind, TransportError

pytestmark = pytest.mark.django_db(transaction=True)


def outcome(row):
    row.refresh_from_db()
    return row.status, row.step


def outcomes():
    return list(DeliveryAttempt.objects.values_list("outcome", flat=True))


def alerts():
    return set(StaffAlert.objects.filter(cleared_at=None).values_list("kind", flat=True))


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def watched(server):
    """The server, with all that ever lay there under a final name: (name, content) as often as it arrived."""
    server.arrived = []
    server.on_arrival = lambda path: path.suffix == ".xml" and server.arrived.append((path.name, path.read_bytes()))
    return server


STEPS = ["USER", "PASS", "TYPE", "EPSV", "STOR", "SIZE", "RNFR", "RNTO"]
CUTS = [(step, {"cut": cut}) for step in STEPS for cut in ("before", "after")]
REFUSALS = [
    ("CONNECT", {"reply": (421, "Too many connections")}),
    ("PASS", {"reply": (421, "Closing")}),
    ("PASS", {"reply": (530, "Sorry, the maximum number of clients is connected")}),
    ("EPSV", {"reply": (425, "No data connection")}),
    ("STOR", {"reply": (425, "No data connection")}),
    ("STOR", {"reply": (426, "Aborted"), "late": True}),
    ("STOR", {"reply": (450, "Busy")}),
    ("STOR", {"reply": (451, "Local error"), "late": True}),
    ("STOR", {"reply": (452, "Disk full")}),
    ("STOR", {"reply": (552, "Quota exceeded"), "late": True}),
    ("STOR", {"reply": (550, "No such folder")}),
    ("STOR", {"short": True}),
    ("STOR", {"cut": "during"}),
    ("SIZE", {"reply": (450, "Busy")}),
    ("RNFR", {"reply": (450, "Busy")}),
    ("RNFR", {"reply": (550, "No such file")}),
    ("RNTO", {"reply": (421, "Closing")}),
    ("RNTO", {"reply": (421, "Closing"), "late": True}),
    ("RNTO", {"reply": (450, "Busy")}),
    ("RNTO", {"reply": (550, "Failed")}),
    ("RNTO", {"reply": (550, "Failed"), "late": True}),
    ("RNTO", {"reply": (553, "Failed"), "late": True}),
]
HANGS = [(step, {"hang": True, "late": late}) for step, late in [("STOR", True), ("RNTO", False), ("RNTO", True)]]


@pytest.mark.parametrize("command, fault", CUTS + REFUSALS + HANGS)
def test_one_fault_at_any_step_still_means_each_file_once(watched, supplier, command, fault):
    Endpoint.objects.update(data_timeout=1)
    rows = [factories.delivery(supplier) for _ in range(3)]
    watched.faults.add(command, **fault)
    run(supplier, rounds=4)
    assert not watched.faults.waiting
    assert [outcome(row) for row in rows] == [("sent", "sent")] * 3
    assert sorted(watched.arrived) == sorted((row.final_name, bytes(row.document)) for row in rows)
    assert files(watched) == {row.final_name: bytes(row.document) for row in rows}
    assert SupplierOrder.objects.filter(status="sent").count() == 3
    assert alerts() == set()


def test_each_claim_writes_to_a_temporary_name_of_its_own(watched, supplier):
    row = factories.delivery(supplier)
    watched.faults.add("STOR", cut="before", times=2)
    run(supplier, rounds=3)
    names = commands(watched, "STOR")
    assert len(set(names)) == 3
    assert all(name.startswith(f"in/{row.final_name}.") and name.endswith(".part") for name in names)


@pytest.mark.parametrize("command", ["STOR", "SIZE", "RNFR", "RNTO"])
def test_a_second_fault_in_the_repair_is_repaired_too(watched, supplier, command):
    row = factories.delivery(supplier)
    watched.faults.add(command, cut="after")
    watched.faults.add("SIZE", cut="before", skip=1, times=2)
    run(supplier, rounds=6)
    assert outcome(row) == ("sent", "sent")
    assert watched.arrived == [(row.final_name, bytes(row.document))]
    assert set(files(watched)) == {row.final_name}


@pytest.mark.parametrize("step, is_there", [("uploading", False), ("uploading", True), ("", False)])
def test_killed_before_the_rename_was_recorded(watched, supplier, step, is_there):
    row = factories.killed(factories.delivery(supplier), step=step, temporary_name="old.part" if step else "")
    if is_there:
        (watched.orders_folder / "old.part").write_bytes(b"half")
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(watched) == {row.final_name: bytes(row.document)}
    assert commands(watched, "STOR")[0] != "in/old.part"


def _renaming(server, supplier, temporary, final):
    row = factories.killed(factories.delivery(supplier), step="renaming", temporary_name="old.part")
    for name, content in (("old.part", temporary), (row.final_name, final)):
        if content is not None:
            content = bytes(row.document) if content == b"whole" else content
            (server.orders_folder / name).write_bytes(content)
    return row


def test_killed_before_the_rename_was_done(watched, supplier):
    row = _renaming(watched, supplier, b"whole", None)
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(watched) == {row.final_name: bytes(row.document)}
    assert commands(watched, "STOR") == []


def test_killed_after_the_rename_was_done(watched, supplier):
    row = _renaming(watched, supplier, None, b"whole")
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(watched) == {row.final_name: bytes(row.document)}
    assert commands(watched, "STOR") == commands(watched, "RNTO") == []


def test_both_names_there_with_equal_size_is_sent(watched, supplier):
    row = _renaming(watched, supplier, b"whole", b"whole")
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(watched) == {row.final_name: bytes(row.document)}


@pytest.mark.parametrize("temporary, final", [(b"whole", b"other"), (None, None), (None, b"other")])
def test_what_a_look_cannot_tell_is_uncertain_and_never_repeated(watched, supplier, temporary, final):
    row = _renaming(watched, supplier, temporary, final)
    before = files(watched)
    run(supplier, rounds=3)
    assert outcome(row) == ("uncertain", "renaming")
    assert files(watched) == before
    assert commands(watched, "STOR") == commands(watched, "RNTO") == []
    assert outcomes() == ["uncertain"]
    assert alerts() == {"delivery_uncertain"}
    assert "uncertain" in SupplierOrder.objects.get().attention


def test_a_spoilt_temporary_file_is_uploaded_anew(watched, supplier):
    row = _renaming(watched, supplier, b"half", None)
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(watched) == {row.final_name: bytes(row.document)}


def test_a_hold_set_while_the_rename_was_in_doubt_stops_the_second_rename(watched, supplier):
    row = _renaming(watched, supplier, b"whole", None)
    Delivery.objects.update(is_held=True)
    run(supplier, rounds=2)
    assert outcome(row) == ("due", "")
    assert files(watched) == {}
    assert outcomes() == ["stopped"]


def test_a_sweeping_supplier_that_cut_the_rename_leaves_it_uncertain_until_settled(tmp_path):
    with FtpSandbox(tmp_path / "f", "hemi", "right-password", options=FtpOptions(has_sweeper=True)) as server:
        supplier = factories.supplier(endpoint=factories.endpoint(server))
        row = factories.delivery(supplier)
        server.faults.add("RNTO", cut="after")
        run(supplier, rounds=2)
        assert outcome(row) == ("uncertain", "renaming")
        assert len(list(server.swept_folder.iterdir())) == 1
        deliveries.settle_uncertain(delivery=row, was_sent=False, reason="The supplier lost it", by=None)
        (server.swept_folder / row.final_name).unlink()
        Order.objects.update(needs_routing=False)  # it was looked at again, and has not changed meanwhile
        run(supplier)
        assert outcome(row) == ("sent", "sent")
        assert [path.name for path in server.swept_folder.iterdir()] == [row.final_name]
        assert alerts() == set()
        sessions.kept.close_idle()


@pytest.fixture
def stale(supplier):
    """Claim as a worker does that then falls asleep: its lane and its attempt."""
    with lanes.enter(supplier.endpoint_id) as lane:
        row = factories.delivery(supplier)
        (attempt,) = hands.claim(lane, Deck(lane).deal(1))
        yield lane, attempt, row


def test_a_worker_that_wakes_up_late_changes_nothing(watched, supplier, stale):
    lane, attempt, row = stale
    with transaction.atomic():
        assert records.begin_uploads([attempt], lane.endpoint)
    stale_name = attempt.delivery.temporary_name
    lane.session.upload(f"in/{stale_name}", b"stale")
    factories.let_time_pass()
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    (watched.orders_folder / stale_name).write_bytes(b"its data connection was still open")
    before = _rows(row)
    with transaction.atomic():
        assert not records.begin_renames([attempt])
        assert not records.begin_signals([attempt])
        for late in (records.sent, records.give_back, records.renew):
            late([attempt])
    attempt.stopped()
    attempt.uncertain("late")
    for kind in Kind:
        attempt.failed(TransportError(kind, "late", "upload"))
    filedrop.tidy(lane, attempt)
    assert _rows(row) == before
    assert files(watched) == {row.final_name: bytes(row.document)}


def test_a_worker_that_lost_its_claim_before_the_rename_removes_only_its_own_file(watched, supplier):
    row = factories.delivery(supplier)

    def take_over(path):
        if not commands(watched, "SIZE"):
            Delivery.objects.update(claim_token="another", temporary_name="another.part")
            (watched.orders_folder / "another.part").write_bytes(b"being written")
            connection.close()

    watched.on_arrival = take_over
    outbox.deliver(supplier.endpoint_id)
    assert files(watched) == {"another.part": b"being written"}
    row.refresh_from_db()
    assert (row.claim_token, row.step) == ("another", "uploading")
    assert outcomes() == []
    assert commands(watched, "RNTO") == []


def test_two_workers_in_doubt_about_one_rename_make_one_file(watched, supplier):
    row = _renaming(watched, supplier, b"whole", None)
    with lanes.enter(supplier.endpoint_id) as lane:
        (attempt,) = hands.claim(lane, Deck(lane).deal(1))
        factories.let_time_pass()
        run(supplier)
        filedrop.bring(lane, attempt)
    assert outcome(row) == ("sent", "sent")
    assert watched.arrived == [(row.final_name, bytes(row.document))]
    assert outcomes() == ["sent"]


def test_a_worker_in_doubt_that_lost_its_claim_leaves_the_file_to_the_other(watched, supplier):
    _renaming(watched, supplier, b"whole", None)
    before = files(watched)
    with lanes.enter(supplier.endpoint_id) as lane:
        (attempt,) = hands.claim(lane, Deck(lane).deal(1))
        Delivery.objects.update(claim_token="another")
        filedrop.bring(lane, attempt)
    assert files(watched) == before
    assert commands(watched, "RNTO") == []


def _rows(row):
    row.refresh_from_db()
    columns = {name: value for name, value in vars(row).items() if not name.startswith("_")}
    return columns, outcomes(), list(SupplierOrder.objects.values()), list(StaffAlert.objects.values())


def _hang(watched, supplier):
    """Start a worker's thread that waits for the server's answer, its lease run out."""
    watched.faults.add("SIZE", hang=True)

    def work():
        outbox.deliver(supplier.endpoint_id)
        connection.close()

    hanging = threading.Thread(target=work)
    hanging.start()
    wait_for(lambda: commands(watched, "SIZE"))
    factories.let_time_pass()
    return hanging


def test_a_second_thread_of_the_process_does_not_join_one_that_hangs(watched, supplier):
    row = factories.delivery(supplier)
    hanging = _hang(watched, supplier)
    assert outbox.deliver(supplier.endpoint_id) == 0
    assert hanging.is_alive()
    assert watched.logins == 1
    hanging.join()
    factories.let_time_pass()
    run(supplier)
    assert outcome(row) == ("sent", "sent")


def test_a_worker_that_hangs_is_overtaken_by_another_process_and_does_no_harm(watched, supplier, monkeypatch):
    row = factories.delivery(supplier)
    hanging = _hang(watched, supplier)
    monkeypatch.setattr(lanes, "_threads", {})  # what another process knows
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    before = _rows(row)
    hanging.join()
    assert _rows(row) == before
    assert outcomes() == ["sent"]
    assert watched.arrived == [(row.final_name, bytes(row.document))]
    assert set(files(watched)) == {row.final_name}


def test_a_wrong_password_is_tried_once(watched, supplier):
    rows = [factories.delivery(supplier) for _ in range(3)]
    Endpoint.objects.update(password="wrong-password")
    run(supplier, rounds=3)
    endpoint = Endpoint.objects.get()
    assert watched.failed_logins == 1
    assert endpoint.stopped_at
    assert "530" in endpoint.stop_reason
    assert "wrong-password" not in endpoint.stop_reason
    assert [outcome(row) for row in rows] == [("due", "")] * 3
    assert outbox.sweep() == 0
    assert alerts() == {"endpoint_stopped"}
    Endpoint.objects.update(password="right-password")
    endpoints.restart(endpoint=endpoint, by=None)
    run(supplier)
    assert [outcome(row) for row in rows] == [("sent", "sent")] * 3
    assert alerts() == set()


def test_a_server_that_is_down_costs_no_file_its_turn(watched, supplier):
    rows = [factories.delivery(supplier) for _ in range(5)]
    watched.stop()
    outbox.deliver(supplier.endpoint_id)
    endpoint = Endpoint.objects.get()
    assert endpoint.next_attempt_at > timezone.now()
    assert endpoint.attempts == 1
    assert outbox.deliver(supplier.endpoint_id) == 0
    factories.let_time_pass()
    run(supplier, rounds=5)
    assert alerts() == {"endpoint_unreachable"}
    attempts = list(Delivery.objects.order_by("pk").values_list("attempts", flat=True))
    assert attempts == [0] * 5
    watched.start()
    run(supplier)
    assert [outcome(row) for row in rows] == [("sent", "sent")] * 5
    assert alerts() == set()
    assert Endpoint.objects.get().attempts == 0


def test_a_file_is_given_up_after_the_configured_number(watched, supplier, settings):
    settings.DELIVERY_MAX_ATTEMPTS = 3
    rows = [factories.delivery(supplier) for _ in range(2)]
    watched.faults.add("STOR", reply=(452, "Disk full"), times=None)
    run(supplier, rounds=5)
    assert [outcome(row) for row in rows] == [("dead", "uploading")] * 2
    assert {row.attempts for row in rows} == {3}
    assert outcomes().count("failed") == 4
    assert outcomes().count("given_up") == 2
    assert "452 Disk full" in SupplierOrder.objects.first().attention
    assert StaffAlert.objects.filter(kind="delivery_dead").count() == 1
    watched.faults.clear()
    for row in rows:
        deliveries.retry_now(delivery=row, reason="Mended", by=None)
    run(supplier)
    assert [outcome(row) for row in rows] == [("sent", "sent")] * 2
    assert alerts() == set()
    assert set(SupplierOrder.objects.values_list("attention", flat=True)) == {""}


@pytest.mark.parametrize("fault", [None, "CONNECT", "PASS"])
def test_a_server_that_is_away_for_long_gives_no_file_up(watched, supplier, settings, fault):
    settings.DELIVERY_MAX_ATTEMPTS = 2
    rows = [factories.delivery(supplier) for _ in range(2)]
    if fault:
        watched.faults.add(fault, reply=(421, "Closing"), times=None)
    else:
        watched.stop()
    run(supplier, rounds=14)
    assert [outcome(row) for row in rows] == [("due", "")] * 2
    assert [row.attempts for row in rows] == [0, 0]
    assert outcomes() == []
    assert alerts() == {"endpoint_unreachable"}
    watched.faults.clear()
    if not fault:
        watched.start()
    run(supplier)
    assert [outcome(row) for row in rows] == [("sent", "sent")] * 2
    assert alerts() == set()


def test_the_pause_of_a_server_that_is_away_grows_to_five_minutes(watched, supplier):
    factories.delivery(supplier)
    watched.stop()
    Endpoint.objects.update(attempts=40)
    outbox.deliver(supplier.endpoint_id)
    wait = (Endpoint.objects.get().next_attempt_at - timezone.now()).total_seconds()
    assert 145 <= wait <= 300


def test_a_rename_in_doubt_waits_for_a_server_that_is_away(watched, supplier, settings):
    settings.DELIVERY_MAX_ATTEMPTS = 2
    row = _renaming(watched, supplier, None, b"whole")
    watched.stop()
    run(supplier, rounds=3)
    assert outcome(row) == ("due", "renaming")
    watched.start()
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert commands(watched, "STOR") == []


def test_a_rename_that_nobody_can_look_at_ends_as_uncertain_not_as_given_up(watched, supplier, settings):
    settings.DELIVERY_MAX_ATTEMPTS = 2
    row = _renaming(watched, supplier, None, b"whole")
    watched.faults.add("SIZE", reply=(450, "Busy"), times=None)
    run(supplier, rounds=3)
    assert outcome(row) == ("uncertain", "renaming")
    assert alerts() == {"delivery_uncertain"}


def test_a_server_that_fails_every_file_is_left_alone_for_a_while(watched, supplier):
    for _ in range(10):
        factories.delivery(supplier)
    watched.faults.add("STOR", cut="before", times=None)
    outbox.deliver(supplier.endpoint_id)
    assert len(commands(watched, "STOR")) == lanes.PATIENCE
    assert Endpoint.objects.get().next_attempt_at > timezone.now()
    assert Delivery.objects.filter(attempts=0).count() == 10 - lanes.PATIENCE


def test_a_refused_name_stops_that_file_only(watched, supplier):
    bad, good = factories.delivery(supplier), factories.delivery(supplier)
    watched.faults.add("RNTO", reply=(553, "Name not allowed"), argument=bad.final_name, times=None)
    run(supplier, rounds=2)
    assert outcome(bad) == ("dead", "uploading")
    assert outcome(good) == ("sent", "sent")
    assert set(files(watched)) == {good.final_name}
    assert "553 Name not allowed" in DeliveryAttempt.objects.get(delivery=bad).message
    assert Endpoint.objects.get().stopped_at is None


def test_a_taken_name_is_never_overwritten(watched, supplier):
    row = factories.delivery(supplier)
    (watched.orders_folder / row.final_name).write_bytes(b"somebody else's")
    run(supplier, rounds=2)
    assert outcome(row) == ("dead", "uploading")
    assert files(watched) == {row.final_name: b"somebody else's"}
    assert commands(watched, "RNTO") == []
    assert row.final_name in SupplierOrder.objects.get().attention


@pytest.mark.parametrize("options", [{"has_size": False}, {"has_size": False, "has_mlsd": False}])
def test_servers_without_size_are_asked_otherwise(tmp_path, options):
    with FtpSandbox(tmp_path / "f", "hemi", "right-password", options=FtpOptions(**options)) as server:
        supplier = factories.supplier(endpoint=factories.endpoint(server))
        rows = [factories.delivery(supplier) for _ in range(2)]
        server.faults.add("STOR", short=True)
        run(supplier, rounds=2)
        assert files(server) == {row.final_name: bytes(row.document) for row in rows}
        assert sorted(outcomes()) == ["failed", "sent", "sent"]
        sessions.kept.close_idle()


def test_a_server_that_denies_sizes_is_asked_by_listing(watched, supplier):
    watched.faults.add("SIZE", reply=(550, "Not allowed"), times=None)
    rows = [factories.delivery(supplier) for _ in range(2)]
    taken = factories.delivery(supplier)
    (watched.orders_folder / taken.final_name).write_bytes(b"somebody else's")
    run(supplier)
    assert [outcome(row) for row in rows] == [("sent", "sent")] * 2
    assert outcome(taken) == ("dead", "uploading")
    assert (watched.orders_folder / taken.final_name).read_bytes() == b"somebody else's"


@pytest.mark.parametrize(("temporary", "final"), [(b"whole", None), (None, b"whole")])
def test_a_rename_in_doubt_on_a_server_that_denies_sizes_is_found_by_listing(watched, supplier, temporary, final):
    row = _renaming(watched, supplier, temporary, final)
    watched.faults.add("SIZE", reply=(550, "Not allowed"), times=None)
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(watched) == {row.final_name: bytes(row.document)}


def test_a_delivery_that_hemi_cannot_handle_does_not_hold_up_the_others(watched, supplier):
    bad, good = factories.delivery(supplier), factories.delivery(supplier)
    Delivery.objects.filter(pk=bad.pk).update(folder="in\r\nDELE x")
    run(supplier)
    assert outcome(good) == ("sent", "sent")
    assert outcome(bad)[0] == "dead"
    assert "line break" in bad.last_error
