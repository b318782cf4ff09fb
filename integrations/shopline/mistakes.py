"""What the other side may have signed instead of SHOPLINE's canonical string: the usual mistakes, likeliest first."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from integrations.claimed_signatures import Candidate
from integrations.shopline import readings
from integrations.shopline.queries import QueryRefused, read_extended
from integrations.shopline.readings import Number, Reading, Values

MOST_AT_ONCE = 3  # mistakes in one signature
LONGEST_FOR_ALL = 1_000  # characters of a query for which mistakes are tried together
_INTEGER = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True)
class _Way:
    """One way to sort or to print, `told` blank for the right one."""

    rule: str = ""
    told: str = ""
    advice: str = ""


@dataclass(frozen=True)
class _Order(_Way):
    keys: Callable[[list[str], int], list[str]] = lambda names, depth: _as_javascript(sorted(names, key=_units))


@dataclass(frozen=True)
class _Print(_Way):
    text: Callable[[str], str] = lambda text: json.dumps(text, ensure_ascii=False)
    colon: str = ":"
    comma: str = ","


def candidates(query: str) -> Iterator[Candidate]:
    """Return what may have been signed of a query without its signature, single mistakes first."""
    read = [Reading("", "", "", read_extended), *readings.wrong(query)]
    found = [(reading, values) for reading in read if (values := _read(reading, query)) is not None]
    ways = [(sum(bool(way.told) for way in (row[0][0], *row[1:])), row) for row in product(found, _ORDERS, _PRINTS)]
    for count, ((reading, values), order, style) in sorted(ways, key=lambda way: way[0]):
        if 0 < count <= _most(reading, query):
            yield _candidate([reading, order, style], _printed(values, order, style, 0))
    for values in (values for reading, values in found if not reading.told):
        yield from _other_schemes(values)


def _most(reading: Reading, query: str) -> int:
    return MOST_AT_ONCE if len(query) <= LONGEST_FOR_ALL and reading.rule != "parameter" else 1


def _read(reading: Reading, query: str) -> Values | None:
    try:
        return reading.read(query)
    except QueryRefused:
        return None


def _candidate(mistakes: list[Reading | _Order | _Print], message: str) -> Candidate:
    made = [mistake for mistake in mistakes if mistake.told]
    told = "; ".join(mistake.told for mistake in made)
    advice = " ".join(dict.fromkeys(mistake.advice for mistake in made))
    return Candidate(message.encode("utf-8", "surrogatepass"), made[0].rule, told, advice)


def _printed(value: Any, order: _Order, style: _Print, depth: int) -> str:
    if isinstance(value, dict):
        rows = (
            style.text(name) + style.colon + _printed(value[name], order, style, depth + 1)
            for name in order.keys([*value], depth)
        )
        return "{" + style.comma.join(rows) + "}"
    if isinstance(value, list):
        return "[" + style.comma.join(_printed(inner, order, style, depth + 1) for inner in value) + "]"
    if isinstance(value, Number):
        return value.text
    return "null" if value is None else style.text(value)


def _other_schemes(values: Values) -> Iterator[Candidate]:
    """Return what other platforms would sign."""
    flat = {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in values.items()
    }
    advice = "SHOPLINE signs the sorted object as JSON text."
    for between, told in (("", "nothing"), ("&", "“&”")):
        message = between.join(f"{name}={flat[name]}" for name in sorted(flat))
        yield Candidate(
            message.encode("utf-8", "surrogatepass"), "form", f"key=value was signed with {told} between", advice
        )


def _units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _as_javascript(names: list[str]) -> list[str]:
    """Put keys like 0, 9, 10 first, as a JavaScript object does whatever was sorted."""
    whole = [name for name in names if _INTEGER.fullmatch(name) and int(name) < 2**32 - 1]
    return [*sorted(whole, key=int), *(name for name in names if name not in whole)]


def _ascii(text: str) -> str:
    return json.dumps(text)


def _with(*escapes: tuple[str, str], ascii_only: bool = False) -> Callable[[str], str]:
    def print_text(text: str) -> str:
        printed = json.dumps(text, ensure_ascii=ascii_only)
        for plain, escaped in escapes:
            printed = printed.replace(plain, escaped)
        return printed

    return print_text


_SORT = "Sort the keys of the object, and of every object inside it, by UTF-16 code unit."
_ORDERS = (
    _Order(),
    _Order("order", "the keys were not sorted", _SORT, lambda names, depth: _as_javascript(names)),
    _Order("order", "the keys were not sorted, keys like 10 neither", _SORT, lambda names, depth: names),
    _Order(
        "order",
        "only the outer keys were sorted",
        _SORT,
        lambda names, depth: _as_javascript(names if depth else sorted(names, key=_units)),
    ),
    _Order(
        "order",
        "keys like 9 and 10 were sorted as text",
        "A JavaScript object lists keys like 0, 9, 10 first, in the order of numbers.",
        lambda names, depth: sorted(names, key=_units),
    ),
    _Order(
        "order",
        "the keys were sorted by code point, and keys like 9 and 10 as text",
        f"{_SORT} A JavaScript object lists keys like 0, 9, 10 first, in the order of numbers.",
        lambda names, depth: sorted(names),
    ),
    _Order(
        "order",
        "the keys were sorted by code point",
        _SORT,
        lambda names, depth: _as_javascript(sorted(names)),
    ),
    _Order(
        "order",
        "the keys were sorted as in a dictionary, capitals among small letters",
        f"{_SORT} Capitals come before small letters; do not use localeCompare.",
        lambda names, depth: _as_javascript(sorted(names, key=lambda name: (name.casefold(), name.swapcase()))),
    ),
)
_ESCAPE = "Print as JavaScript's JSON.stringify does: "
_SPACES = f"{_ESCAPE}no space after “:” and “,”. In Python: separators=(',', ':')."
_HTML = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))
_LINES = (("\u2028", "\\u2028"), ("\u2029", "\\u2029"))
_CONTROLS = (("\\b", "\\u0008"), ("\\f", "\\u000c"))
_PRINTS = (
    _Print(),
    _Print("escape", "letters beyond ASCII were escaped as \\uXXXX", f"{_ESCAPE}letters as they are. In Python: "
           "ensure_ascii=False.", _ascii),
    _Print("escape", "there are spaces after “:” and “,”", _SPACES, colon=": ", comma=", "),
    _Print("escape", "there are spaces after “:” and “,”; letters beyond ASCII were escaped as \\uXXXX",
           f"{_SPACES[:-1]}, ensure_ascii=False.", _ascii, ": ", ", "),
    _Print("escape", "/ was escaped as \\/ and letters beyond ASCII as \\uXXXX",
           f"{_ESCAPE}/ and letters as they are. In PHP: JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE.",
           _with(("/", "\\/"), ascii_only=True)),
    _Print("escape", "/ was escaped as \\/", f"{_ESCAPE}/ as it is. In PHP: JSON_UNESCAPED_SLASHES.",
           _with(("/", "\\/"))),
    _Print("escape", "<, > and & were escaped", f"{_ESCAPE}< > & as they are. In Go: SetEscapeHTML(false).",
           _with(*_HTML)),
    _Print("escape", "<, >, & and the separators U+2028, U+2029 were escaped",
           f"{_ESCAPE}all of them as they are.", _with(*_HTML, *_LINES)),
    _Print("escape", "the separators U+2028 and U+2029 were escaped", f"{_ESCAPE}both as they are.", _with(*_LINES)),
    _Print("escape", "backspace and form feed were written \\u0008 and \\u000c", f"{_ESCAPE}\\b and \\f.",
           _with(*_CONTROLS)),
    _Print("escape", "the delete character was escaped as \\u007f", f"{_ESCAPE}as it is.", _with(("\x7f", "\\u007f"))),
)  # fmt: skip
