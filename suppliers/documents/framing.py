"""How the process that works for Hemi and its child talk over a pipe: a header as JSON, then bytes."""

import json
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
_HEADER_LIMIT = 1_000_000


def send(pipe: BinaryIO, header: dict[str, Any], *blobs: bytes) -> None:
    """Write one message."""
    head = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
    pipe.write(b"".join((_LENGTH.pack(len(head)), head, *blobs)))
    pipe.flush()


def receive(pipe: BinaryIO, limit: int) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message. Raises EOFError when the other side is gone or says more than `limit` bytes."""
    length = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0]
    if length > _HEADER_LIMIT:
        raise EOFError("a header out of bounds")
    header = json.loads(_exactly(pipe, length))
    if sum(header["sizes"]) > limit:
        raise EOFError("a message out of bounds")
    return header, [_exactly(pipe, size) for size in header["sizes"]]


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError("the other side is gone")
    return data
