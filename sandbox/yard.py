"""Many suppliers' file servers in a process of their own, made, spoiled, held and looked at over HTTP.

`python -m sandbox.yard --data DIR --port NUMBER`. POST /servers makes one; POST /servers/NAME/ACTION does something to
it; GET /servers/NAME tells what it saw and what lies there.
"""

import argparse
import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh

from sandbox import arrivals, certificates
from sandbox.arrivals import Arrivals
from sandbox.file_server import FileServer
from sandbox.file_servers import KINDS
from sandbox.ftp_faults import Fault
from sandbox.ftp_options import FtpOptions
from sandbox.ftps import FtpsSandbox
from sandbox.real_servers import RealServer, Sshd, Vsftpd
from sandbox.sftp import SftpSandbox
from sandbox.web import Answer, BadRequest, Request, WebServer, as_json

USER, PASSWORD = "hemi", "right-password"
REAL: dict[str, Callable[[], RealServer]] = {"vsftpd": lambda: Vsftpd("ftps"), "sshd": Sshd}


class Plot:
    """One server with its faults."""

    def __init__(self, name: str, server: FileServer | RealServer) -> None:
        self.name, self.server = name, server
        self.faults: list[Fault] = []
        self.mounted: Path | None = None

    def access(self) -> dict:
        """Return what a client must know."""
        server = self.server
        known = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
        key = "" if getattr(server, "has_password", True) else getattr(server, "private_key", "")
        return {**known, "protocol": server.protocol, "identity": server.identity, "private_key": key}

    def seen(self) -> dict:
        """Return how many logins failed, what lies there, and what was taken from there."""
        server = self.server
        return {
            "has_ledger": isinstance(server, FileServer),
            "failed_logins": server.failed_logins if isinstance(server, FileServer) else 0,
            "orders": arrivals.folder(server.orders_folder),
            "swept": arrivals.folder(server.swept_folder) if isinstance(server, FileServer) else [],
        }

    def act(self, action: str, wanted: dict[str, Any]) -> None:
        """Do one of: fault, release, clear, password, stop, start, chmod, mount, remount."""
        server = self.server
        match action:
            case "stop" | "start":
                getattr(server, action)()
            case "chmod":
                server.orders_folder.chmod(int(wanted["mode"], 8))
            case "mount":
                self._mount(f"size={wanted['kibibytes']}k")
            case "remount":
                _run("mount", "-o", f"remount,{wanted['options']}", str(server.orders_folder))
            case _ if isinstance(server, FileServer):
                self._spoil(server, action, wanted)
            case _:
                raise BadRequest(f"A real server knows no {action}.")

    def remove(self) -> None:
        """Stop the server; unmount what was mounted for it."""
        self.server.stop()
        if self.mounted:
            _run("umount", "-l", str(self.mounted))
        if isinstance(self.server, RealServer):
            shutil.rmtree(self.server.folder, ignore_errors=True)

    def _spoil(self, server: FileServer, action: str, wanted: dict[str, Any]) -> None:
        if action == "fault":
            self.faults.append(server.faults.add(**wanted))
        elif action == "release":
            for fault in self.faults:
                fault.release()
        elif action == "clear":
            server.faults.clear()
            for fault in self.faults:
                fault.release()
        elif action == "password":
            server.password = str(wanted["password"])
            server.stop()
            server.start()
        else:
            raise BadRequest(f"There is no {action}.", 404)

    def _mount(self, options: str) -> None:
        owner = self.server.orders_folder.stat()
        _run("mount", "-t", "tmpfs", "-o", f"{options},uid={owner.st_uid}", "tmpfs", str(self.server.orders_folder))
        self.mounted = self.server.orders_folder


class Yard:
    """All servers of one process and the control server before them; killed, it comes back with the same ones."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self.data = data
        self.plots: dict[str, Plot] = {}
        self.ledger = Arrivals(data / "arrivals.jsonl")
        self.web = WebServer(self._answer, port)
        self._lock = threading.Lock()
        data.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start the servers that a former process of this folder had, and the control server."""
        for path in sorted(self.data.glob("*.server.json")):
            self._make(**json.loads(path.read_text()))
        self.web.start()

    def stop(self) -> None:
        """Stop all."""
        self.web.stop()
        for plot in self.plots.values():
            plot.remove()

    def _answer(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")[1:]
        wanted = json.loads(request.body or b"{}")
        with self._lock:
            if request.method == "POST" and not parts:
                return as_json(self._make(**wanted).access())
            if not parts or parts[0] not in self.plots:
                return as_json({name: [fault.is_met for fault in plot.faults] for name, plot in self.plots.items()})
            plot = self.plots[parts[0]]
            if request.method == "POST":
                plot.act(parts[1], wanted)
                return as_json(plot.access())
            return as_json(plot.seen())

    def _make(self, name: str, kind: str, port: int = 0, mount: int = 0, **options: bool) -> Plot:
        plot = self.plots[name] = Plot(name, REAL[kind]() if kind in REAL else self._sandbox(name, kind, port, options))
        if mount:
            plot.act("mount", {"kibibytes": mount})
        plot.server.start()
        if kind not in REAL:
            wanted = {"name": name, "kind": kind, "port": plot.server.port, **options}
            (self.data / f"{name}.server.json").write_text(json.dumps(wanted))
        return plot

    def _sandbox(self, name: str, kind: str, port: int, options: dict[str, bool]) -> FileServer:
        folder = self.data / name
        server = KINDS[kind](folder / "files", USER, PASSWORD, port, FtpOptions(**options))
        server.on_arrival = lambda path: self.ledger.note(name, path)
        if isinstance(server, FtpsSandbox):
            server.certificate = certificates.kept(folder / "certificate.pem")
        if isinstance(server, SftpSandbox):
            server.host_key = _kept_key(folder / "host_key")
        return server


def may_mount(folder: Path) -> bool:
    """Tell whether a small disk can be had."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
        _run("umount", str(folder))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _kept_key(path: Path) -> asyncssh.SSHKey:
    if not path.exists():
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
    return asyncssh.read_private_key(path)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main(arguments: list[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser("sandbox.yard", description="Run suppliers' file servers, on loopback only.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    yard = Yard(options.data, options.port)
    yard.start()
    try:
        stopped.wait()
    finally:
        yard.stop()


if __name__ == "__main__":
    main()
