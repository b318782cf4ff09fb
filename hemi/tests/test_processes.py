"""The supervisor, with real child processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hemi.lib import ports
from hemi.lib.processes import Program, Supervisor

SLEEPER = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)"
)


def _until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _python(code: str, **options: object) -> Program:
    return Program("test", [sys.executable, "-c", code], **options)


@contextmanager
def _running(*programs: Program, grace: float = 10) -> Iterator[Supervisor]:
    supervisor = Supervisor(programs, first_pause=0.2, grace=grace)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        thread.join()


def test_ends_every_program_on_stop() -> None:
    with _running(_python(SLEEPER), _python(SLEEPER)) as supervisor:
        _until(lambda: all(child.pid for child in supervisor.children))
        pids = [child.pid for child in supervisor.children]
    assert not any(_is_alive(pid) for pid in pids)


def test_starts_again_what_dies_and_waits_longer_each_time(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = f"import time; open({str(starts)!r}, 'a').write(f'{{time.monotonic()}}\\n')"
    with _running(_python(code)):
        _until(lambda: starts.exists() and len(starts.read_text().splitlines()) >= 4)
    times = [float(line) for line in starts.read_text().splitlines()]
    assert times[1] - times[0] >= 0.2
    assert times[3] - times[2] >= 0.8


def test_kills_what_does_not_listen(tmp_path: Path) -> None:
    output = tmp_path / "log"
    with _running(_python(STUBBORN, log=output), grace=0.3) as supervisor:
        _until(lambda: output.exists() and b"up" in output.read_bytes())
        pid = supervisor.children[0].pid
    assert not _is_alive(pid)


def test_clears_away_what_a_killed_program_left_behind(tmp_path: Path) -> None:
    output = tmp_path / "log"
    with _running(_python(PARENT, log=output)) as supervisor:
        _until(lambda: output.exists() and output.read_text().strip())
        grandchild = int(output.read_text().split()[0])
        os.kill(supervisor.children[0].pid, signal.SIGKILL)
        _until(lambda: not _is_alive(grandchild))
        _until(lambda: supervisor.children[0].starts == 2)


def test_gives_our_environment_or_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEMI_OURS", "ours")
    ours, other = tmp_path / "ours", tmp_path / "other"
    code = "import os, time; print(os.environ.get('HEMI_OURS'), flush=True); time.sleep(60)"
    with _running(_python(code, log=ours), _python(code, env={"PATH": "/bin"}, log=other)):
        _until(lambda: ours.exists() and ours.read_text() == "ours\n")
        _until(lambda: other.exists() and other.read_text() == "None\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_programs_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    output = tmp_path / "log"
    code = (
        "import sys; from pathlib import Path; from hemi.lib.processes import Program, Supervisor;"
        "sleeper = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)';"
        f"Supervisor([Program('x', [sys.executable, '-c', sleeper], log=Path({str(output)!r}))]).run()"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        _until(lambda: output.exists() and output.read_text().strip())
    finally:
        process.kill()
        process.wait()
    pid = int(output.read_text())
    _until(lambda: not _is_alive(pid))


def test_ends_on_a_signal(tmp_path: Path) -> None:
    output = tmp_path / "log"
    code = (
        "import sys; from pathlib import Path; from hemi.lib.processes import Program, Supervisor;"
        "sleeper = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)';"
        f"s = Supervisor([Program('x', [sys.executable, '-c', sleeper], log=Path({str(output)!r}))]);"
        "s.stop_on_signals(); s.run()"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    _until(lambda: output.exists() and output.read_text().strip())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not _is_alive(int(output.read_text()))


def test_a_taken_port_is_seen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not ports.is_taken("127.0.0.1", 0)
        listener.listen()
        assert ports.is_taken("127.0.0.1", port)
    assert not ports.is_taken("127.0.0.1", port)
