"""File servers of every kind for the tests: the sandbox's and, where they are installed, vsftpd and sshd."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.file_server import FileServer
from sandbox.file_servers import KINDS as SANDBOXES
from sandbox.ftp_options import FtpOptions
from sandbox.real_servers import RealServer, Sshd, Vsftpd
from suppliers.transports.errors import TransportError
from suppliers.transports.session import Server
from suppliers.transports.steps import Rename, Upload

SMALL, LARGE = b"<Order/>" * 100, b"<Order/>" * 50_000
REAL = ("vsftpd", "vsftpd_implicit", "sshd")

# What the same step is called by each: FTP, SFTP.
STEPS = {"login": ("PASS", "AUTH"), "upload": ("STOR", "WRITE"), "size": ("SIZE", "STAT"), "rename": ("RNTO", "RENAME")}


def make(kind: str, path: Path, **options: Any) -> FileServer | RealServer:
    """Return a server that is not started yet; a test whose program is not installed is skipped."""
    if kind in SANDBOXES:
        return SANDBOXES[kind](path / kind, "hemi", "right-password", options=FtpOptions(**options))
    program = Sshd if kind == "sshd" else Vsftpd
    if not program.is_available():
        pytest.skip(f"{program.__name__.lower()} is not installed, or not root")
    return Sshd() if kind == "sshd" else Vsftpd("ftps_implicit" if kind.endswith("implicit") else "ftps")


def where(server: FileServer | RealServer, **values: Any) -> Server:
    """Return how to reach a server."""
    known = {"host": server.host, "port": server.port, "username": server.user, "password": server.password}
    known |= {"protocol": server.protocol, "identity": server.identity, "connect_timeout": 3, "data_timeout": 3}
    if getattr(server, "has_password", True) is False:
        known |= {"private_key": server.private_key, "password": ""}
    return Server(**{**known, **values})


def command(server: FileServer, step: str) -> str:
    """Return what this server calls a step."""
    return STEPS[step][server.protocol == "sftp"]


def failure(call: Any, *arguments: Any) -> TransportError:
    """Return the TransportError that a call raises."""
    with pytest.raises(TransportError) as caught:
        call(*arguments)
    return caught.value


def upload(number: int, content: bytes = SMALL) -> Upload:
    """Return the upload of a numbered file."""
    return Upload(f"in/{number}.part", f"in/{number}.xml", content)


def rename(number: int) -> Rename:
    """Return the rename of a numbered file to its place."""
    return Rename(f"in/{number}.part", f"in/{number}.xml")


def ordered(server: FileServer | RealServer) -> dict[str, bytes]:
    """Return what lies in the folder of orders."""
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir()}
