"""release.sh while requests come in: not one fails, whichever way it goes."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.tests import supervisor, wire
from deploy.tests.places import DEPLOY, Place

NAMES = ["hemi-web.service", "hemi-worker.service", "hemi-delivery.service", "hemi-beat.service"]
_IDS = "SELECT webhook_id FROM integrations_webhookevent"


@pytest.fixture(scope="module")
def serving(place: Place) -> Iterator[supervisor.Supervisor]:
    """All services of the first release."""
    with supervisor.Supervisor(place, NAMES) as running:
        place.script("tests/bin/systemctl", "start", *NAMES)
        yield running
    place.socket.unlink()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the code, for a release with something changed."""
    ignored = shutil.ignore_patterns(".git", "var", ".venv*", "__pycache__", ".*_cache")
    return Path(shutil.copytree(DEPLOY.parent, tmp_path / "code", ignore=ignored, symlinks=True))


class Load:
    """Webhooks and pages, several at a time, all the while."""

    first = 10_000

    def __init__(self, caller: wire.Caller) -> None:
        self.caller = caller
        self.taken: list[int] = []
        self.failed: list[str] = []
        self.slowest = 0.0
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(lane,), daemon=True) for lane in range(4)]

    def _run(self, lane: int) -> None:
        number = Load.first + lane * 100_000
        while not self._is_over.is_set():
            number += 1
            started = time.monotonic()
            try:
                status = self.caller.webhook(number).status if lane else self.caller.ask("GET", "/healthz").status
            except OSError as error:
                status = repr(error)
            self.slowest = max(self.slowest, time.monotonic() - started)
            if status != 200:
                self.failed.append(f"{number}: {status}")
            elif lane:
                self.taken.append(number)
            time.sleep(0.05)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        try:
            wire.wait_for(lambda: len(self.taken) > 20)
        except AssertionError:
            self._is_over.set()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        count = len(self.taken)
        wire.wait_for(lambda: len(self.taken) > count + 20 or self.failed)
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        Load.first += 1_000_000


@contextmanager
def _not_one_lost(place: Place, caller: wire.Caller) -> Iterator[Load]:
    with Load(caller) as load:
        yield load
    assert load.failed == []
    stored = [webhook_id for (webhook_id,) in place.rows(_IDS)]
    assert len(stored) == len(set(stored))
    assert {f"{number:032x}" for number in load.taken} <= set(stored)


def _serving_code(serving: supervisor.Supervisor) -> set[str]:
    pid = serving.services["hemi-web.service"].pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = set()
    for child in children:
        with suppress(FileNotFoundError):  # of a generation that has just ended
            found.add(os.path.basename(os.readlink(f"/proc/{child}/cwd")))
    return found


def _in_service(place: Place) -> str:
    return os.path.basename(os.readlink(place.opt / "current"))


def test_neither_a_narrow_umask_nor_what_a_power_cut_left_does_harm(place: Place, code: Path) -> None:
    (place.opt / "releases" / "20200101-000000" / "hemi").mkdir(parents=True)  # no .venv yet
    unused = place.opt / "packages" / "unused"
    unused.mkdir()
    for path in code.rglob("*"):  # fetched by somebody whose umask is 077
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    place.script("release.sh", str(code))
    current = place.opt / "current"
    assert (current / ".venv/bin/python").exists()
    assert not unused.exists()
    assert [path for path in current.rglob("*") if not path.is_symlink() and not path.stat().st_mode & 0o004] == []
    place.script("release.sh", "--back")


def test_new_code_is_served_and_back_again(
    place: Place, serving: supervisor.Supervisor, caller: wire.Caller, code: Path
) -> None:
    health = code / "hemi" / "health.py"
    health.write_text(health.read_text().replace('"ok\\n"', '"newer\\n"'))
    first, worker = _in_service(place), serving.services["hemi-worker.service"].pid
    with _not_one_lost(place, caller) as load:
        place.script("release.sh", str(code))
        assert caller.ask("GET", "/healthz").body == b"newer\n"
        second = _in_service(place)
        assert _serving_code(serving) == {second} != {first}
        assert serving.services["hemi-worker.service"].pid not in (0, worker)
        assert "reload hemi-web.service" in serving.asked  # a reload, for the packages are the same
        place.script("release.sh", "--back")
        assert caller.ask("GET", "/healthz").body == b"ok\n"
        assert _serving_code(serving) == {first}
    assert load.slowest < 20
    assert "no release to go back to" in place.script("release.sh", "--back", ok=False).stderr


@pytest.mark.drill
def test_other_packages_take_a_restart_and_no_request(
    place: Place, serving: supervisor.Supervisor, caller: wire.Caller, code: Path
) -> None:
    asked = (code / "constraints.txt").read_text() + "# another list\n"
    (code / "constraints.txt").write_text(asked)
    folder = place.offer_packages(code)
    other = folder / "gunicorn-of-tomorrow"  # a newer gunicorn, as far as release.sh can see
    other.mkdir()
    (other / "sitecustomize.py").write_text("import gunicorn\ngunicorn.__version__ = 'tomorrow'\n")
    program = folder / "python-of-tomorrow"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={other} exec {folder}/real/python "$@"\n')
    program.chmod(0o755)
    (folder / "bin").rename(folder / "real")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(program)
    main = serving.services["hemi-web.service"].pid
    with _not_one_lost(place, caller):
        place.script("release.sh", str(code))
        assert serving.services["hemi-web.service"].pid not in (0, main)
        place.script("release.sh", "--back")


def test_code_that_does_not_start_changes_nothing(
    place: Place, serving: supervisor.Supervisor, caller: wire.Caller, code: Path
) -> None:
    (code / "hemi" / "wsgi.py").write_text("raise RuntimeError")
    before, there = _in_service(place), sorted(os.listdir(place.opt / "releases"))
    with _not_one_lost(place, caller):
        place.script("release.sh", str(code), ok=False)
    assert (_in_service(place), _serving_code(serving)) == (before, {before})
    assert sorted(os.listdir(place.opt / "releases")) == there


@pytest.mark.drill
def test_code_that_starts_and_cannot_answer_is_taken_back(
    place: Place, serving: supervisor.Supervisor, caller: wire.Caller, code: Path
) -> None:
    health = code / "hemi" / "health.py"
    text = health.read_text()
    assert "200 if is_ready else 503" in text
    health.write_text(text.replace("200 if is_ready else 503", "503"))
    script = code / "deploy" / "release.sh"
    script.write_text(script.read_text().replace("SECONDS_TO_ANSWER=40", "SECONDS_TO_ANSWER=8"))
    before = _in_service(place)
    with _not_one_lost(place, caller):
        done = place.script(str(script), ok=False)
    assert "serves again" in done.stderr
    assert (_in_service(place), _serving_code(serving)) == (before, {before})


@pytest.mark.drill
def test_migrations_that_the_running_code_would_not_survive_wait_for_a_pause(
    place: Place, serving: supervisor.Supervisor, caller: wire.Caller, code: Path
) -> None:
    last = sorted(path.stem for path in (code / "integrations/migrations").glob("0*.py"))[-1]
    seen = place.root / "served-meanwhile"
    text = _GONE.format(last=last, releases=f"{place.opt}/releases/", seen=str(seen))
    (code / "integrations/migrations/9999_gone.py").write_text(text)
    before = _in_service(place)
    with _not_one_lost(place, caller):
        done = place.script("release.sh", str(code), ok=False)
        assert "--pause" in done.stderr
        assert "9999_gone" in done.stderr
        assert _in_service(place) == before
        place.script("release.sh", "--pause", str(code))
        assert _serving_code(serving) == {_in_service(place)} != {before}
    assert seen.read_text() == "[]"  # though requests came in, which start what is behind a socket


_GONE = """
import os, time
from pathlib import Path
from django.db import migrations

def look(apps, editor):
    time.sleep(2)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, where = (process / "cmdline").read_bytes(), os.readlink(process / "cwd")
        except OSError:
            continue
        if where.startswith({releases!r}) and b"gunicorn" in words:
            found.append(where)
    Path({seen!r}).write_text(repr(found))

class Migration(migrations.Migration):
    dependencies = [("integrations", "{last}")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[],
            database_operations=[migrations.RunSQL("SELECT 1", "SELECT 1")],
        ),
        migrations.RunPython(look),
    ]
"""
