"""Several SFTP requests at once: what arrives, and what is said when one is refused or the connection is cut."""

import pytest

from sandbox.sftp import SftpSandbox
from suppliers.tests.servers import LARGE, SMALL, make, ordered, rename, upload, where
from suppliers.transports import pipelining
from suppliers.transports.errors import Kind
from suppliers.transports.opening import open_session
from suppliers.transports.session import Profile
from suppliers.transports.sftp_line import SftpLine
from suppliers.transports.steps import PlainLine, Rename, Upload


@pytest.fixture
def server(tmp_path):
    with SftpSandbox(tmp_path / "f", "hemi", "right-password") as server:
        yield server


@pytest.fixture
def session(server):
    session = open_session(where(server))
    yield session
    session.close()


def kinds(done):
    return [error and error.kind for error in (done.rename_error, done.upload_error)]


@pytest.mark.parametrize("content", [SMALL, LARGE, b""])
@pytest.mark.parametrize("kind", ["sftp", "sshd"])
def test_one_file_is_renamed_while_the_next_is_uploaded(kind, tmp_path, content):
    with make(kind, tmp_path) as server:
        session = open_session(where(server))
        line = pipelining.line(session)
        assert isinstance(line, SftpLine)
        steps = [line.step(None, upload(1, content)), line.step(rename(1), upload(2, content))]
        steps.append(line.step(rename(2), None))
        session.close()
        assert [kinds(done) for done in steps] == [[None, None]] * 3
        assert [(done.size, done.is_taken) for done in steps] == [(len(content), False)] * 2 + [(None, False)]
        assert ordered(server) == {"1.xml": content, "2.xml": content}


def test_a_rename_whose_reply_is_lost_is_in_doubt_though_it_was_done(server, session):
    line = pipelining.line(session)
    line.step(None, upload(1))
    server.faults.add("RENAME", cut="after")
    assert kinds(line.step(rename(1), upload(2))) == [Kind.UNCERTAIN, Kind.TEMPORARY]
    assert ordered(server) == {"1.xml": SMALL}


def test_a_name_that_is_taken_is_seen_and_not_replaced(server, session):
    (server.orders_folder / "1.xml").write_bytes(b"somebody else's")
    line = pipelining.line(session)
    assert line.step(None, upload(1)).is_taken
    assert line.step(rename(1), None).rename_error.step == "rename"
    assert ordered(server) == {"1.part": SMALL, "1.xml": b"somebody else's"}


@pytest.mark.parametrize("profile", [{"can_pipeline": False}, {"has_size": False}])
def test_a_server_that_wants_one_thing_after_the_other_gets_it_so(server, profile):
    session = open_session(where(server, profile=Profile(**profile)))
    line = pipelining.line(session)
    assert isinstance(line, PlainLine) == ("can_pipeline" in profile)
    assert line.step(None, upload(1)).size == len(SMALL)
    assert line.step(rename(1), upload(2)).size == len(SMALL)
    session.close()
    moving = [entry.command for entry in server.log if entry.command in ("OPEN", "CLOSE", "RENAME")]
    assert moving[:3] == ["OPEN", "CLOSE", "RENAME"]
    assert ordered(server) == {"1.xml": SMALL, "2.part": SMALL}


CUTS = [(command, cut) for command in ("OPEN", "WRITE", "CLOSE", "STAT", "RENAME") for cut in ("before", "after")]


@pytest.mark.parametrize(("command", "cut"), [*CUTS, ("WRITE", "during")])
def test_a_cut_says_whether_the_rename_is_in_doubt_and_never_that_the_file_is_whole(server, session, command, cut):
    line = pipelining.line(session)
    line.step(None, upload(1))
    server.faults.add(command, cut=cut)
    done = line.step(rename(1), upload(2))
    assert done.upload_error.kind == Kind.TEMPORARY and done.size is None
    assert session.is_broken
    assert "2.xml" not in ordered(server)
    if done.rename_error is None:
        assert "1.xml" in ordered(server)
    else:
        assert done.rename_error.kind == Kind.UNCERTAIN
        assert command in ("RENAME", "OPEN")


REFUSALS = [
    ("RENAME", (4, "Failure"), 0),
    ("OPEN", (3, "Permission denied"), 1),
    ("WRITE", (14, "No space left"), 1),
    ("CLOSE", (15, "Quota exceeded"), 1),
    ("STAT", (4, "Failure"), 1),
]


@pytest.mark.parametrize(("command", "reply", "which"), REFUSALS)
@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_a_refusal_concerns_its_own_request_only(server, session, command, reply, which, content):
    line = pipelining.line(session)
    line.step(None, upload(1, content))
    server.faults.add(command, reply=reply)
    done = line.step(rename(1), upload(2, content))
    told = kinds(done)
    assert told[which] and not told[1 - which]
    after = line.step(None, upload(3, content))
    assert (after.upload_error, after.size, session.is_broken) == (None, len(content), False)
    assert ordered(server)["3.part"] == content


def test_a_file_that_is_not_seen_yet_while_it_is_closed_is_looked_for_once_more(server, session):
    server.faults.add("STAT", reply=(2, "No such file"), argument=".part")
    done = pipelining.line(session).step(None, upload(1))
    assert (done.upload_error, done.size, done.is_taken) == (None, len(SMALL), False)
    assert [entry.command for entry in server.log].count("STAT") > 2


def test_a_rename_that_the_server_does_not_know_is_asked_for_in_another_way(server, session):
    line = pipelining.line(session)
    line.step(None, upload(1))
    server.faults.add("RENAME", reply=(8, "Not supported"))
    assert kinds(line.step(rename(1), upload(2))) == [None, None]
    assert ordered(server) == {"1.xml": SMALL, "2.part": SMALL}


def test_a_name_that_cannot_be_sent_stops_nothing_else(server):
    session = open_session(where(server, name_encoding="ascii"))
    line = pipelining.line(session)
    line.step(None, upload(1))
    bad = Upload("in/ł.part", "in/ł.xml", SMALL)
    assert kinds(line.step(rename(1), bad)) == [None, Kind.FILE]
    assert kinds(line.step(Rename("in/ł.part", "in/ł.xml"), upload(2))) == [Kind.FILE, None]
    session.close()
    assert ordered(server) == {"1.xml": SMALL, "2.part": SMALL}
