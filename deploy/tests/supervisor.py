"""Does with Hemi's units what systemd does, as far as they ask: sockets, readiness, reload, restart on failure."""

import os
import select
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from deploy.tests import units
from deploy.tests.places import Place

_SHELL = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"]  # the number of the process is known only in it


class Service:
    """One unit and its process."""

    def __init__(self, name: str, place: Place) -> None:
        self.place, self.unit = place, units.read(name, place)
        self.process: subprocess.Popen | None = None
        self.starts = 0
        self.is_wanted = False
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify_path = str(place.run / f"notify-{name}")
        Path(self._notify_path).unlink(missing_ok=True)  # of one that ran here before
        self.notices.bind(self._notify_path)
        self.log = place.root / f"{name}.log"
        self.listener = self._listen()

    def _listen(self) -> socket.socket | None:
        required = self.unit.one("Requires")
        if not required.endswith(".socket"):
            return None
        listener = socket.socket(socket.AF_UNIX)
        asked = units.read(required, self.place)
        listener.bind(asked.one("ListenStream"))
        os.chmod(asked.one("ListenStream"), int(asked.one("SocketMode"), 8))
        listener.listen(int(asked.one("Backlog")))
        return listener

    def start(self) -> None:
        """Start it, and wait until it says that it is ready where the unit asks for that."""
        self.is_wanted = True
        self.starts += 1
        for line in self.unit.values.get("ExecStartPre", []):
            subprocess.run(shlex.split(line), check=True)
        env = {"PATH": os.environ["PATH"], **self.unit.environment, "NOTIFY_SOCKET": self._notify_path}
        argv, inherited = shlex.split(self.unit.one("ExecStart")), ()
        if self.listener:
            env["LISTEN_FDS"] = "1"
            argv, inherited = [*_SHELL, *argv], (3,)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                argv,
                cwd=self.unit.one("WorkingDirectory"),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=inherited,
                preexec_fn=(lambda: os.dup2(self.listener.fileno(), 3)) if self.listener else None,
                start_new_session=True,
            )
        if self.unit.one("Type") == "notify":
            self.notices.settimeout(30)
            while b"READY=1" not in self.notices.recv(4096):
                pass

    def terminate(self) -> None:
        """Ask it to end."""
        self.is_wanted = False
        if self.pid:
            self.process.terminate()

    def stop(self) -> None:
        """End it as systemd does: SIGTERM, then SIGKILL after its time."""
        if self.is_wanted:
            self.terminate()
        if self.process:
            try:
                self.process.wait(int(self.unit.one("TimeoutStopSec", "90")))
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def reload(self) -> None:
        """Run ExecReload."""
        subprocess.run(shlex.split(self.unit.one("ExecReload").replace("$MAINPID", str(self.pid))), check=True)

    def look_after(self) -> None:
        """Start it again where it failed and the unit says so, or where somebody knocks at its socket."""
        code = self.process.poll() if self.process else 0
        is_failure = code not in (None, 0, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGPIPE)
        if self.is_wanted and is_failure and self.unit.one("Restart") == "on-failure":
            time.sleep(float(self.unit.one("RestartSec")))
            self.start()
        elif self.listener and not self.pid and select.select([self.listener], [], [], 0)[0]:
            self.start()

    @property
    def pid(self) -> int:
        """Return the number of its process, 0 where there is none."""
        return self.process.pid if self.process and self.process.poll() is None else 0


class Supervisor:
    """Some services, and a socket where tests/bin/systemctl asks for something."""

    def __init__(self, place: Place, names: list[str]) -> None:
        self.services = {name: Service(name, place) for name in names}
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._door = socket.socket(socket.AF_UNIX)
        (place.run / "systemctl").unlink(missing_ok=True)
        self._door.bind(str(place.run / "systemctl"))
        self._door.listen()
        self._door.settimeout(0.1)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Supervisor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._door.close()
        for service in self.services.values():
            service.terminate()
        for service in self.services.values():
            service.stop()
            service.notices.close()
            if service.listener:
                service.listener.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                line = self._door.accept()[0]
            except TimeoutError:
                for service in self.services.values():
                    service.look_after()
                continue
            with line:
                words = line.makefile().readline().split()
                self.asked.append(" ".join(words))
                code, answer = self._answer(words[0], words[1:])
                line.sendall(f"{code} {answer}\n".encode())

    def _answer(self, verb: str, words: list[str]) -> tuple[int, str]:
        if verb == "is-system-running":
            return 0, "running"
        named = [word if "." in word else f"{word}.service" for word in words if not word.startswith("-")]
        chosen = [self.services[name] for name in named if name in self.services]
        if verb == "is-active":
            return (0, "active") if chosen[0].pid else (3, "inactive")
        if verb == "show":
            return 0, str(chosen[0].pid)
        for service in chosen:
            {"start": self._start, "stop": Service.stop, "reload": Service.reload, "restart": self._restart}[verb](
                service
            )
        return 0, ""

    @staticmethod
    def _start(service: Service) -> None:
        if not service.pid:
            service.start()

    @staticmethod
    def _restart(service: Service) -> None:
        service.stop()
        service.start()


def tail(path: Path) -> str:
    """Return the end of a log, for a message."""
    return path.read_text()[-3000:] if path.exists() else ""
