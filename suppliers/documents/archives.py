"""A zip of XML schemas, as a supplier gives it: opened with limits, since it comes from outside."""

import io
import posixpath
import stat
import zipfile
import zlib

MAX_ARCHIVE = 5_000_000
MAX_FILES = 300
MAX_BYTES = 30_000_000
MAX_RATIO = 100
# What unpacks no further than it is asked to; Python's readers of bzip2 and LZMA unpack all at once.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SCHEMAS = (".xsd", ".dtd", ".xml", ".mod", ".ent")


class BadArchive(ValueError):
    """The zip cannot be used; the text says why."""


def files(archive: bytes) -> dict[str, bytes]:
    """Return the schema files of a zip by their path. Raises BadArchive."""
    if len(archive) > MAX_ARCHIVE:
        raise BadArchive(f"The zip is larger than {MAX_ARCHIVE // 1_000_000} MB.")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = _checked(opened.infolist())
            return {entry.filename: _read(opened, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, UnicodeDecodeError) as error:
        raise BadArchive(f"The file is not a zip that can be read: {error}") from None


def _checked(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    if len(entries) > MAX_FILES:
        raise BadArchive(f"The zip has {len(entries)} entries; at most {MAX_FILES} are read.")
    for entry in entries:
        _check(entry)
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise BadArchive("The zip names a file twice.")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise BadArchive(f"The zip unpacks to more than {MAX_BYTES // 1_000_000} MB.")
    return [entry for entry in entries if entry.filename.lower().endswith(_SCHEMAS)]


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    plain = name.rstrip("/")
    if "\\" in name or ":" in name or name.startswith("/") or posixpath.normpath(plain) != plain or ".." in plain:
        raise BadArchive(f"The zip holds the path {name!r:.100}, which leads out of it.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise BadArchive(f"The zip holds a link, {name!r:.100}; put the file itself there.")
    if entry.flag_bits & 0x1:
        raise BadArchive("The zip is encrypted.")
    if entry.compress_type not in _METHODS:
        raise BadArchive("The zip is packed in an unusual way. Pack it again, with the ordinary method (deflate).")
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1_000):
        raise BadArchive(f"{name!r:.100} is compressed more than {MAX_RATIO} to 1, which no schema is.")


def _read(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with opened.open(entry) as file:
        content = file.read(MAX_BYTES + 1)  # a header may lie about the size
    if len(content) > entry.file_size:
        raise BadArchive(f"{entry.filename!r:.100} is larger than the zip says.")
    return content
