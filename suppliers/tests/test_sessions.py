"""The same behaviour of sessions over every protocol, with the sandbox's servers and with vsftpd and sshd."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.sockets import listen
from suppliers.tests.servers import REAL, SANDBOXES, command, failure, make, where
from suppliers.transports.errors import Crowded, Kind
from suppliers.transports.opening import open_session
from suppliers.transports.session import Profile

CONTENT = bytes(range(256)) * 800 + b"\r\n\n\r"  # more than SFTP's blocks of 32 kB


@pytest.fixture(params=[*SANDBOXES, *REAL])
def place(request, tmp_path):
    with make(request.param, tmp_path) as server:
        yield server


@pytest.fixture(params=list(SANDBOXES))
def sandboxed(request, tmp_path):
    with make(request.param, tmp_path) as server:
        yield server


@pytest.fixture
def session(place):
    session = open_session(where(place))
    yield session
    session.close()


def files(server):
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir() if path.is_file()}


def test_a_file_arrives_whole_and_comes_back(place, session):
    for name, content in (("Büro 日本.part", CONTENT), ("empty", b"")):
        session.upload(f"in/{name}", content)
    assert files(place) == {"Büro 日本.part": CONTENT, "empty": b""}
    assert session.size("in/Büro 日本.part") == session.expected_size("in/Büro 日本.part") == len(CONTENT)
    session.rename("in/Büro 日本.part", "in/b.xml")
    assert (session.size("in/b.xml"), session.size("in/Büro 日本.part")) == (len(CONTENT), None)
    assert session.expected_size("in/Büro 日本.part") is None
    assert session.read("in/b.xml", len(CONTENT)) == CONTENT
    assert session.read("in/empty", 9) == b""
    session.upload("in/b.xml", b"short")
    assert files(place) == {"b.xml": b"short", "empty": b""}
    for _ in range(2):
        session.delete("in/b.xml")
    assert sorted(session.listing("in")) == ["empty"]
    session.noop()


def test_a_folder_is_there_or_is_not(session):
    session.upload("in/a.xml", b"x")
    assert [session.has_folder(path) for path in ("in", "", "nowhere", "in/a.xml")] == [True, True, False, False]
    assert session.listing("in")


def test_a_listing_has_sizes_and_times_but_no_folders(place, session):
    (place.replies_folder / "r.xml").write_bytes(CONTENT)
    (place.replies_folder / "folder").mkdir()
    listing = session.listing("out")
    assert {name: entry.size for name, entry in listing.items()} == {"r.xml": len(CONTENT)}
    written_at = datetime.fromtimestamp((place.replies_folder / "r.xml").stat().st_mtime, UTC)
    assert abs(listing["r.xml"].modified_at - written_at) < timedelta(seconds=2)
    assert session.size("out/folder") is None


def test_a_folder_is_made_once(place, session):
    for _ in range(2):
        session.make_folder("in/archive")
    assert (place.orders_folder / "archive").is_dir()
    session.upload("in/file", b"1")
    assert failure(session.make_folder, "in/file").step == "make folder"
    assert files(place) == {"file": b"1"}


def test_more_than_the_limit_is_not_read(place, session):
    (place.replies_folder / "r.xml").write_bytes(b"x" * 3_000_000)
    assert failure(session.read, "out/r.xml", 1_000_000).kind == Kind.FILE


def test_a_name_that_is_no_line_is_refused(place, session):
    for call, *arguments in (
        (session.upload, "in/a\r\nb", b"1"),
        (session.rename, "in/a", "in/b\n"),
        (session.size, "\0"),
    ):
        assert failure(call, *arguments).kind == Kind.FILE
    assert files(place) == {}
    session.noop()


def test_what_is_missing_is_told_and_the_session_lives_on(place, session):
    refused = [failure(session.upload, "no/a.xml", b"1"), failure(session.rename, "in/no", "in/a.xml")]
    refused.append(failure(session.read, "in/no", 9))
    assert {(error.kind, error.is_about_endpoint) for error in refused} == {(Kind.TEMPORARY, False)}
    session.upload("in/a.xml", CONTENT)
    assert files(place) == {"a.xml": CONTENT}


def test_a_wrong_password_is_of_the_endpoint_and_tried_once(place):
    if not getattr(place, "has_password", True):
        pytest.skip("sshd has no user with a password here")
    error = failure(open_session, where(place, password="wrong-password"))
    assert (error.kind, error.step) == ("endpoint", "login")
    assert "wrong-password" not in error.message
    if hasattr(place, "ledger"):
        assert (place.failed_logins, place.logins, place.sessions) == (1, 0, 1)


def test_refused_beside_a_living_session_it_is_only_crowded(place):
    server = where(place, password="wrong-password", private_key="")
    assert isinstance(failure(lambda: open_session(server, others=1)), Crowded)
    assert failure(lambda: open_session(server, others=1)).kind == "temporary"


@pytest.mark.parametrize("place", [kind for kind in (*SANDBOXES, *REAL) if kind != "ftp"], indirect=True)
def test_a_server_that_shows_another_identity_is_told_nothing(place):
    for identity in ("", "SHA256:" + "A" * 43):
        error = failure(open_session, where(place, identity=identity))
        assert (error.kind, error.step, error.identity) == ("endpoint", "connect", place.identity)
    if hasattr(place, "ledger"):
        assert (place.logins, place.failed_logins) == (0, 0)
        assert not {"USER", "PASS"} & {entry.command for entry in place.log}


def test_seen_tells_what_the_handshake_showed(place, session):
    session.upload("in/a.xml", CONTENT)
    seen = session.seen
    assert seen.identity == place.identity
    assert (seen.identity_kind != "", seen.encryption != "") == (place.protocol != "ftp",) * 2
    assert seen.greeting and seen.features
    assert seen.is_tls_session_reused is (True if place.protocol.startswith("ftps") else None)


def test_a_server_that_goes_away_breaks_the_session(place, session):
    session.upload("in/a.part", CONTENT)
    place.stop()
    error = failure(session.rename, "in/a.part", "in/a.xml")
    assert error.kind in ((Kind.UNCERTAIN,) if place.protocol == "sftp" else (Kind.UNCERTAIN, Kind.TEMPORARY))
    assert session.is_broken
    assert failure(session.size, "in/a.part").kind == Kind.TEMPORARY
    error = failure(open_session, where(place))
    assert (error.kind, error.step) == ("temporary", "connect")
    assert files(place) == {"a.part": CONTENT}


@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "during"}, {"cut": "after"}, {"hang": True}])
def test_a_lost_upload_breaks_the_session(sandboxed, fault):
    session = open_session(where(sandboxed, data_timeout=0.5))
    sandboxed.faults.add(command(sandboxed, "upload"), **fault)
    error = failure(session.upload, "in/a.part", CONTENT)
    assert (error.kind, error.step, session.is_broken) == ("temporary", "upload", True)
    session.close()


@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "after"}, {"hang": True}, {"hang": True, "late": True}])
def test_a_rename_whose_answer_is_lost_is_uncertain(sandboxed, fault):
    session = open_session(where(sandboxed, data_timeout=0.5))
    session.upload("in/a.part", CONTENT)
    sandboxed.faults.add(command(sandboxed, "rename"), **fault)
    error = failure(session.rename, "in/a.part", "in/a.xml")
    assert (error.kind, error.step, session.is_broken) == ("uncertain", "rename", True)
    was_done = fault.get("late") or fault.get("cut") == "after"
    assert files(sandboxed) == {"a.xml" if was_done else "a.part": CONTENT}
    session.close()


@pytest.mark.parametrize("step", ["upload", "rename"])
def test_a_full_disk_is_temporary_and_told_in_the_servers_words(sandboxed, step):
    session = open_session(where(sandboxed))
    session.upload("in/a.part", CONTENT)
    reply = (14, "No space left, right-password") if sandboxed.protocol == "sftp" else (452, "No space, right-password")
    sandboxed.faults.add(command(sandboxed, step), reply=reply)
    error = failure(
        lambda: session.upload("in/b", CONTENT) if step == "upload" else session.rename("in/a.part", "in/a")
    )
    assert (error.kind, error.step, session.is_broken) == ("temporary", step, False)
    assert "•••" in error.message and "right-password" not in error.message
    session.rename("in/a.part", "in/a.xml")
    assert files(sandboxed)["a.xml"] == CONTENT
    session.close()


def test_a_login_that_never_ends_is_given_up(sandboxed):
    sandboxed.faults.add(command(sandboxed, "login"), hang=True)
    error = failure(open_session, where(sandboxed, connect_timeout=0.5))
    assert (error.kind, error.step) == ("temporary", "login")


def test_a_server_that_says_nothing_is_given_up(sandboxed):
    with listen(0) as silent:
        server = where(sandboxed, port=silent.getsockname()[1], connect_timeout=0.3)
        error = failure(open_session, server)
    assert (error.kind, error.step) == ("temporary", "connect")


@pytest.mark.parametrize("kind", list(SANDBOXES))
def test_the_profile_is_obeyed(kind, tmp_path):
    with make(kind, tmp_path, has_size=False) as server:
        session = open_session(where(server, profile=Profile(has_size=False)))
        session.upload("in/a.xml", CONTENT)
        assert session.size("in/a.xml") == session.expected_size("in/a.xml") == len(CONTENT)
        assert session.size("in/b.xml") is None
        assert not {"SIZE", "MLST", "STAT"} & {entry.command for entry in server.log}
        session.close()
    with make(kind, tmp_path, can_list=False) as server:
        session = open_session(where(server, profile=Profile(can_list=False)))
        session.upload("in/a.xml", CONTENT)
        assert (session.expected_size("in/a.xml"), session.expected_size("in/b.xml")) == (len(CONTENT), None)
        assert not {"LIST", "MLSD", "READDIR"} & {entry.command for entry in server.log}
        assert failure(session.listing, "in").step == "list"
        session.close()


def test_a_server_that_tells_neither_sizes_nor_names_is_no_place_for_files(sandboxed):
    session = open_session(where(sandboxed, profile=Profile(has_size=False, can_list=False)))
    session.upload("in/a.xml", CONTENT)
    assert failure(session.size, "in/a.xml").kind == Kind.ENDPOINT
    session.close()


@pytest.mark.parametrize("kind", REAL)
def test_names_are_written_in_the_encoding_of_the_server(kind, tmp_path):
    with make(kind, tmp_path) as server:
        session = open_session(where(server, name_encoding="iso-8859-1"))
        session.upload("in/Büro.xml", CONTENT)
        assert [path.name.encode("utf-8", "surrogateescape") for path in server.orders_folder.iterdir()] == [
            b"B\xfcro.xml"
        ]
        assert list(session.listing("in")) == ["Büro.xml"]
        assert session.size("in/Büro.xml") == len(CONTENT)
        assert failure(session.upload, "in/日本.xml", b"1").kind == Kind.FILE
        session.close()
