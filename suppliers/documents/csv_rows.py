"""CSV: a row for each line of the order, described in docs/supplier-files.md.

A text that begins like a formula of a spreadsheet is written as the shopper or the shop wrote it: what is put before it
would reach the supplier's system as part of a name, a phone number or an article number. Staff are told.
"""

import csv
import io
import re
import unicodedata
from datetime import UTC

from hemi.lib import money
from suppliers.documents import spelling
from suppliers.documents.content import CANCELLED, DocumentContent, LineContent
from suppliers.documents.rendered import Rendered, clean

_ADDRESS = ("name", "company", "address1", "address2", "zip", "city", "province", "country_code", "phone")
COLUMNS = (
    *("kind", "reference", "revision", "replaces", "test", "supplier", "shop", "order_number", "order_id"),
    *("placed_at", "currency", "customer_name", "customer_email", "customer_phone"),
    *(f"ship_to_{name}" for name in _ADDRESS),
    *("shipping_method", "note", "line", "line_id", "change", "sku", "title", "variant", "vendor"),
    *("quantity", "unit", "unit_price", "discount", "tax", "tax_included", "properties"),
)
_EMPTY = dict.fromkeys(COLUMNS, "")
_NOTHING = {"quantity": "0", "change": CANCELLED}  # of a file whose lines nobody knows any more
_FORMULA = re.compile(r"[=@]|[+-](?![\d\s().,/-]*$)")
_TOLD = 20  # characters named in a remark


def render(content: DocumentContent, encoding: str, delimiter: str, unit_code: str) -> Rendered:
    """Write the rows in the supplier's encoding. Nothing is lost silently: see the remarks."""
    remarks: list[str] = []
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    head = _head(content)
    formulas = 0
    ways: dict[str, str] = {}
    for line in [_line(content, line) for line in content.lines] or [_NOTHING]:
        row = {**_EMPTY, **head, **line, "unit": unit_code}
        # Spelled before it is quoted: “ may become a quotation mark of CSV.
        fields = [_spelled(_field(row[name], name, remarks), encoding, ways) for name in COLUMNS]
        formulas += sum(bool(_FORMULA.match(text)) for text in fields)
        writer.writerow(fields)
    _tell(ways, encoding, remarks)
    if formulas:
        noun = "field begins" if formulas == 1 else "fields begin"
        remarks.append(f"{formulas} {noun} with =, +, - or @, which a spreadsheet may take for a formula.")
    return Rendered(out.getvalue().encode(encoding), list(dict.fromkeys(remarks)), "csv")


def encoded(text: str, encoding: str, remarks: list[str]) -> bytes:
    """Encode `text`; what the encoding lacks is spelled in letters that it has, or "?", and named in `remarks`."""
    ways: dict[str, str] = {}
    spelled = _spelled(text, encoding, ways)
    _tell(ways, encoding, remarks)
    return spelled.encode(encoding)


def _spelled(text: str, encoding: str, ways: dict[str, str]) -> str:
    """Return `text` in what the encoding has, and note in `ways` what was written for which character."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        written = spelling.spell(text, lambda letter: _is_in(letter, encoding), {})[1]
        ways.update({letter: way or "?" for letter, way in written.items()})
        return "".join(ways.get(letter, letter) for letter in unicodedata.normalize("NFC", text))
    return text


def _tell(ways: dict[str, str], encoding: str, remarks: list[str]) -> None:
    if ways:
        said = ", ".join(f"{letter} as {way}" for letter, way in sorted(ways.items())[:_TOLD])
        remarks.append(f"The encoding {encoding} lacks some characters; written: {said}.")


def _head(content: DocumentContent) -> dict[str, str]:
    return {
        "kind": content.kind,
        "reference": content.reference,
        "revision": str(content.revision),
        "replaces": content.replaces,
        "test": "true" if content.is_test else "false",
        "supplier": content.supplier_code,
        "shop": content.shop,
        "order_number": content.order_number,
        "order_id": str(content.order_id),
        "placed_at": content.placed_at.astimezone(UTC).isoformat(timespec="seconds"),
        "currency": content.currency,
        "note": content.note,
        "shipping_method": ", ".join(title for title, _ in content.shipping_methods),
        **{f"customer_{name}": content.customer.get(name, "") for name in ("name", "email", "phone")},
        **{f"ship_to_{name}": content.ship_to.get(name, "") for name in _ADDRESS},
    }


def _line(content: DocumentContent, line: LineContent) -> dict[str, str]:
    return {
        "line": str(line.number),
        "line_id": str(line.shopify_id),
        "change": line.change,
        "sku": line.sku,
        "title": line.title,
        "variant": line.variant,
        "vendor": line.vendor,
        "quantity": str(line.quantity),
        "unit_price": money.text(line.unit_price),
        "discount": money.text(line.discount),
        "tax": money.text(line.tax),
        "tax_included": "true" if content.are_taxes_included else "false",
        "properties": " | ".join(f"{name}: {value}" for name, value in line.properties),
    }


def _field(text: str, name: str, remarks: list[str]) -> str:
    """One row is one line of the file: a line break inside a text becomes a space."""
    return " ".join(clean(text, name, remarks).splitlines())


def _is_in(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
