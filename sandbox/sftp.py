"""A supplier's SFTP server on loopback, with faults on demand."""

import asyncio
import logging
import threading
import weakref
from pathlib import Path
from typing import Self

import asyncssh

from sandbox.ftp_options import FtpOptions
from sandbox.sftp_session import Files, Login, Server
from sandbox.sockets import listen

logging.getLogger("asyncssh").setLevel(logging.ERROR)


class SftpSandbox(Server):
    """Run an SFTP server: orders come into `in`, replies lie in `out`. It keeps its key while it is away.

    `client_key` is a public key that may log in, too; `further_host_keys` are shown to clients that ask for their kind.
    """

    protocol = "sftp"

    def __init__(self, root: Path, user: str, password: str, port: int = 0, options: FtpOptions | None = None) -> None:
        super().__init__(root, user, password, port, options)
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.further_host_keys: list[asyncssh.SSHKey] = []
        self.connections = weakref.WeakSet()
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    @property
    def identity(self) -> str:  # type: ignore[override]
        """Return the fingerprint of its key."""
        return self.host_key.get_fingerprint()

    @property
    def is_running(self) -> bool:
        """Tell whether the server is up."""
        return self._thread is not None

    def start(self) -> Self:
        """Start, or come back on the same port."""
        if self._thread is None:
            listener = listen(self.port)
            self.port = listener.getsockname()[1]
            self._loop = asyncio.new_event_loop()
            self._acceptor = self._loop.run_until_complete(
                asyncssh.listen(
                    sock=listener,
                    server_host_keys=[self.host_key, *self.further_host_keys],
                    server_factory=lambda: Login(self),
                    sftp_factory=lambda channel: Files(channel, self),
                )
            )
            self._thread = threading.Thread(target=self._loop.run_forever, name=f"sftp-{self.port}", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop and drop every session; files stay where they are."""
        if self._thread:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._thread = None
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        self._acceptor.close()
        for connection in list(self.connections):
            connection.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=1)
