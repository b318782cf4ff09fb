"""CSV: one row a line, whatever shoppers type, and nothing lost without being said."""

import csv
import io
from dataclasses import replace

import pytest

from suppliers.documents import csv_rows, formats
from suppliers.tests import shapes
from suppliers.tests.test_samples import CONTENT


def _rows(content, encoding="utf-8", delimiter=";"):
    rendered = csv_rows.render(content, encoding, delimiter, "C62")
    text = rendered.document.decode(encoding)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)), rendered


def test_a_row_says_what_the_line_says():
    (row,), rendered = _rows(CONTENT)
    assert (row["reference"], row["sku"], row["quantity"], row["unit"]) == ("HM000042-NORTH-1", "NW-1001", "2", "C62")
    assert (row["unit_price"], row["discount"], row["ship_to_city"]) == ("15.50", "1.00", "Łódź")
    assert row["properties"] == "Engraving: For Ola"
    assert rendered.ending == "csv" and rendered.remarks == []


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"])
def test_every_shape_has_one_row_a_line(delimiter, encoding):
    if not shapes.DATA.exists():
        pytest.skip("needs the reference data: HEMI_REFERENCE_DATA")
    for content in shapes.contents(120):
        rows, rendered = _rows(content, encoding, delimiter)
        assert len(rows) == len(content.lines) == rendered.document.count(b"\r\n") - 1
        assert all(set(row) == set(csv_rows.COLUMNS) for row in rows)


def test_what_looks_like_a_formula_is_the_shoppers_and_stays():
    note = '=HYPERLINK("http://x";"y")'
    (row,), rendered = _rows(replace(CONTENT, note=note, customer={**CONTENT.customer, "phone": "+48 600"}))
    assert (row["note"], row["customer_phone"]) == (note, "+48 600")
    assert rendered.remarks == ["1 field begins with =, +, - or @, which a spreadsheet may take for a formula."]


def test_a_line_break_inside_a_text_becomes_a_space():
    (row,), _ = _rows(replace(CONTENT, note="Ring\r\ntwice\u2028please"))
    assert row["note"] == "Ring twice please"


def test_what_the_encoding_lacks_is_spelled_and_named():
    (row,), rendered = _rows(replace(CONTENT, note="Łódź 東"), "iso-8859-1")
    assert row["note"] == "Lódz ?"
    assert any("Ł as L" in remark and "東 as ?" in remark for remark in rendered.remarks)


def test_a_cancellation_and_a_change_say_what_they_are():
    _, change, cancellation = shapes.changes(CONTENT)
    assert [row["change"] for row in _rows(change)[0]] == ["cancelled", "changed", "added", ""]
    rows, _ = _rows(cancellation)
    assert {(row["kind"], row["replaces"]) for row in rows} == {("cancellation", CONTENT.reference)}


def test_the_door_takes_the_suppliers_delimiter():
    settings = formats.FileSettings(format=formats.CSV, delimiter="\t")
    assert formats.render(CONTENT, settings).document.startswith(b"kind\treference\t")
