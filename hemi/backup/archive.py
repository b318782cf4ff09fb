"""The file of a backup: a tar, compressed, sealed with BACKUP_KEY; written and read as a stream."""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from hemi.backup.manifest import BackupError, Manifest, digest
from hemi.lib import sealed

MANIFEST = "manifest.json"
_BUFFER = 1 << 20
_QUICK = 3  # gzip: a fifth of the time of the default for a tenth more bytes
_MANIFEST_BYTES = 10_000_000


def secrets(keys: Sequence[str]) -> list[bytes]:
    """Return the keys of the setting as bytes. Raises BackupError."""
    if not keys:
        raise BackupError(
            "BACKUP_KEY is not set. Make one with: python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())', put it into the environment, and keep a copy away from this "
            "machine: without it no backup can ever be read."
        )
    try:
        return [sealed.key(text) for text in keys]
    except ValueError as error:
        raise BackupError(f"BACKUP_KEY cannot be used: {error}. .env.example says how to make one.") from None


def write(target: Path, members: Iterable[tuple[str, Path]], manifest: Manifest, secret: bytes) -> None:
    """Write the members and then the manifest, with each member's SHA-256, to a new file that only its owner reads."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with (
            sealed.Sealer(file, secret) as sealer,
            io.BufferedWriter(sealer, _BUFFER) as buffer,
            gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=_QUICK, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", dereference=True) as tar,
        ):
            for name, path in members:
                if found := _pack(tar, name, path):
                    manifest.files[name] = found
            _add(tar, MANIFEST, manifest.as_json())
        file.flush()
        os.fsync(file.fileno())


def unpack(source: Path, folder: Path, keys: Sequence[bytes]) -> Manifest:
    """Unpack into an empty `folder` and compare every file with the manifest. Raises BackupError."""
    try:
        with source.open("rb") as file, io.BufferedReader(sealed.Opener(file, keys), _BUFFER) as opened:
            with gzip.GzipFile(fileobj=opened, mode="rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
                for member in tar:
                    _take(tar, member, folder)
                _to_the_end(packed)
            _to_the_end(opened)
    except sealed.Broken as error:
        raise BackupError(f"{source}: {error}") from None
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise BackupError(f"{source} cannot be read: {error}") from None
    if not (folder / MANIFEST).exists():
        raise BackupError(f"{source} is no backup that Hemi made.")
    manifest = Manifest.parse((folder / MANIFEST).read_bytes())
    for name, wanted in manifest.files.items():
        if not (folder / name).is_file() or digest(folder / name) != wanted:
            raise BackupError(f"{source}: {name} is not as it was when the backup was made.")
    return manifest


class _Read:
    """A file as it is packed: its SHA-256 is of what was read, for Hemi goes on writing to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, count: int = -1, /) -> bytes:
        data = self._file.read(count)
        data += b"\0" * (count - len(data))  # it became shorter meanwhile
        self.digest.update(data)
        return data


def _pack(tar: tarfile.TarFile, name: str, path: Path) -> str:
    """Add a file; return its SHA-256, or nothing where it was removed meanwhile."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return ""
    with file:
        content = _Read(file)
        tar.addfile(tar.gettarinfo(arcname=name, fileobj=file), content)
    return content.digest.hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = PurePosixPath(member.name)
    if not member.isfile() or path.is_absolute() or ".." in path.parts:
        raise BackupError(f"The backup holds something that is no plain file: {member.name}")
    source, target = tar.extractfile(member), folder / path
    assert source
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with source, target.open("xb") as file:
        while data := source.read(_BUFFER):
            file.write(data)
    target.chmod(0o600)
    os.utime(target, (member.mtime, member.mtime))


def _to_the_end(stream: io.BufferedIOBase) -> None:
    """Read what is left: only the last piece says that the file was not cut."""
    while stream.read(_BUFFER):
        pass
