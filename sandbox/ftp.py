"""A supplier's FTP server on loopback, with faults on demand."""

import threading
from pathlib import Path
from typing import Any, Self

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from sandbox.file_server import FileServer
from sandbox.ftp_options import FtpOptions
from sandbox.ftp_session import Session
from sandbox.sockets import listen

POLL_SECONDS = 0.05


class FtpSandbox(FileServer):
    """Run an FTP server: orders come into `in`, replies lie in `out`."""

    protocol = "ftp"
    session_class = Session

    def __init__(self, root: Path, user: str, password: str, port: int = 0, options: FtpOptions | None = None) -> None:
        super().__init__(root, user, password, port, options)
        self._thread: threading.Thread | None = None
        self._is_wanted = False

    @property
    def is_running(self) -> bool:
        """Tell whether the server is up."""
        return self._thread is not None

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

    def _attributes(self) -> dict[str, Any]:
        authorizer = DummyAuthorizer()
        authorizer.add_user(self.user, self.password, str(self.root), perm="elradfmwMT")
        known, missing = self.session_class.proto_cmds, self.options.missing_commands
        commands = {name: known[name] for name in known if name not in missing}
        return {"sandbox": self, "authorizer": authorizer, "proto_cmds": commands, "banner": "Supplier ready."}

    def _session_class(self) -> type[Session]:
        return type("SandboxSession", (self.session_class,), self._attributes())

    def _serve(self, server: FTPServer) -> None:
        while self._is_wanted:
            server.ioloop.loop(timeout=POLL_SECONDS, blocking=False)
        server.close_all()
