"""The units: what systemd says of them, and what a supervisor that reads them does."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.tests import supervisor, units, wire
from deploy.tests.places import Place

LONG_RUNNING = ["hemi-web.service", "hemi-worker.service", "hemi-delivery.service", "hemi-beat.service"]


@pytest.fixture
def system(tmp_path: Path, need: Callable) -> Path:
    """A root folder with the units, and a program where they name one."""
    need("systemd-analyze")
    shutil.copytree(units.SYSTEMD, tmp_path / "etc/systemd/system")
    shutil.copytree("/lib/systemd/system", tmp_path / "lib/systemd/system", symlinks=True)
    for program in ("opt/hemi/current/.venv/bin/python", "bin/sh", "usr/bin/flock"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    return tmp_path


def analyze(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    return subprocess.run(["systemd-analyze", *argv], capture_output=True, text=True, timeout=60)


def test_systemd_finds_nothing_wrong(system: Path) -> None:
    ours = sorted(path.name for path in units.SYSTEMD.iterdir() if path.is_file())
    found = analyze("verify", f"--root={system}", *ours)
    assert [line for line in found.stderr.splitlines() if "hemi" in line] == []
    broken = system / "etc/systemd/system/hemi-beat.service"
    broken.write_text(broken.read_text().replace("ExecStart=/", "ExecStart=relative/"))
    assert "hemi-beat" in analyze("verify", f"--root={system}", "hemi-beat.service").stderr  # it would have said so


@pytest.mark.parametrize("name", units.SERVICES)
def test_exposure_is_under_3(system: Path, name: str) -> None:
    argv = ("security", "--offline=true", f"--root={system}", "--no-pager", name)
    found = analyze(*argv, "--threshold=29")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Overall exposure level" in found.stdout
    shutil.rmtree(system / "etc/systemd/system/hemi-.service.d")
    assert analyze(*argv, "--threshold=29").returncode != 0  # it is what they share that does it


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_the_issue_of_safety_asks_for_is_said(name: str, place: Place) -> None:
    unit = units.read(name, place)
    asked = {"User": "hemi", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes"}
    asked |= {"Restart": "on-failure", "StandardError": "journal"}
    assert {key: unit.one(key) for key in asked} == asked
    assert unit.one("MemoryMax")
    assert unit.environment["LOG_FORMAT"] == "json"


@pytest.fixture
def supervised(place: Place) -> Iterator[supervisor.Supervisor]:
    """All services, started as their units say."""
    with supervisor.Supervisor(place, LONG_RUNNING) as supervised:
        yield supervised
    place.socket.unlink()


def test_what_dies_is_started_again_and_what_is_stopped_is_not(
    supervised: supervisor.Supervisor, place: Place, caller: wire.Caller
) -> None:
    place.script("tests/bin/systemctl", "start", *LONG_RUNNING)
    before = {name: service.pid for name, service in supervised.services.items()}
    assert all(before.values())
    assert caller.webhook(500).status == 200
    for pid in before.values():
        os.killpg(pid, signal.SIGKILL)
    assert caller.webhook(501).status == 200  # waited in the socket
    wire.wait_for(lambda: all(service.starts == 2 and service.pid for service in supervised.services.values()))
    place.script("tests/bin/systemctl", "stop", "hemi-beat")
    assert supervised.services["hemi-beat.service"].pid == 0
    handled = "SELECT 1 FROM integrations_webhookevent WHERE status <> 'new'"
    wire.wait_for(lambda: len(place.rows(handled)) >= 2)  # the workers work
