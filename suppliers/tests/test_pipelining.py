"""Several commands at once: what arrives, and what is said when the connection is cut after any of them."""

import pytest

from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from suppliers.tests.servers import LARGE, SMALL, ordered, rename, upload
from suppliers.tests.test_ftp import where
from suppliers.transports import pipelining
from suppliers.transports.errors import Kind
from suppliers.transports.ftp import FtpSession
from suppliers.transports.session import Profile
from suppliers.transports.steps import Rename, Upload


@pytest.fixture
def session(server):
    session = FtpSession(where(server, connect_timeout=1, data_timeout=1))
    yield session
    session.close()


def sent(server):
    return [entry.command for entry in server.log]


@pytest.mark.parametrize("content", [SMALL, LARGE, b""])
def test_one_file_is_renamed_while_the_next_is_uploaded(server, session, content):
    line = pipelining.line(session)
    first = line.step(None, upload(1, content))
    second = line.step(rename(1), upload(2, content))
    last = line.step(rename(2), None)
    assert (first.size, second.size, first.is_taken) == (len(content), len(content), False)
    assert [done.rename_error or done.upload_error for done in (first, second, last)] == [None] * 3
    assert ordered(server) == {"1.xml": content, "2.xml": content}
    steps = sent(server)[sent(server).index("EPSV") :]
    each = ["STOR", "SIZE", "SIZE", "EPSV"]
    assert steps == ["EPSV", *each, "RNFR", "RNTO", *each, "RNFR", "RNTO"]


def test_a_name_that_is_taken_is_seen(server, session):
    (server.orders_folder / "1.xml").write_bytes(b"somebody else's")
    assert pipelining.line(session).step(None, upload(1)).is_taken


def test_a_server_that_wants_one_thing_after_the_other_gets_it_so(server):
    session = FtpSession(where(server, profile=Profile(can_pipeline=False)))
    line = pipelining.line(session)
    line.step(None, upload(1))
    line.step(rename(1), upload(2))
    session.close()
    assert [command for command in sent(server) if command in ("STOR", "RNTO")] == ["STOR", "RNTO", "STOR"]
    assert sent(server).count("EPSV") == 2


@pytest.mark.parametrize("options", [{"has_size": False}, {"has_size": False, "has_mlsd": False}])
def test_a_server_without_sizes_is_asked_in_other_ways(tmp_path, options):
    with FtpSandbox(tmp_path / "f", "hemi", "right-password", options=FtpOptions(**options)) as server:
        session = FtpSession(where(server))
        line = pipelining.line(session)
        (server.orders_folder / "2.xml").write_bytes(b"somebody else's")
        first, second = line.step(None, upload(1)), line.step(rename(1), upload(2))
        session.close()
    assert (first.size, first.is_taken, first.upload_error) == (len(SMALL), False, None)
    assert (second.size, second.is_taken, second.rename_error) == (len(SMALL), True, None)


CUTS = [(command, cut) for command in ("RNFR", "RNTO", "STOR", "SIZE", "EPSV") for cut in ("before", "after")]


@pytest.mark.parametrize(("command", "cut"), [*CUTS, ("STOR", "during")])
def test_a_cut_says_whether_the_rename_is_in_doubt_and_never_that_the_file_is_whole(server, session, command, cut):
    line = pipelining.line(session)
    line.step(None, upload(1))
    server.faults.add(command, cut=cut)
    done = line.step(rename(1), upload(2))
    if command in ("RNFR", "RNTO"):
        assert done.rename_error.kind == Kind.UNCERTAIN
    else:
        assert done.rename_error is None
        assert "1.xml" in ordered(server)
    assert command == "EPSV" or (done.upload_error.kind == Kind.TEMPORARY and done.size is None)
    assert session.is_broken
    assert "2.xml" not in ordered(server)


REFUSALS = [
    ("RNFR", (550, "No such file"), Kind.TEMPORARY, None),
    ("RNTO", (553, "Not allowed"), Kind.FILE, None),
    ("STOR", (553, "Not allowed"), None, Kind.FILE),
    ("STOR", (452, "Disk full"), None, Kind.TEMPORARY),
    ("SIZE", (450, "Busy"), None, Kind.TEMPORARY),
]


@pytest.mark.parametrize(("command", "reply", "rename_kind", "upload_kind"), REFUSALS)
@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_a_refusal_concerns_its_own_command_only(server, session, command, reply, rename_kind, upload_kind, content):
    line = pipelining.line(session)
    line.step(None, upload(1, content))
    server.faults.add(command, reply=reply)
    done = line.step(rename(1), upload(2, content))
    assert (done.rename_error and done.rename_error.kind) == rename_kind
    assert (done.upload_error and done.upload_error.kind) == upload_kind
    after = line.step(None, upload(3, content))
    assert (after.upload_error, after.size) == (None, len(content))
    assert ordered(server)["3.part"] == content


def test_a_size_that_is_no_number_is_looked_up_elsewhere(server, session):
    line = pipelining.line(session)
    server.faults.add("SIZE", reply=(213, "many bytes"))
    done = line.step(None, upload(1))
    assert (done.upload_error, done.size, done.is_taken) == (None, len(SMALL), False)
    assert line.step(rename(1), upload(2)).size == len(SMALL)


@pytest.mark.parametrize(("reply", "late"), [((452, "Disk full"), True), ((426, "Aborted"), True)])
def test_a_refusal_at_the_end_of_an_upload_is_heard(server, session, reply, late):
    line = pipelining.line(session)
    server.faults.add("STOR", reply=reply, late=late)
    assert line.step(None, upload(1)).upload_error.kind == Kind.TEMPORARY
    assert line.step(None, upload(2)).size == len(SMALL)


def test_a_server_that_closes_at_the_rename_leaves_it_in_doubt(server, session):
    line = pipelining.line(session)
    line.step(None, upload(1))
    server.faults.add("RNTO", reply=(421, "Closing"), late=True)
    assert line.step(rename(1), None).rename_error.kind == Kind.UNCERTAIN
    assert session.is_broken


def test_a_data_channel_that_nobody_answers_is_given_up_in_time(server, session):
    line = pipelining.line(session)
    server.faults.add("STOR", hang=True, late=True)
    done = line.step(None, upload(1))
    assert "timed out" in done.upload_error.message or "in time" in done.upload_error.message
    assert session.is_broken


def test_a_line_break_in_a_name_never_reaches_the_server(server, session):
    line = pipelining.line(session)
    bad = Upload("in/x\r\nDELE y", "in/x.xml", SMALL)
    assert line.step(None, bad).upload_error.kind == Kind.FILE
    assert line.step(Rename("in/a", "in/b\r\nDELE y"), None).rename_error.kind == Kind.FILE
    both = line.step(Rename("in/a", "in/b\r\nDELE y"), upload(1))
    assert (both.rename_error.kind, both.size) == (Kind.FILE, len(SMALL))
    assert "DELE" not in sent(server)


@pytest.mark.parametrize("fault", [{"reply": (425, "No port")}, {"cut": "before"}, {"cut": "after"}])
def test_a_rename_whose_upload_could_not_begin_is_done_or_said_not_to_be(server, session, fault):
    session.upload("in/1.part", SMALL)
    server.faults.add("EPSV", **fault)
    done = pipelining.line(session).step(rename(1), upload(2))
    assert done.upload_error.kind == Kind.TEMPORARY
    is_renamed = set(ordered(server)) == {"1.xml"}
    assert (done.rename_error is None) == is_renamed == ("reply" in fault)


def test_what_else_the_session_transfers_does_not_mislead_the_next_upload(server, session):
    line = pipelining.line(session)
    assert line.step(None, upload(1)).size == len(SMALL)
    session.listing("in")
    session.upload("in/other.xml", SMALL)
    assert line.step(rename(1), upload(2)).size == len(SMALL)
