"""CSV replies, read from their bytes and the columns of an endpoint."""

import pytest

from suppliers.reply_formats import csv_rows, reading
from suppliers.reply_formats.csv_rows import Columns
from suppliers.reply_formats.statements import LineStatement, Unreadable

PLACES = {
    "reference": "Auftrag",
    "status": "Status",
    "sku": "Artikel",
    "quantity": "Menge",
    "despatch": "Lieferschein",
    "carrier": "Spedition",
    "tracking_number": "Sendung",
}
WORDS = csv_rows.words("versandt = shipped\noffen = nothing\nbestätigt = accepted")
HEADER = "Auftrag;Status;Artikel;Menge;Lieferschein;Spedition;Sendung\n"


def read(content, columns=None):
    return reading.read(content, columns)[1]


def columns(**changes):
    return Columns(**{"places": PLACES, "encoding": "utf-8", "words": WORDS, **changes})


def test_rows_of_many_orders_lines_and_shipments():
    rows = "A;Versandt;MUG;2;L1;DHL;JJ1\nA;versandt;TEE;1;L1;DHL;JJ1\nA;bestätigt;CAP;1;;;\nB;versandt;;;;;\n"
    first, second, third = read((HEADER + rows).encode(), columns())
    assert first.lines == (LineStatement("", "MUG", "shipped", 2), LineStatement("", "TEE", "shipped", 1))
    assert (first.reference, first.despatch, first.numbers) == ("A", "L1", ("JJ1",))
    assert (second.reference, second.lines) == ("A", (LineStatement("", "CAP", "accepted", 1),))
    assert (third.reference, third.status, third.lines) == ("B", "shipped", ())


def test_bad_rows_are_told_and_good_ones_count():
    rows = "A;versandt;;;;;\n;versandt;;;;;\nB;verloren;;;;;\nC;versandt;MUG;1,5;;;\nD;offen;;;;;\n"
    said = read((HEADER + rows).encode(), columns())
    assert [one.reference for one in said if not one.fault] == ["A"]
    faults = [one.fault for one in said if one.fault]
    assert [one.reference for one in said if one.fault] == ["", "B", "C"]
    assert faults[0] == "Row 3: It names no order."
    assert "“verloren”" in faults[1] and "whole pieces" in faults[2]


def test_a_whole_order_in_two_parcels_is_one_shipment_with_both_numbers():
    rows = "A;versandt;;;;;JJ1\nA;versandt;;;;;JJ2\nB;versandt;MUG;1;;;JJ3\nB;versandt;MUG;1;;;JJ4\n"
    whole, *each = read((HEADER + rows).encode(), columns())
    assert (whole.status, whole.despatch, whole.numbers) == ("shipped", "JJ1", ("JJ1", "JJ2"))
    assert [one.despatch for one in each] == ["JJ3", "JJ4"]


@pytest.mark.parametrize("word", ["versandt", "bestätigt"])
def test_a_quantity_of_no_article_says_nothing_of_the_order(word):
    (said,) = read((HEADER + f"A;{word};;1;;;\n").encode(), columns())
    assert (said.reference, said.kind) == ("A", "") and "a quantity and no article" in said.fault


def test_columns_by_number_without_a_header():
    by_number = columns(places={"reference": "2", "status": "1"}, has_header=False, delimiter=",")
    assert [one.reference for one in read(b"shipped,A\nshipped,B\n", by_number)] == ["A", "B"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (HEADER.encode(), "no rows"),
        (b"Nummer;Status\nA;versandt\n", "no column “Auftrag”"),
        ((HEADER + "A;best\u00e4tigt;;;;;\n").encode("latin-1"), "not in utf-8"),
        ((HEADER + "A;versandt\0;;;;;\n").encode(), "NUL"),
        ((HEADER + '"A;versandt;;;;;\nB;versandt;;;;;\n').encode(), "not well-formed CSV"),
        (b";" * 900_000, "more than 200 columns"),
        (HEADER.encode() + b"A;versandt;;;;;\n" * 20_001, "more than 20,000 rows"),
        (b"x" * 500_000, "not well-formed CSV"),
    ],
)
def test_hostile_files_are_refused_whole(content, why):
    with pytest.raises(Unreadable, match=why):
        read(content, columns())


def test_without_columns_the_endpoint_has_none():
    with pytest.raises(Unreadable, match="CSV columns"):
        read(b"A;shipped\n")


@pytest.mark.parametrize("text", ["versandt", "versandt = sent", "= shipped"])
def test_words_that_cannot_be_used_are_refused(text):
    with pytest.raises(ValueError, match="The states are"):
        csv_rows.words(text)
