"""The formats that suppliers get, behind one door."""

import codecs
from dataclasses import dataclass

from suppliers.documents import confined, csv_rows, hemi_1_0, ubl_2_1
from suppliers.documents.content import DocumentContent
from suppliers.documents.rendered import InvalidDocument, Rendered

HEMI, UBL, CSV, OWN = "hemi-1.0", "ubl-2.1", "csv", "own"


@dataclass(frozen=True)
class FileSettings:
    """How a supplier wants its files. `stylesheet` belongs to OWN, whose files end in `ending`."""

    format: str = HEMI
    encoding: str = "utf-8"
    delimiter: str = ";"
    unit_code: str = "C62"
    stylesheet: confined.Source | None = None
    ending: str = "xml"
    schema: confined.Source | None = None


def render(content: DocumentContent, settings: FileSettings) -> Rendered:
    """Make the document and check it with the supplier's schema. Raises InvalidDocument."""
    if settings.format == CSV:
        return csv_rows.render(content, settings.encoding, settings.delimiter, settings.unit_code)
    if settings.format == OWN:
        return _own(content, settings)
    if settings.format == UBL:
        rendered = ubl_2_1.render(content, settings.encoding, settings.unit_code)
    else:
        rendered = hemi_1_0.render(content, settings.encoding)
    if settings.schema:
        confined.make(rendered.document, None, settings.schema)
    return rendered


def _own(content: DocumentContent, settings: FileSettings) -> Rendered:
    if settings.stylesheet is None:
        raise InvalidDocument("The supplier has a format of its own and no live mapping. Make a mapping live.")
    source = hemi_1_0.render(content, "utf-8")
    document, method = confined.make(source.document, settings.stylesheet, settings.schema)
    remarks = source.remarks
    if method == "text":
        document = csv_rows.encoded(document.decode(), settings.encoding, remarks)
    else:
        _check_encoding(document, settings.encoding)
    return Rendered(document, remarks, settings.ending)


def _check_encoding(document: bytes, encoding: str) -> None:
    try:
        codecs.decode(document, encoding)
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"The document is not in {encoding}, as the supplier wants it: {error.reason}.") from None
