"""A supplier's FTP server on loopback, with faults on demand."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from sandbox.ftp_faults import Faults
from sandbox.ftp_ledger import Command, Ledger
from sandbox.ftp_options import FtpOptions
from sandbox.ftp_session import Session
from sandbox.sockets import HOST, listen

POLL_SECONDS = 0.05


class FtpSandbox:
    """Run an FTP server: orders come into `in`, replies lie in `out`."""

    def __init__(self, root: Path, user: str, password: str, port: int = 0, options: FtpOptions | None = None) -> None:
        self.root = Path(root).resolve()
        self.user, self.password = user, password
        self.host, self.port = HOST, port
        self.options = options or FtpOptions()
        self.faults, self.ledger = Faults(), Ledger()
        self.on_arrival: Callable[[Path], None] = lambda path: None
        self._thread: threading.Thread | None = None
        self._is_wanted = False
        for folder in (self.orders_folder, self.replies_folder):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def sessions(self) -> int:
        """Return the number of connections so far."""
        return self.ledger.sessions

    @property
    def logins(self) -> int:
        """Return the number of accepted logins so far."""
        return self.ledger.logins

    @property
    def failed_logins(self) -> int:
        """Return the number of refused logins so far."""
        return self.ledger.failed_logins

    @property
    def orders_folder(self) -> Path:
        """Return the folder into which orders are uploaded."""
        return self.root / "in"

    @property
    def replies_folder(self) -> Path:
        """Return the folder in which replies lie."""
        return self.root / "out"

    @property
    def swept_folder(self) -> Path:
        """Return the folder, out of the clients' sight, to which the sweeper takes orders."""
        return self.root.with_name(self.root.name + "-swept")

    @property
    def is_running(self) -> bool:
        """Tell whether the server is up."""
        return self._thread is not None

    @property
    def log(self) -> list[Command]:
        """Return all commands so far, oldest first."""
        return self.ledger.commands

    def start(self) -> Self:
        """Start, or come back on the same port."""
        if self._thread:
            return self
        listener = listen(self.port)
        self.port = listener.getsockname()[1]
        server = FTPServer(listener, self._session_class(), ioloop=IOLoop(), backlog=128)
        self._is_wanted = True
        self._thread = threading.Thread(target=self._serve, args=(server,), name=f"ftp-{self.port}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop and drop every session; files stay where they are."""
        if self._thread:
            self._is_wanted = False
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def file_arrived(self, path: Path) -> None:
        """Sweep an order that has its final name, if this server does so, and tell who listens."""
        if self.options.has_sweeper and path.parent == self.orders_folder and path.suffix == ".xml":
            self.swept_folder.mkdir(exist_ok=True)
            path = path.rename(self.swept_folder / path.name)
        self.on_arrival(path)

    def _session_class(self) -> type[Session]:
        authorizer = DummyAuthorizer()
        authorizer.add_user(self.user, self.password, str(self.root), perm="elradfmwMT")
        commands = {k: v for k, v in Session.proto_cmds.items() if k not in self.options.missing_commands}
        attributes = {"sandbox": self, "authorizer": authorizer, "proto_cmds": commands, "banner": "Supplier ready."}
        return type("SandboxSession", (Session,), attributes)

    def _serve(self, server: FTPServer) -> None:
        while self._is_wanted:
            server.ioloop.loop(timeout=POLL_SECONDS, blocking=False)
        server.close_all()
