"""The formats that suppliers get, behind one door."""

import codecs
from dataclasses import dataclass, replace

from suppliers.documents import confined, csv_rows, hemi_1_0, ubl_2_1
from suppliers.documents.content import CANCELLATION, ORDER, DocumentContent
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
    # What was cancelled may be known by its reference only.
    if not content.lines and content.kind != CANCELLATION:
        raise InvalidDocument("No line of it is wanted any more.")
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
    if content.kind != ORDER:
        _check_kind(content, settings.stylesheet, document)
    remarks = source.remarks
    if method == "text":
        document = csv_rows.encoded(document.decode(), settings.encoding, remarks)
    else:
        _check_encoding(document, settings.encoding)
    return Rendered(document, remarks, settings.ending)


def _source(content: DocumentContent) -> bytes:
    return hemi_1_0.render(content, "utf-8").document


def _check_encoding(document: bytes, encoding: str) -> None:
    try:
        codecs.decode(document, encoding)
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"The document is not in {encoding}, as the supplier wants it: {error.reason}.") from None


def _check_kind(content: DocumentContent, stylesheet: confined.Source, document: bytes) -> None:
    """Refuse a later file that the supplier would take for one more order, since its mapping knows of orders only."""
    as_order = replace(content, kind=ORDER)
    if content.kind != CANCELLATION:  # of the others the reference that they replace tells enough
        as_order = replace(as_order, replaces="", lines=tuple(replace(line, change="") for line in content.lines))
    # Once more as it is, since a mapping may write the time, and by that alone would differ from the first.
    made = [confined.make(_source(said), stylesheet, None)[0] for said in (as_order, content)]
    if made[0] in (document, made[1]):
        raise InvalidDocument(
            f"The mapping writes a {content.kind} like a new order, and it would be made once more. Have the "
            "mapping heed Order/@kind, or tell the supplier in another way and cancel this part."
        )
