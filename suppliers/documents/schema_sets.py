"""A supplier's own XML schemas, compiled from their zip. Only the child process imports this."""

import posixpath
import urllib.parse
from typing import Any

from lxml import etree

from suppliers.documents import archives, faults
from suppliers.documents.rendered import InvalidDocument

_INSIDE = "zip:///"


class _Inside(etree.Resolver):
    """Finds what a schema imports in its zip, and nowhere else."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.files = files
        self.missing: list[str] = []

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # type: ignore[override]
        name = urllib.parse.unquote(posixpath.normpath((system_url or "").removeprefix(_INSIDE)))
        if (system_url or "").startswith(_INSIDE) and name in self.files:
            return self.resolve_string(self.files[name], context, base_url=_INSIDE + name)
        self.missing.append(system_url or "a file without a name")
        return self.resolve_string(b"", context, base_url="")


def compiled(archive: bytes, main: str) -> etree.XMLSchema:
    """Compile the main document of a zip with all it imports. Raises InvalidDocument in words."""
    try:
        files = archives.files(archive)
    except archives.BadArchive as error:
        raise InvalidDocument(str(error)) from None
    if main not in files:
        others = f"It has, for example, {', '.join(sorted(files)[:5])}." if files else "It has no schema at all."
        raise InvalidDocument(f"The zip has no document {main}. {others}")
    inside = _Inside(files)
    parser = etree.XMLParser(no_network=True, load_dtd=False, huge_tree=False)
    parser.resolvers.add(inside)
    try:
        return etree.XMLSchema(etree.fromstring(files[main], parser, base_url=_INSIDE + main))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        if inside.missing:
            name = inside.missing[0].removeprefix(_INSIDE)
            raise InvalidDocument(f"The schema names {name}, which is not in the zip.") from None
        if isinstance(error, etree.XMLSyntaxError):  # its log is that of the whole process, others' faults first
            raise InvalidDocument(f"The schema cannot be used: {error.msg}"[:600]) from None
        raise faults.of(error, "The schema cannot be used") from None


def check(schema: etree.XMLSchema, document: etree._Element) -> None:
    """Raises InvalidDocument with the first fault and its line."""
    if not schema.validate(document):
        first = schema.error_log[0]  # type: ignore[index]
        raise InvalidDocument(f"The supplier's schema refuses the document, line {first.line}: {first.message}"[:600])
