"""Several sessions at one endpoint, and many endpoints at once: fast where it may be, and never one too many."""

import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import StaffAlert
from sandbox.ftp import FtpSandbox
from suppliers import lanes, outbox, rounds
from suppliers.models import Delivery, DeliveryAttempt, Endpoint
from suppliers.tests import factories, hints
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)


def files(server):
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir()}


def logins(server):
    return [entry for entry in server.log if entry.command == "PASS"]


def users(server):
    return {entry.session for entry in server.log if entry.command == "STOR"}


@pytest.fixture
def wide(supplier):
    """A supplier whose server takes four sessions at once."""
    Endpoint.objects.update(max_sessions=4)
    return supplier


@pytest.fixture
def slow(server):
    """Let an upload take as long as a far server's would."""
    server.on_arrival = lambda path: time.sleep(0.003)
    return server


def test_many_files_go_over_as_many_sessions_as_the_endpoint_allows_each_once(slow, wide):
    rows = [factories.delivery(wide) for _ in range(45)]
    assert outbox.deliver(wide.endpoint_id) == 45
    assert files(slow) == {row.final_name: bytes(row.document) for row in rows}
    assert set(Delivery.objects.values_list("status", "step", "attempts")) == {("sent", "sent", 1)}
    assert DeliveryAttempt.objects.count() == 45
    assert 2 <= len(users(slow)) <= 4
    assert len(logins(slow)) <= 4
    before = len(logins(slow))
    factories.delivery(wide)
    outbox.deliver(wide.endpoint_id)
    assert len(logins(slow)) == before


@pytest.mark.parametrize(("seconds", "most"), [(60, 2), (0.0001, 4)])
def test_more_than_two_sessions_are_for_servers_that_let_wait(slow, wide, monkeypatch, seconds, most):
    monkeypatch.setattr(rounds, "SLOW_SECONDS", seconds)
    for _ in range(60):
        factories.delivery(wide)
    assert outbox.deliver(wide.endpoint_id) == 60
    assert 2 <= len(users(slow)) <= most
    assert len(logins(slow)) == len(users(slow)) or most == 4


def test_few_files_need_one_session(server, wide):
    for _ in range(5):
        factories.delivery(wide)
    outbox.deliver(wide.endpoint_id)
    assert len(logins(server)) == 1


def test_a_wrong_password_is_tried_once_by_all_sessions_together(server, wide):
    for _ in range(30):
        factories.delivery(wide)
    Endpoint.objects.update(password="wrong-password")
    for _ in range(3):
        outbox.deliver(wide.endpoint_id)
        factories.let_time_pass()
    assert (server.failed_logins, Endpoint.objects.get().stopped_at is None) == (1, False)
    assert set(Delivery.objects.values_list("status", "step", "attempts")) == {("due", "", 0)}


@pytest.mark.parametrize("reply", [(530, "Login incorrect"), (421, "Too many connections"), (530, "Too many users")])
def test_a_second_login_that_is_refused_while_another_session_lives_means_fewer_sessions(slow, wide, reply):
    rows = [factories.delivery(wide) for _ in range(45)]
    slow.faults.add("PASS", reply=reply, skip=1, times=None)
    assert outbox.deliver(wide.endpoint_id) == 45
    assert files(slow) == {row.final_name: bytes(row.document) for row in rows}
    endpoint = Endpoint.objects.get()
    assert (endpoint.stopped_at, endpoint.opened_at, endpoint.attempts) == (None, None, 0)
    assert set(DeliveryAttempt.objects.values_list("outcome", flat=True)) == {"sent"}
    assert len(users(slow)) == 1
    assert not StaffAlert.objects.exists()


@pytest.mark.parametrize("command", ["STOR", "RNTO", "EPSV", "SIZE"])
def test_a_session_that_the_server_closes_is_no_error_of_the_files(slow, wide, command):
    rows = [factories.delivery(wide) for _ in range(45)]
    slow.faults.add(command, reply=(421, "Closing this one"), skip=20)
    for _ in range(4):
        outbox.deliver(wide.endpoint_id)
        factories.let_time_pass()
    assert files(slow) == {row.final_name: bytes(row.document) for row in rows}
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


@pytest.mark.parametrize("command", ["STOR", "RNFR", "RNTO", "SIZE"])
def test_cuts_among_several_sessions_lose_and_double_nothing(slow, wide, command):
    arrived = []
    slow.on_arrival = lambda path: path.suffix == ".xml" and arrived.append(path.name)
    rows = [factories.delivery(wide) for _ in range(45)]
    for skip in (3, 15, 30):
        slow.faults.add(command, cut="after", skip=skip)
    for _ in range(6):
        outbox.deliver(wide.endpoint_id)
        factories.let_time_pass()
    assert files(slow) == {row.final_name: bytes(row.document) for row in rows}
    assert sorted(arrived) == sorted(row.final_name for row in rows)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


def test_a_lost_lane_stops_all_sessions(slow, wide, monkeypatch):
    monkeypatch.setattr(lanes, "RENEW_SECONDS", 0)
    for _ in range(60):
        factories.delivery(wide)

    taken = []

    def take_over(path):
        time.sleep(0.003)
        if len(files(slow)) > 25 and not taken:
            taken.append(path)
            Endpoint.objects.update(claim_token="another")
            connection.close()

    slow.on_arrival = take_over
    outbox.deliver(wide.endpoint_id)
    assert Delivery.objects.exclude(status="sent").count() > 0
    assert Endpoint.objects.get().claim_token == "another"
    Endpoint.objects.update(claim_token="", lease_until=None)
    slow.on_arrival = lambda path: None
    factories.let_time_pass()
    for _ in range(3):
        outbox.deliver(wide.endpoint_id)
        factories.let_time_pass()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert {name for name in files(slow) if not name.endswith(".xml")} == set()


def test_a_hung_and_a_refusing_endpoint_do_not_slow_the_others(tmp_path):
    servers = [FtpSandbox(tmp_path / str(number), "hemi", "right-password").start() for number in range(6)]
    suppliers = [factories.supplier(endpoint=factories.endpoint(server)) for server in servers]
    for supplier in suppliers:
        for _ in range(6):
            factories.delivery(supplier)
    Endpoint.objects.update(data_timeout=1)
    servers[0].faults.add("STOR", hang=True, times=None)
    Endpoint.objects.filter(pk=suppliers[1].endpoint_id).update(password="wrong-password")
    ended = {}

    def work(supplier):
        outbox.deliver(supplier.endpoint_id)
        ended[supplier.pk] = time.monotonic()
        connection.close()

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=[supplier]) for supplier in suppliers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    healthy = [supplier.pk for supplier in suppliers[2:]]
    assert max(ended[pk] for pk in healthy) < ended[suppliers[0].pk]
    assert min(ended.values()) - began < 1 < ended[suppliers[0].pk] - began
    assert Delivery.objects.filter(status="sent").count() == 24
    assert servers[1].failed_logins == 1
    for server in servers:
        server.stop()
    sessions.kept.close_idle()


def test_many_kicks_and_thousands_of_files_are_one_task_an_endpoint(server, supplier):
    for _ in range(50):
        factories.delivery(supplier)
    hints.sent()
    assert outbox.sweep() == 1
    outbox.sweep()
    assert hints.sent() == {("suppliers.deliver", supplier.endpoint_id)}


def alerts():
    return set(StaffAlert.objects.filter(cleared_at=None).values_list("kind", flat=True))


def test_the_breaker_opens_lets_one_file_through_and_closes(server, supplier):
    rows = [factories.delivery(supplier) for _ in range(12)]
    server.stop()
    for number in range(lanes.OPENS_AFTER):
        assert (Endpoint.objects.get().opened_at is None, alerts()) == (True, set()), number
        outbox.deliver(supplier.endpoint_id)
        factories.let_time_pass()
    assert Endpoint.objects.get().opened_at is not None
    assert alerts() == {"endpoint_unreachable"}
    server.start()
    server.faults.add("STOR", reply=(452, "Disk full"), times=None)
    before = Endpoint.objects.get().opened_at
    outbox.deliver(supplier.endpoint_id)
    server.faults.clear()
    assert [entry.command for entry in server.log].count("STOR") == 1
    assert Endpoint.objects.get().opened_at == before
    factories.let_time_pass()
    outbox.deliver(supplier.endpoint_id)
    endpoint = Endpoint.objects.get()
    assert (endpoint.opened_at, endpoint.attempts, alerts()) == (None, 0, set())
    assert [name for name in (row.final_name for row in rows) if name not in files(server)] == []


def test_a_half_open_breaker_sends_one_file_before_the_others(server, supplier):
    for _ in range(12):
        factories.delivery(supplier)
    Endpoint.objects.update(opened_at=timezone.now(), attempts=4, max_sessions=4)
    outbox.deliver(supplier.endpoint_id)
    commands = [entry.command for entry in server.log if entry.command in ("STOR", "RNTO")]
    assert commands[:3] == ["STOR", "RNTO", "STOR"]
    assert Delivery.objects.filter(status="sent").count() == 12


def test_a_group_in_renaming_keeps_its_claims_while_a_former_runs_files_are_brought(server, supplier, monkeypatch):
    monkeypatch.setattr(lanes, "RENEW_SECONDS", 0)
    monkeypatch.setattr(rounds, "RENEW_SECONDS", 0)
    for _ in range(rounds.FIRST):
        factories.delivery(supplier)
    left = [factories.killed(factories.delivery(supplier), step="uploading", temporary_name=f"{n}.part") for n in "ab"]
    seen = []

    def look(path):
        if any(path.name.startswith(row.final_name) for row in left):
            seen.append(Delivery.objects.filter(step="renaming").exclude(pk__in=[row.pk for row in left]))
            seen[-1] = sorted(seen[-1].values_list("lease_until", flat=True))
            connection.close()

    server.on_arrival = look
    outbox.deliver(supplier.endpoint_id)
    assert len(seen[0]) == rounds.FIRST
    assert seen[0][0] < seen[2][0]
