"""The servers that files are brought to: vsftpd and sshd in processes of their own, near and 30 ms away."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from bench.processes import Broken
from sandbox.real_servers import RealServer, Sshd, Vsftpd
from sandbox.relay import DelayRelay, FtpDelayRelay

ONE_WAY_SECONDS = 0.015
_KINDS = {"ftp": "FTP", "ftps": "FTPS", "sftp": "SFTP"}


@dataclass(frozen=True)
class Place:
    """A server at one distance."""

    server: RealServer
    port: int
    is_far: bool

    @property
    def title(self) -> str:
        """Return what it is called in the table."""
        return f"{_KINDS[self.server.protocol]} {'30 ms away' if self.is_far else 'on loopback'}"

    @property
    def endpoint(self) -> dict[str, Any]:
        """Return the columns of an endpoint that tell where it is."""
        server = self.server
        login = {"private_key": server.private_key} if server.private_key else {"password": server.password}
        where = {"protocol": server.protocol, "host": server.host, "port": self.port, "host_identity": server.identity}
        return {**where, "username": server.user, **login}

    def make_folder(self, name: str) -> str:
        """Make an empty folder and return its path on the server."""
        path = self.server.orders_folder / name
        path.mkdir()
        os.chown(path, self.server.orders_folder.stat().st_uid, -1)
        return f"in/{name}"

    def empty(self, name: str, count: int, size: int) -> None:
        """Remove the folder. Raises Broken unless as many whole files as wanted, and nothing else, lie in it."""
        path = self.server.orders_folder / name
        files = list(path.iterdir())
        whole = [file for file in files if file.suffix == ".xml" and file.stat().st_size == size]
        if len(whole) != count or len(files) != count:
            raise Broken(f"{self.title}: {len(whole)} whole files of {len(files)} arrived; {count} were brought.")
        shutil.rmtree(path)


def missing() -> list[str]:
    """Name what is not installed here."""
    found = {"vsftpd": Vsftpd.is_available(), "sshd": Sshd.is_available()}
    return [name for name, is_here in found.items() if not is_here]


def start(world: ExitStack) -> Iterator[Place]:
    """Start every server that is installed here; each is two places."""
    servers: list[RealServer] = []
    if Vsftpd.is_available():
        servers += [Vsftpd("ftp"), Vsftpd("ftps")]
    if Sshd.is_available():
        servers.append(Sshd())
    for server in servers:
        world.enter_context(server)
        yield Place(server, server.port, is_far=False)
        if server.protocol == "ftps":  # the relay cannot read in TLS which port the data goes to
            continue
        relay = DelayRelay if server.protocol == "sftp" else FtpDelayRelay
        far = world.enter_context(relay(server.host, server.port, ONE_WAY_SECONDS))
        yield Place(server, far.port, is_far=True)
