"""`serve`: a whole Hemi of its own, as real processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def environment(tmp_path: Path, port: int) -> dict[str, str]:
    """The environment of a fresh installation."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "HEMI_VAR": str(tmp_path), "HEMI_ENV_FILE": os.devnull, "HEMI_PORT": str(port)}


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A running `manage.py serve` with its output in serve.log."""
    with open(tmp_path / "serve.log", "wb") as log:
        process = subprocess.Popen(_argv(), cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(40)


def _argv() -> list[str]:
    return [sys.executable, "-u", "manage.py", "serve"]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


def _wait_until_ready(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while not _is_ready(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_serves_and_ends_together(served: subprocess.Popen, port: int, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    _wait_until_ready(port, served, log)
    children = _children(served.pid)
    assert len(children) == 4

    user, password = re.search(r"first user: (\w+), password (\S+)", log.read_text()).groups()
    with requests.Session() as session:
        page = session.get(f"http://127.0.0.1:{port}/admin/login/", timeout=10)
        form = {"username": user, "password": password, "csrfmiddlewaretoken": page.cookies["csrftoken"]}
        answer = session.post(page.url, data=form, timeout=10)
        assert answer.url.endswith("/admin/")
        styles = re.findall(r'href="(/static/[^"]+\.css)"', answer.text)
        assert styles
        assert all(session.get(f"http://127.0.0.1:{port}{style}", timeout=10).ok for style in styles)

    served.send_signal(signal.SIGTERM)
    assert served.wait(40) == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert "Traceback" not in log.read_text()
    assert (tmp_path / "keys.env").stat().st_mode & 0o777 == 0o600


def test_names_a_taken_port_before_it_touches_anything(environment: dict[str, str], port: int, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        answer = subprocess.run(_argv(), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert f"Port {port} is taken" in answer.stderr
    assert f"HEMI_PORT={port + 1}" in answer.stderr
    assert not (tmp_path / "hemi.sqlite3").exists()
