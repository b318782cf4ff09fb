"""A supplier: a file server and the back office behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from sandbox.back_office import BackOffice, Folders, accept
from sandbox.file_servers import KINDS
from sandbox.ftp_faults import Faults
from sandbox.ftp_options import FtpOptions
from sandbox.supplier_documents import Despatch, ReceivedOrder, Verdict


class SupplierSandbox:
    """Run a supplier that takes orders over FTP, FTPS or SFTP and replies to them by file.

    `supplier.ftp.stop()` and `.start()` play that its server is down for a while.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        *,
        port: int = 0,
        replies: bool = True,
        delay: float = 0.0,
        policy: Callable[[ReceivedOrder], Verdict] = accept,
        prefix: str = "",
        options: FtpOptions | None = None,
        protocol: str = "ftp",
    ) -> None:
        self.name = name
        self.ftp = KINDS[protocol](root, name, f"{name}-password", port, options)
        orders = self.ftp.swept_folder if self.ftp.options.has_sweeper else self.ftp.orders_folder
        folders = Folders(orders, self.ftp.replies_folder)
        self.back_office = BackOffice(folders, prefix or name[:2].upper(), policy)
        self.back_office.is_replying, self.back_office.delay_seconds = replies, delay
        self.ftp.on_arrival = self.back_office.look

    @property
    def faults(self) -> Faults:
        """Return the faults of its file server."""
        return self.ftp.faults

    @property
    def orders(self) -> list[ReceivedOrder]:
        """Return every order file that arrived, repeats included."""
        return self.back_office.orders

    @property
    def duplicates(self) -> dict[str, int]:
        """Return how often each reference arrived, of those that arrived more than once."""
        return self.back_office.duplicates

    @property
    def broken(self) -> list[str]:
        """Return a sentence for each file that was no whole order under its final name."""
        return self.back_office.broken

    def start(self) -> Self:
        """Start the server and the back office."""
        self.ftp.start()
        self.back_office.start()
        return self

    def stop(self) -> None:
        """Stop both."""
        self.ftp.stop()
        self.back_office.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def reject_next(self, reason: str) -> None:
        """Reject the next order for this reason."""
        self.back_office.reject_next(reason)

    def ship(self, reference: str, despatch: Despatch) -> None:
        """Tell that an order, or a part of it, is on its way."""
        self.back_office.ship(reference, despatch)

    def wait_for_orders(self, count: int, timeout: float = 10.0) -> list[ReceivedOrder]:
        """Return the orders once there are so many, or raise TimeoutError."""
        return self.back_office.wait_for(count, timeout)
