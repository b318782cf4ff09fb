"""Streams that are encrypted and authenticated piece by piece, so that a backup never lies in memory as a whole.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015, https://eprint.iacr.org/2015/189), which age uses as
well: AES-256-GCM over pieces of 64 KiB under a key of this file alone (HKDF of BACKUP_KEY and a random salt); the nonce
counts the pieces and says which is the last. A piece that was changed, moved, repeated or left out is refused, and so
is a file that ends early.
"""

import base64
import binascii
import hashlib
import io
import os
from collections.abc import Sequence
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"hemi-sealed-1\n"
PIECE = 64 * 1024
_KEY_BYTES, _SALT_BYTES, _NAME_BYTES, _TAG_BYTES = 32, 16, 8, 16


class Broken(Exception):
    """The file cannot be read: another key, another kind of file, or it was changed or cut."""


def key(text: str) -> bytes:
    """Return the bytes of a key as it stands in the settings: 32, in URL-safe base64. Raises ValueError."""
    try:
        found = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("it is not base64") from None
    if len(found) != _KEY_BYTES:
        raise ValueError(f"it has {len(found)} bytes instead of {_KEY_BYTES}")
    return found


class Sealer(io.RawIOBase):
    """Encrypts what is written to it into `target`; closing writes the last piece and leaves `target` open."""

    def __init__(self, target: BinaryIO, secret: bytes) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._header = MAGIC + _name(secret) + salt
        self._target, self._cipher = target, _cipher(secret, salt)
        self._held, self._count = bytearray(), 0
        target.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._held += view
        while len(self._held) > PIECE:  # the last piece is kept back, for it is marked
            self._seal(bytes(self._held[:PIECE]), is_last=False)
            del self._held[:PIECE]
        return len(view)

    def close(self) -> None:
        if not self.closed:
            self._seal(bytes(self._held), is_last=True)
        super().close()

    def _seal(self, piece: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._count, is_last), piece, self._header))
        self._count += 1


class Opener(io.RawIOBase):
    """Decrypts what it reads from `source` with the first of `secrets` that fits. Raises Broken."""

    def __init__(self, source: BinaryIO, secrets: Sequence[bytes]) -> None:
        self._header = source.read(len(MAGIC) + _NAME_BYTES + _SALT_BYTES)
        if not self._header.startswith(MAGIC) or len(self._header) != len(MAGIC) + _NAME_BYTES + _SALT_BYTES:
            raise Broken("This is no backup that Hemi made.")
        name, salt = self._header[len(MAGIC) : -_SALT_BYTES], self._header[-_SALT_BYTES:]
        fitting = [secret for secret in secrets if _name(secret) == name]
        if not fitting:
            raise Broken("None of the keys in BACKUP_KEY is the one that this backup was made with.")
        self._source, self._cipher = source, _cipher(fitting[0], salt)
        self._next = source.read(PIECE + _TAG_BYTES)
        self._plain, self._count, self._is_over = memoryview(b""), 0, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain and not self._is_over:
            self._open()
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._plain))
        view[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _open(self) -> None:
        piece, self._next = self._next, self._source.read(PIECE + _TAG_BYTES)
        is_last = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._count, is_last), piece, self._header)
        except (InvalidTag, ValueError):
            raise Broken("The backup was changed or cut: a piece of it is not as it was written.") from None
        self._plain, self._count, self._is_over = memoryview(plain), self._count + 1, is_last


def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=b"hemi backup").derive(secret))


def _name(secret: bytes) -> bytes:
    """Name a key without giving it away, so that a wrong one is told from a damaged file."""
    return hashlib.sha256(b"hemi backup key name" + secret).digest()[:_NAME_BYTES]


def _nonce(count: int, is_last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([is_last])
