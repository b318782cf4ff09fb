"""What an SFTP server says of files: attributes, and the names of a folder."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from suppliers.transports.session import Entry
from suppliers.transports.sftp_wire import Fields

_SIZE, _OWNER, _MODE, _TIMES, _MORE = 0x1, 0x2, 0x4, 0x8, 0x80000000


@dataclass(frozen=True)
class Attributes:
    """What is told of a file; None is not told."""

    size: int | None = None
    mode: int | None = None
    modified_at: datetime | None = None

    @property
    def is_folder(self) -> bool:
        """Tell whether it is known to be a folder."""
        return self.mode is not None and stat.S_ISDIR(self.mode)

    def is_file(self, line: str) -> bool:
        """Tell whether it is a regular file; `line` is what `ls -l` would show, for servers that tell no mode."""
        if self.mode is not None and stat.S_IFMT(self.mode):
            return stat.S_ISREG(self.mode)
        return line.startswith("-")


def attributes(fields: Fields) -> Attributes:
    """Read the attributes of one file."""
    flags = fields.get_int()
    size = fields.get_int64() if flags & _SIZE else None
    if flags & _OWNER:
        fields.get_int64()
    mode = fields.get_int() if flags & _MODE else None
    modified_at = None
    if flags & _TIMES:
        fields.get_int()
        modified_at = datetime.fromtimestamp(fields.get_int(), UTC)
    if flags & _MORE:
        for _ in range(min(fields.get_int(), 100)):
            fields.get_binary()
            fields.get_binary()
    return Attributes(size, mode, modified_at)


def entries(fields: Fields, encoding: str) -> Iterator[tuple[str, Entry]]:
    """Read the regular files of a reply to READDIR."""
    for _ in range(fields.get_int()):
        name = fields.get_binary().decode(encoding, "surrogateescape")
        line = fields.get_binary().decode("utf-8", "replace")
        found = attributes(fields)
        if found.is_file(line):
            yield name, Entry(found.size or 0, found.modified_at)
