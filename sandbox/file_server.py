"""What every file server of a supplier has, whatever it speaks."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from sandbox.ftp_faults import Faults
from sandbox.ftp_ledger import Command, Ledger
from sandbox.ftp_options import FtpOptions
from sandbox.sockets import HOST


class FileServer:
    """A server whose orders come into `in` and whose replies lie in `out`. `identity` is what a client pins."""

    protocol = ""
    identity = ""

    def __init__(self, root: Path, user: str, password: str, port: int = 0, options: FtpOptions | None = None) -> None:
        self.root = Path(root).resolve()
        self.user, self.password = user, password
        self.host, self.port = HOST, port
        self.options = options or FtpOptions()
        self.faults, self.ledger = Faults(), Ledger()
        self.on_arrival: Callable[[Path], None] = lambda path: None
        for folder in (self.orders_folder, self.replies_folder):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def is_running(self) -> bool:
        """Tell whether the server is up."""
        raise NotImplementedError

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
    def log(self) -> list[Command]:
        """Return all commands so far, oldest first."""
        return self.ledger.commands

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

    def start(self) -> Self:
        """Start, or come back on the same port."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop and drop every session; files stay where they are."""
        raise NotImplementedError

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
