"""The test of an endpoint: every step told in the right words, nothing left behind, and what was found is obeyed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.models import StaffAlert
from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from suppliers import connections, due, lanes, outbox, preflight
from suppliers.models import Delivery, Endpoint, EndpointCheck
from suppliers.services import endpoints
from suppliers.tests import factories, hints
from suppliers.tests.servers import REAL, SANDBOXES, make
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[*SANDBOXES, *REAL])
def place(request, tmp_path):
    with make(request.param, tmp_path) as server:
        yield server
        sessions.kept.close_idle()


@pytest.fixture
def person(db):
    return User.objects.create_user("clerk")


def _endpoint(server, **values):
    key = {"private_key": server.private_key} if getattr(server, "has_password", True) is False else {}
    return factories.endpoint(server, **{**key, **values})


def _test(endpoint, by=None):
    check = EndpointCheck.objects.create(endpoint=endpoint, made_by=by)
    assert preflight.run(check.pk)
    check.refresh_from_db()
    endpoint.refresh_from_db()
    return check


def _steps(check):
    return {step["name"]: step["outcome"] for step in check.steps}


def _text(check, name):
    return next(step["text"] for step in check.steps if step["name"] == name)


@pytest.fixture
def friendly(tmp_path):
    """Return a maker of sandbox servers with something missing."""
    running = []

    def run(kind=FtpSandbox, **options):
        root = tmp_path / f"f{len(running)}"
        running.append(kind(root, "hemi", "right-password", options=FtpOptions(**options)).start())
        return running[-1]

    run.running = running
    yield run
    sessions.kept.close_idle()
    for server in running:
        server.stop()


def test_every_kind_of_server_passes_and_keeps_nothing(place):
    endpoint = _endpoint(place, max_sessions=2, done_suffix=".done")
    check = _test(endpoint)
    assert check.status == "passed", check.steps
    assert not {step for step, outcome in _steps(check).items() if outcome == "failed"}
    assert list(place.orders_folder.iterdir()) == []
    assert endpoint.profiled_at and abs(endpoint.profile["clock_difference"]) < 5
    found = {name: endpoint.profile[name] for name in ("has_size", "can_list", "can_delete", "max_sessions")}
    assert found == {"has_size": True, "can_list": True, "can_delete": True, "max_sessions": None}
    assert connections.server(endpoint).profile.max_sessions == 2
    assert (endpoint.claim_token, endpoint.lease_until, endpoint.attempts) == ("", None, 0)


def test_no_name_without_the_mark_ever_comes_to_be(friendly):
    for style, mark in (("suffix", ".part"), ("prefix", ".hemi-"), ("folder", "in/tmp")):
        server = friendly()
        check = _test(factories.endpoint(server, temporary_style=style, temporary_mark=mark, archive_folder="in/old"))
        assert check.status == "passed", check.steps
        paths = {entry.argument for entry in server.log if entry.command in ("STOR", "RNTO")}
        marks = {"suffix": ".part", "prefix": "/.hemi-", "folder": "in/tmp/"}
        assert paths and all(marks[style] in f"/{path}" for path in paths), paths
        assert list(server.orders_folder.rglob("*.*")) == []


@pytest.mark.parametrize("protocol", ["ftp", "sftp"])
@pytest.mark.parametrize(
    ("options", "name", "words", "learned"),
    [
        ({"can_list": False}, "List", "It lists nothing.", {"can_list": False, "has_size": True}),
        ({"allow_overwrite": False}, "Rename onto a file", "It refuses to replace", {"overwrites": False}),
        ({"has_mlsd": False}, "List", "It shows the file", {"can_list": True}),
    ],
)
def test_what_a_server_lacks_is_noted_and_obeyed(friendly, protocol, options, name, words, learned):
    endpoint = factories.endpoint(friendly(SANDBOXES[protocol], **options), replies_folder="")
    check = _test(endpoint)
    assert check.status == "passed", check.steps
    assert words in _text(check, name)
    assert learned.items() <= endpoint.profile.items()
    assert connections.server(endpoint).profile.can_list == endpoint.profile["can_list"]


def test_a_server_without_size_is_asked_by_its_listing(friendly):
    server = friendly(has_size=False, has_mlsd=False)
    supplier = factories.supplier(endpoint=factories.endpoint(server))
    check = _test(supplier.endpoint)
    assert "the listing does" in _text(check, "Size") and check.status == "passed"
    asked = len([entry for entry in server.log if entry.command == "SIZE"])
    factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    assert Delivery.objects.get().status == "sent"
    assert len([entry for entry in server.log if entry.command == "SIZE"]) == asked  # it is not asked again


@pytest.mark.parametrize(
    ("command", "skip", "name", "learned"),
    [
        ("SIZE", 0, "Size", "has_size"),
        ("RNTO", 1, "Rename onto a file", "overwrites"),
        ("LIST", 3, "List", "can_list"),
        ("DELE", 1, "Delete", "can_delete"),
    ],
)
def test_a_connection_that_is_lost_says_nothing_of_the_server(friendly, command, skip, name, learned):
    """Had it been taken for a missing listing, a server without SIZE would be stopped at the next file."""
    endpoint = _endpoint(friendly(has_size=command != "LIST", has_mlsd=False))
    assert _test(endpoint).status == "passed"
    known = endpoint.profile[learned]
    friendly.running[0].faults.add(command, cut="before", skip=skip)
    check = _test(endpoint)
    assert "connection" in _text(check, name) and _steps(check)[name] == "failed"
    assert (endpoint.profile[learned], check.status) == (known, "failed")


def test_neither_size_nor_listing_fails(friendly):
    endpoint = factories.endpoint(friendly(has_size=False, has_mlsd=False, can_list=False))
    check = _test(endpoint)
    assert (check.status, _steps(check)["Size"], _steps(check)["Delete"]) == ("failed", "failed", "passed")


@pytest.mark.parametrize(
    ("command", "reply", "name", "words"),
    [
        ("STOR", (552, "Quota exceeded"), "Write a file", "552 Quota exceeded"),
        ("RNTO", (550, "No renaming here"), "Rename", "550 No renaming here"),
    ],
)
def test_each_refusal_is_told_in_the_servers_words(friendly, command, reply, name, words):
    server = friendly()
    server.faults.add(command, reply=reply, times=None)
    endpoint = factories.endpoint(server)
    check = _test(endpoint)
    assert (check.status, _steps(check)[name]) == ("failed", "failed")
    assert words in _text(check, name)
    assert list(server.orders_folder.iterdir()) == []
    assert endpoint.stopped_at is None
    assert _text(check, "Clock") == "There is no file to try it with."


def test_a_name_that_is_too_long_is_told_from_a_folder_that_takes_nothing(friendly):
    server = friendly()
    server.faults.add("STOR", argument="ORDER_HM", reply=(553, "Name too long"), times=None)
    check = _test(factories.endpoint(server))
    assert (_steps(check)["Write a file"], _steps(check)["File name"]) == ("passed", "failed")
    assert "Shorten the file name" in _text(check, "File name") and "553 Name too long" in _text(check, "File name")


def test_a_server_that_does_not_delete_is_not_littered_every_day(friendly, person):
    server = friendly()
    server.faults.add("DELE", reply=(550, "Not here"), times=None)
    endpoint = factories.endpoint(server)
    assert _steps(_test(endpoint))["Delete"] == "noted"
    left = len(list(server.orders_folder.iterdir()))
    daily = _test(endpoint)
    assert (daily.status, _steps(daily)["Write a file"], endpoint.profile["can_delete"]) == ("passed", "skipped", False)
    assert len(list(server.orders_folder.iterdir())) == left
    assert _steps(_test(endpoint, person))["Write a file"] == "passed"


def test_a_server_that_stumbles_over_several_commands_gets_one_after_the_other(friendly):
    server = friendly()
    server.faults.add("RNTO", argument="g.part", cut="before")  # the rename that leaves together with an upload
    supplier = factories.supplier(endpoint=factories.endpoint(server))
    check = _test(supplier.endpoint)
    assert (check.status, _steps(check)["Several commands at once"]) == ("passed", "noted")
    assert list(server.orders_folder.iterdir()) == []
    assert not connections.server(supplier.endpoint).profile.can_pipeline


def test_missing_folders_of_replies_and_archive_are_named(friendly):
    endpoint = factories.endpoint(
        friendly(), replies_folder="nowhere", after_reading="archive", archive_folder="out/old", unreadable_folder="bad"
    )
    check = _test(endpoint)
    assert check.status == "failed"
    assert "“out/old”" in _text(check, "Folders for read replies") and "“bad”" in _text(
        check, "Folders for read replies"
    )
    assert "“nowhere”" in _text(check, "Folder of replies")


def test_a_clock_that_is_wrong_is_noted(friendly):
    server = friendly(has_mlsd=False)
    server.faults.add("MDTM", reply=(213, "20200101000000"), times=None)
    endpoint = factories.endpoint(server)
    assert _steps(_test(endpoint))["Clock"] == "noted"
    assert endpoint.profile["clock_difference"] < -100_000_000


def test_a_refused_login_is_tried_once_and_stops_the_endpoint(friendly):
    server = friendly()
    endpoint = factories.endpoint(server, password="wrong-password")
    check = _test(endpoint)
    assert (check.status, server.failed_logins, server.logins) == ("failed", 1, 0)
    assert (_steps(check)["Identity"], _steps(check)["Log in"]) == ("noted", "failed")
    assert "15 more were not tried" in _text(check, "All further steps") and "Write a file" not in _steps(check)
    assert "wrong-password" not in str(check.steps)
    assert endpoint.stopped_at and endpoint.profile == {} and endpoint.profiled_at is None
    assert StaffAlert.objects.get().kind == "endpoint_stopped"
    assert preflight.sweep() == 0  # a stopped one is not tested by the clock


class TestIdentity:
    def test_nothing_is_said_before_a_person_confirms(self, tmp_path, person):
        with make("sftp", tmp_path) as server:
            endpoint = factories.endpoint(server, host_identity="")
            check = _test(endpoint, person)
            assert (check.status, _steps(check)["Connect"], _steps(check)["Identity"]) == ("failed", "passed", "failed")
            assert server.identity in _text(check, "Identity")
            assert (server.logins, server.failed_logins) == (0, 0)
            assert (endpoint.offered_identity, endpoint.stopped_at) == (server.identity, None)
            assert not StaffAlert.objects.exists()
            endpoints.confirm_identity(endpoint=endpoint, shown=server.identity, by=person)
            assert _test(endpoint, person).status == "passed"
            assert (endpoint.identity_confirmed_by, endpoint.offered_identity) == (person, "")
            assert endpoint.identity_confirmed_at

    def test_another_key_stops_and_the_new_one_can_be_confirmed(self, tmp_path, person):
        with make("sftp", tmp_path) as server:
            supplier = factories.supplier(endpoint=factories.endpoint(server, host_identity="SHA256:" + "A" * 43))
            factories.delivery(supplier)
            outbox.deliver(supplier.endpoint_id)
            endpoint = Endpoint.objects.get()
            assert endpoint.stopped_at and endpoint.offered_identity == server.identity
            assert StaffAlert.objects.get().kind == "endpoint_stopped"
            with pytest.raises(endpoints.Refused, match="Confirm its identity first"):
                endpoints.restart(endpoint=endpoint, by=person)
            with pytest.raises(endpoints.Refused, match="yet another"):
                endpoints.confirm_identity(endpoint=endpoint, shown="SHA256:" + "B" * 43, by=person)
            assert server.logins == 0
            endpoints.confirm_identity(endpoint=endpoint, shown=server.identity, by=person)
            outbox.deliver(supplier.endpoint_id)
            assert Delivery.objects.get().status == "sent"

    def test_a_certificate_without_an_authority_is_pinned(self, tmp_path, person):
        with make("ftps", tmp_path) as server:
            endpoint = factories.endpoint(server, host_identity="")
            check = _test(endpoint, person)
            assert "certificate" in _text(check, "Identity") and server.logins + server.failed_logins == 0
            assert endpoint.needs_identity and endpoint.offered_identity == server.identity
            endpoints.confirm_identity(endpoint=endpoint, shown=endpoint.offered_identity, by=person)
            assert _test(endpoint, person).status == "passed"
            sessions.kept.close_idle()

    @pytest.mark.parametrize(
        ("typed", "is_same"),
        [
            ("SHA256:" + "00:FF" * 16, True),
            ("sha256:" + "00FF" * 16, True),
            ("00ff" * 16, True),
            ("SHA256:AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8", True),
            ("SHA256:AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP4", False),
            ("MD5:00:ff", False),
            ("", False),
        ],
    )
    def test_a_fingerprint_may_be_written_in_hex_or_base64(self, typed, is_same):
        shown = "SHA256:" + ":".join(["00", "FF"] * 16)
        assert endpoints.is_same(typed.replace("00:FF" * 16, ":".join(["00:FF"] * 16)), shown) is is_same


class TestLane:
    def test_a_test_waits_for_whoever_is_at_work_and_goes_next(self, friendly):
        endpoint = factories.endpoint(friendly())
        check = EndpointCheck.objects.create(endpoint=endpoint)
        with lanes.enter(endpoint.pk):
            assert not preflight.run(check.pk)
        check.refresh_from_db()
        assert (check.status, check.steps, check.lease_until) == ("waiting", [], None)
        hints.sent()
        outbox.deliver(endpoint.pk)
        assert hints.sent() == {("suppliers.check_endpoint", check.pk)}
        assert preflight.run(check.pk)

    def test_a_stopped_endpoint_can_be_tested_and_stays_stopped(self, friendly, person):
        endpoint = factories.endpoint(friendly(), stopped_at=timezone.now(), stop_reason="530")
        assert _test(endpoint, person).status == "passed"
        assert endpoint.stopped_at and due.waiting_check(endpoint.pk) is None

    def test_one_that_was_left_alone_may_send_a_file_at_once(self, friendly, person):
        later = timezone.now() + timedelta(minutes=5)
        endpoint = factories.endpoint(friendly(), opened_at=timezone.now(), next_attempt_at=later)
        assert _test(endpoint, person).status == "passed"
        assert endpoint.opened_at and endpoint.next_attempt_at <= timezone.now()

    def test_a_person_who_knows_that_the_server_is_back_need_not_wait(self, friendly, person):
        later = timezone.now() + timedelta(minutes=5)
        supplier = factories.supplier(endpoint=factories.endpoint(friendly(), opened_at=timezone.now()))
        factories.delivery(supplier)
        Endpoint.objects.update(next_attempt_at=later, attempts=4)
        assert outbox.deliver(supplier.endpoint_id) == 0
        endpoints.restart(endpoint=supplier.endpoint, by=person)
        assert Endpoint.objects.get().opened_at and outbox.deliver(supplier.endpoint_id) == 1
        assert (Endpoint.objects.get().opened_at, Delivery.objects.get().status) == (None, "sent")

    def test_a_test_whose_worker_died_is_taken_up_again_and_cleared_away(self, friendly):
        server = friendly()
        endpoint = factories.endpoint(server)
        past = timezone.now() - timedelta(seconds=1)
        check = EndpointCheck.objects.create(
            endpoint=endpoint, steps=[{"name": "Size"}], claim_token="x", lease_until=past
        )
        left = server.orders_folder / f"ORDER_HM000000000-ABCDEFGHIJKL-999.xml.test{check.pk:07d}a.part"
        left.write_text("x")
        assert preflight.run(check.pk)
        check.refresh_from_db()
        assert check.status == "passed" and list(server.orders_folder.iterdir()) == []

    @pytest.mark.parametrize("allow_overwrite", [True, False])
    def test_whatever_a_dead_worker_left_is_cleared_away_within_minutes(self, friendly, allow_overwrite):
        server = friendly(allow_overwrite=allow_overwrite)
        (server.orders_folder.parent / "out/old").mkdir()
        endpoint = factories.endpoint(server, after_reading="archive", archive_folder="out/old", done_suffix=".done")
        first = _test(endpoint)
        done = [(entry.command, entry.argument) for entry in server.log if entry.code in (226, 250, 350)]
        changes = [change for change in done if change[0] in ("STOR", "RNFR", "RNTO", "DELE")]
        assert first.status == "passed" and len(changes) > 15
        for count in range(1, len(changes)):
            check = _died(endpoint)
            _leave(server, changes[:count], f"test{first.pk:07d}", f"test{check.pk:07d}")
            assert preflight.sweep() == 1 and preflight.run(check.pk)  # each five seconds, once the lease has run out
            check.refresh_from_db()
            assert _steps(check) == _steps(first), (changes[count - 1], check.steps)
            assert [path for path in server.orders_folder.parent.rglob("*") if path.is_file()] == [], changes[count - 1]


def _died(endpoint):
    """Leave a test as a worker that was killed leaves it; its lease, of two minutes at most, has run out."""
    past, token = timezone.now() - timedelta(seconds=1), "dead" * 8
    Endpoint.objects.filter(pk=endpoint.pk).update(claim_token=token, lease_until=past)
    return EndpointCheck.objects.create(endpoint=endpoint, claim_token=token, lease_until=past, attempts=1)


def _leave(server, changes, former, number):
    """Leave the files on the server that a test leaves after these changes."""
    there, renamed = set(), ""
    for command, path in changes:
        if command == "RNFR":
            renamed = path
        elif command == "DELE":
            there.discard(path)
        else:
            there = there - {renamed if command == "RNTO" else ""} | {path}
    for name in (path.replace(former, number) for path in there):
        (server.orders_folder.parent / name).write_bytes(b"left")


class TestSessions:
    def test_as_many_as_the_server_lets_in_are_used(self, friendly):
        server = friendly()
        server.faults.add("PASS", reply=(530, "Too many connections"), skip=2)
        endpoint = factories.endpoint(server, max_sessions=5)
        check = _test(endpoint)
        assert (check.status, _steps(check)["Sessions at once"]) == ("passed", "noted")
        assert "2 of 5" in _text(check, "Sessions at once")
        assert connections.server(endpoint).profile.max_sessions == 2
        assert endpoint.stopped_at is None

    def test_a_server_that_is_full_is_asked_again_and_not_for_ever(self, friendly):
        server = friendly()
        server.faults.add("PASS", reply=(530, "Too many connections"), times=None)
        endpoint = factories.endpoint(server, offered_identity="SHA256:x")
        check = EndpointCheck.objects.create(endpoint=endpoint)
        tries = 0
        while not preflight.run(check.pk):
            check.refresh_from_db()
            assert check.next_attempt_at > timezone.now() and check.status == "waiting"
            EndpointCheck.objects.update(next_attempt_at=timezone.now())
            tries += 1
        check.refresh_from_db()
        endpoint.refresh_from_db()
        asked = [entry for entry in server.log if entry.command == "PASS"]
        assert (check.status, tries, len(asked)) == ("failed", 4, 5)
        assert "Too many connections" in _text(check, "Log in")
        assert (endpoint.stopped_at, endpoint.offered_identity) == (None, "SHA256:x")


class TestEveryDay:
    def test_each_endpoint_is_tested_once_a_day_at_its_own_time(self, friendly):
        endpoint = factories.endpoint(friendly())
        Endpoint.objects.update(next_check_at=timezone.now())
        assert (preflight.sweep(), preflight.sweep(), EndpointCheck.objects.count()) == (1, 1, 1)
        preflight.run(EndpointCheck.objects.get().pk)
        endpoint.refresh_from_db()
        assert timedelta(0) < endpoint.next_check_at - timezone.now() <= timedelta(days=1)
        assert (preflight.sweep(), EndpointCheck.objects.count()) == (0, 1)

    @pytest.mark.parametrize(
        "values",
        [
            {"is_active": False},
            {"stopped_at": timezone.now()},
            {"opened_at": timezone.now()},
            {"protocol": "sftp", "host_identity": ""},
            {"next_check_at": timezone.now() + timedelta(hours=1)},
        ],
    )
    def test_where_a_login_would_be_too_much_there_is_none(self, values):
        factories.endpoint(**{"next_check_at": timezone.now(), **values})
        assert preflight.sweep() == 0

    def test_staff_hear_of_a_failure_once_and_of_its_end(self, friendly):
        server = friendly()
        endpoint = factories.endpoint(server)
        server.stop()
        for _ in range(2):
            assert _test(endpoint).status == "failed"
        assert endpoint.next_check_at <= timezone.now() + timedelta(hours=1)
        assert endpoint.stopped_at is None
        alert = StaffAlert.objects.get()
        assert (alert.kind, alert.cleared_at) == ("endpoint_check", None)
        assert "Connect" in alert.text
        server.start()
        _test(endpoint)
        alert.refresh_from_db()
        assert alert.cleared_at and "passed again" in alert.over
