"""One client's SFTP session with a server of the sandbox, faults included."""

import asyncio
import inspect
import os
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh import SFTPError, SFTPPermissionDenied
from asyncssh.packet import String, UInt32
from asyncssh.sftp import SFTPName

from sandbox.file_server import FileServer
from sandbox.ftp_faults import Fault

HOLD_SECONDS = 0.02  # between two looks whether a hold is over


class Server(FileServer):
    """What a session needs from the server that it belongs to."""

    client_key = ""
    slowness = 0.0  # seconds before each operation
    connections: weakref.WeakSet[asyncssh.SSHServerConnection]


class Status(SFTPError):
    """A status that is sent as it is; asyncssh would turn those of later versions into a failure."""

    def encode(self, version: int) -> bytes:
        """Return what goes over the wire."""
        return UInt32(self.code) + String(self.reason) + String("")


class Login(asyncssh.SSHServer):
    """Let one user in, by password or by the key that the server was told of."""

    def __init__(self, sandbox: Server) -> None:
        self._sandbox = sandbox

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count a connection, or cut it where a fault says so."""
        number = self._sandbox.ledger.count_session()
        conn.set_extra_info(number=number)
        self._sandbox.connections.add(conn)
        if self._sandbox.faults.take("CONNECT"):
            conn.abort()

    def password_auth_supported(self) -> bool:
        """Allow passwords."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Check a password, unless a fault refuses it or never answers."""
        fault = self._sandbox.faults.take("AUTH")
        if fault and fault.hang:
            await asyncio.Event().wait()
        if fault and fault.hold:
            await _released(fault)
            fault = None
        is_right = (username, password) == (self._sandbox.user, self._sandbox.password) and not fault
        self._sandbox.ledger.count_login(accepted=is_right)
        return is_right

    def public_key_auth_supported(self) -> bool:
        """Allow keys."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Check a key."""
        known = self._sandbox.client_key
        is_right = username == self._sandbox.user and bool(known) and key == asyncssh.import_public_key(known)
        self._sandbox.ledger.count_login(accepted=is_right)
        return is_right


class Files(asyncssh.SFTPServer):
    """Serve the files; every operation is logged and may be spoiled."""

    def __init__(self, channel: asyncssh.SSHServerChannel, sandbox: Server) -> None:
        super().__init__(channel, chroot=os.fsencode(sandbox.root))
        self._sandbox = sandbox
        self._number = channel.get_connection().get_extra_info("number")

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open a file."""
        return await self._play("OPEN", path, lambda: super(Files, self).open(path, pflags, attrs))

    async def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        """Write a part of a file, or half of it where a fault says so."""
        name = os.fsencode(file_obj.name)
        fault = self._sandbox.faults.take("WRITE", os.fsdecode(name))
        if fault and (fault.short or fault.moment == "during"):
            data = data[: len(data) // 2]
        return await self._play("WRITE", name, lambda: super(Files, self).write(file_obj, offset, data), fault)

    async def close(self, file_obj: Any) -> None:
        """Close a file, and tell the sandbox of one that was uploaded."""
        await self._play("CLOSE", os.fsencode(file_obj.name), lambda: self._end(file_obj))

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        """Read a part of a file."""
        return await self._play(
            "READ", os.fsencode(file_obj.name), lambda: super(Files, self).read(file_obj, offset, size)
        )

    async def stat(self, path: bytes) -> Any:
        """Tell what a file is, unless this server does not."""
        return await self._play("STAT", path, lambda: self._stat(path))

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """List a folder, unless this server does not."""
        await self._play("READDIR", path, self._allow_listing)
        async for name in super().scandir(path):
            yield name

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename; an existing name is refused."""
        await self._play("RENAME", oldpath, lambda: self._rename(oldpath, newpath))

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename, replacing what is there."""
        await self._play("POSIX-RENAME", oldpath, lambda: super(Files, self).posix_rename(oldpath, newpath))

    async def remove(self, path: bytes) -> None:
        """Delete a file."""
        await self._play("REMOVE", path, lambda: super(Files, self).remove(path))

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Make a folder."""
        await self._play("MKDIR", path, lambda: super(Files, self).mkdir(path, attrs))

    async def realpath(self, path: bytes) -> bytes:
        """Say what a path really is."""
        return await self._play("REALPATH", path, lambda: super(Files, self).realpath(path))

    async def _play(self, command: str, path: bytes, work: Callable[[], Any], fault: Fault | None = None) -> Any:
        if self._sandbox.slowness:
            await asyncio.sleep(self._sandbox.slowness)
        told = os.fsdecode(path)
        entry = self._sandbox.ledger.record(self._number, command, told)
        fault = fault or self._sandbox.faults.take(command, told)
        if fault and fault.moment == "before":
            await self._spoil(fault)
        result = work()
        if inspect.isawaitable(result):
            result = await result
        if fault and not fault.short:
            await self._spoil(fault)
        entry[-1] = 0
        return result

    async def _spoil(self, fault: Fault) -> None:
        if fault.hold and fault.hold != "during":
            await _released(fault)
            return
        if fault.reply:
            code, text = fault.reply
            raise Status(code, text)
        if fault.cut:
            self.connection.abort()
        await asyncio.Event().wait()  # no reply

    def _end(self, file_obj: Any) -> None:
        is_upload = file_obj.writable()
        super().close(file_obj)
        if is_upload:
            self._sandbox.file_arrived(Path(os.fsdecode(file_obj.name)))

    def _stat(self, path: bytes) -> Any:
        if not self._sandbox.options.has_size:
            raise SFTPPermissionDenied("Permission denied")
        return super().stat(path)

    def _allow_listing(self) -> None:
        if not self._sandbox.options.can_list:
            raise SFTPPermissionDenied("Permission denied")

    def _rename(self, oldpath: bytes, newpath: bytes) -> None:
        target = Path(os.fsdecode(self.map_path(newpath)))
        source = Path(os.fsdecode(self.map_path(oldpath)))
        if not self._sandbox.options.can_rename_inbound and source.parent == self._sandbox.replies_folder:
            raise SFTPPermissionDenied("Permission denied")
        super().rename(oldpath, newpath)
        self._sandbox.file_arrived(target)


async def _released(fault: Fault) -> None:
    while not fault.is_released:
        await asyncio.sleep(HOLD_SECONDS)
