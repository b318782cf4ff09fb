"""CSV replies: a row is an order or a line of it, as an endpoint's columns say. Good rows count, bad ones are told."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from suppliers.reply_formats.statements import SHIPPED, STATES, LineStatement, Statement, Unreadable, pieces

NAME = "CSV"
NOTHING = "nothing"
MOST_COLUMNS = 200
MOST_ROWS = 20_000
MOST_FAULTS = 200  # bad rows that are told one by one
_LONGEST = {
    "reference": 200,
    "status": 100,
    "quantity": 20,
    "sku": 255,
    "supplier_reference": 200,
    "reason": 500,
    "despatch": 200,
    "carrier": 100,
    "tracking_number": 200,
    "tracking_url": 500,
}
FIELDS = tuple(_LONGEST)


@dataclass(frozen=True)
class Columns:
    """Where each field stands: by the name in the first row, or by its number from 1. Blank: there is none."""

    places: dict[str, str]
    delimiter: str = ";"
    encoding: str = "utf-8"
    has_header: bool = True
    words: dict[str, str] = field(default_factory=dict)


def words(text: str) -> dict[str, str]:
    """Read a supplier's words for the states, one `word = state` a line. Raises ValueError."""
    found = {state: state for state in STATES}
    for line in text.splitlines():
        if not line.strip():
            continue
        word, _, state = (part.strip().casefold() for part in line.rpartition("="))
        if not word or state not in (*STATES, NOTHING):
            raise ValueError(f"“{line.strip()}” is not like: versandt = shipped. The states are {_CHOICES}.")
        found[word] = "" if state == NOTHING else state
    return found


_CHOICES = f"{', '.join(STATES)} and {NOTHING} (the row says nothing)"


def read(content: bytes, columns: Columns) -> list[Statement]:
    """Return what the file says: a statement for each order, or for each of its shipments. Raises Unreadable."""
    rows = _rows(_decode(content, columns.encoding), columns.delimiter)
    numbered = enumerate(rows, start=1)
    header = next(numbered, (0, []))[1] if columns.has_header else []
    places = {name: _place(place, header) for name, place in columns.places.items() if place}
    gathered = _Gathered()
    for number, row in numbered:
        if not any(cell.strip() for cell in row):
            continue
        if number > MOST_ROWS:
            raise Unreadable(f"It has more than {MOST_ROWS:,} rows.")
        reference = _reference(row, places)
        try:
            gathered.add(_values(row, places), columns.words)
        except Unreadable as error:
            # The row's number changes from snapshot to snapshot; the order that it names does not.
            gathered.faults.append((reference, str(error) if reference else f"Row {number}: {error}"))
    if not gathered.orders and not gathered.faults and not gathered.silent:
        raise Unreadable("It has no rows.")
    return list(gathered.statements())


@dataclass
class _Gathered:
    """The rows of a file by the order, the state of a whole order and the shipment that they are about."""

    orders: dict[tuple[str, str, str], list[dict[str, str]]] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    silent: int = 0

    def add(self, values: dict[str, str], states: dict[str, str]) -> None:
        reference = values.get("reference", "")
        if not reference:
            raise Unreadable("It names no order.")
        word = values.get("status", "")
        if word.casefold() not in states:
            raise Unreadable(f"“{word[:40]}” is not among the words for the states.")
        values["status"] = state = states[word.casefold()]
        if quantity := values.get("quantity", ""):
            pieces(quantity, "quantity")
        if not state:
            self.silent += 1
            return
        if quantity and not values.get("sku"):
            raise Unreadable(
                "It gives a quantity and no article: it needs a SKU, or the endpoint's columns no quantity."
            )
        key = (reference, "" if values.get("sku") else state, _shipment(values) if state == SHIPPED else "")
        self.orders.setdefault(key, []).append(values)

    def statements(self) -> Iterator[Statement]:
        for (reference, state, despatch), rows in self.orders.items():
            yield _statement(reference, state, despatch, rows)
        for reference, fault in self.faults[:MOST_FAULTS]:
            yield Statement(reference, fault=fault)
        if (more := len(self.faults) - MOST_FAULTS) > 0:
            yield Statement("", fault=f"{more} more rows cannot be read.")


def _shipment(values: dict[str, str]) -> str:
    """Name the shipment that a row is about; rows of a whole order with several tracking numbers are one."""
    return values.get("despatch") or (values.get("tracking_number", "") if values.get("sku") else "")


def _statement(reference: str, state: str, despatch: str, rows: list[dict[str, str]]) -> Statement:
    tracking = {row["tracking_number"]: row.get("tracking_url", "") for row in rows if row.get("tracking_number")}
    is_whole = bool(state)
    if is_whole and state == SHIPPED:
        despatch = despatch or next(iter(tracking), "")
    return Statement(
        reference=reference,
        status=state,
        lines=() if is_whole else tuple(_line(row) for row in rows),
        supplier_reference=_first(rows, "supplier_reference"),
        reason=_first(rows, "reason") if is_whole else "",
        despatch=despatch,
        carrier=_first(rows, "carrier"),
        numbers=tuple(tracking),
        urls=tuple(tracking.values()),
    )


def _line(row: dict[str, str]) -> LineStatement:
    quantity = row.get("quantity", "")
    return LineStatement(
        sku=row["sku"],
        status=row["status"],
        quantity=pieces(quantity, "quantity") if quantity else None,
        reason=row.get("reason", ""),
    )


def _first(rows: list[dict[str, str]], name: str) -> str:
    return next((row[name] for row in rows if row.get(name)), "")


def _decode(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except (UnicodeError, LookupError):
        raise Unreadable(f"It is not in {encoding}. Give the right encoding in the endpoint's CSV columns.") from None
    if "\0" in text:
        raise Unreadable("It contains NUL characters, which no text does.")
    return text


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if len(row) > MOST_COLUMNS:
                raise Unreadable(f"Row {reader.line_num} has more than {MOST_COLUMNS} columns.")
            yield row
    except csv.Error as error:
        # Where a quote is never closed nobody can tell which rows it has swallowed: none of them counts.
        raise Unreadable(f"It is not well-formed CSV (line {reader.line_num}): {error}.") from None


def _place(place: str, header: list[str]) -> int:
    names = [name.strip().casefold() for name in header]
    if place.strip().casefold() in names:
        return names.index(place.strip().casefold())
    if place.strip().isascii() and place.strip().isdigit() and int(place) > 0:
        return int(place) - 1
    raise Unreadable(f"It has no column “{place}”. Mend the endpoint's CSV columns, then read it again.")


def _reference(row: list[str], places: dict[str, int]) -> str:
    """Return the order that a row names, as far as the list can show it."""
    place = places.get("reference")
    named = " ".join(row[place].split()) if place is not None and place < len(row) else ""
    return named if len(named) <= _LONGEST["reference"] else ""


def _values(row: list[str], places: dict[str, int]) -> dict[str, str]:
    values = {name: " ".join(row[place].split()) for name, place in places.items() if place < len(row)}
    for name, most in _LONGEST.items():
        if len(values.get(name, "")) > most:
            raise Unreadable(f"Its {name.replace('_', ' ')} is longer than {most} characters.")
    return values
