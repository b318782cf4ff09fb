"""Recognise a reply file by what is in it, and read it."""

from suppliers.reply_formats import csv_rows, hemi_1_0, trees, ubl
from suppliers.reply_formats.csv_rows import Columns
from suppliers.reply_formats.statements import Statement, Unreadable

LIMIT_BYTES = 1_000_000


def read(content: bytes, columns: Columns | None) -> tuple[str, list[Statement]]:
    """Return the format's name and what the file says. Raises Unreadable."""
    if len(content) > LIMIT_BYTES:
        raise Unreadable(f"It is larger than {LIMIT_BYTES:,} bytes.")
    if trees.looks_like_xml(content):
        return _read_xml(content)
    if columns is None:
        raise Unreadable(
            "It is no XML. If the supplier sends CSV, give the endpoint its CSV columns, then read it again."
        )
    return csv_rows.NAME, csv_rows.read(content, columns)


def _read_xml(content: bytes) -> tuple[str, list[Statement]]:
    root = trees.parse(content)
    if root.tag == hemi_1_0.ROOT:
        return hemi_1_0.NAME, hemi_1_0.read(root)
    if read_ubl := ubl.reader(root):
        return f"{ubl.NAME} {str(root.tag).rpartition('}')[2]}"[:30], read_ubl(root)
    raise Unreadable(f"It is none of the kinds that Hemi reads: its root element is {str(root.tag)[:200]}.")
