"""Other ways to read a query than SHOPLINE's, as the other side may have read what it signed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from integrations.shopline.queries import QueryRefused, read_extended

Values = dict[str, Any]  # as queries.Value, with numbers and nothing at all besides
PROXY_NAMES = ("merchant_id", "customer_id", "path_prefix", "timestamp")
MOST_LEFT_OUT = 20  # parameters that are left out one by one
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,14}")


@dataclass(frozen=True)
class Reading:
    """One way to read a query; `told` says what is different."""

    rule: str
    told: str
    advice: str
    read: Callable[[str], Values]


@dataclass(frozen=True)
class Number:
    """A value that is printed without quotes."""

    text: str


def wrong(query: str) -> Iterator[Reading]:
    """Return the wrong readings that are usual; `query` has no signature any more."""
    yield from _REPEATED
    yield from _DECODED
    yield from _TYPED
    names = dict.fromkeys(name for name, _ in _pairs(query))
    added = [name for name in names if name not in PROXY_NAMES]
    for name in added[:MOST_LEFT_OUT]:
        yield _without(f"“{name[:60]}”", {name})
    if len(added) > 1:
        yield _without("everything but merchant_id, customer_id, path_prefix and timestamp", set(added))
    for name in PROXY_NAMES:
        if name in names:
            yield _without(name, {name})


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _without(told: str, names: set[str]) -> Reading:
    def read(query: str) -> Values:
        return read_extended(urlencode([pair for pair in _pairs(query) if pair[0] not in names]))

    advice = (
        "Every parameter of the address is signed but “signature”: sign the address as it is sent, and let nothing "
    )
    return Reading(
        "parameter", f"{told} was not signed", f"{advice}be added to it later (advertising adds some).", read
    )


def _flat(choose: Callable[[list[str]], Any]) -> Callable[[str], Values]:
    def read(query: str) -> Values:
        found: dict[str, list[str]] = {}
        for name, value in _pairs(query):
            found.setdefault(name, []).append(value)
        return {name: choose(values) for name, values in found.items()}

    return read


def _raw(query: str) -> Values:
    return read_extended(query.replace("%", "%25").replace("+", "%2B"))


def _mapped(change: Callable[[str], Any]) -> Callable[[str], Values]:
    def map_value(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: map_value(inner) for name, inner in value.items()}
        return [map_value(inner) for inner in value] if isinstance(value, list) else change(value)

    return lambda query: {name: map_value(value) for name, value in read_extended(query).items()}


def _dropped(query: str) -> Values:
    return {name: value for name, value in read_extended(query).items() if value != ""}


def _with_null(query: str) -> Values:
    return {name: None if value == "" else value for name, value in read_extended(query).items()}


def _with_number(query: str) -> Values:
    values = read_extended(query)
    stamp = values.get("timestamp")
    if not isinstance(stamp, str) or not _NUMBER.fullmatch(stamp):
        raise QueryRefused("timestamp", "There is no timestamp that is a number.")
    return {**values, "timestamp": Number(stamp)}


def _number(text: str) -> Any:
    return Number(text) if _NUMBER.fullmatch(text) else text


_ALL = "A key that comes more than once is signed as the list of all its values, in their order."
_REPEATED = (
    Reading("repeated key", "of a repeated key only the last value was taken", _ALL, _flat(lambda values: values[-1])),
    Reading("repeated key", "of a repeated key only the first value was taken", _ALL, _flat(lambda values: values[0])),
    Reading("repeated key", "the values of a repeated key were joined by commas", _ALL, _flat(",".join)),
    Reading(
        "repeated key",
        "every value was signed as a list",
        "Only a key that comes more than once is a list; the others are plain strings.",
        _flat(lambda values: [*values]),
    ),
    Reading(
        "repeated key",
        "the values of a repeated key were signed in another order",
        "The values of a repeated key keep the order of the address; a list is not sorted.",
        _flat(lambda values: values[0] if len(values) == 1 else [*sorted(values)]),
    ),
)
_ONCE = "Decode the address once, then sign."
_DECODED = (
    Reading(
        "escape",
        "a + was not read as a space",
        "In a query a + is a space; a plus sign is written %2B.",
        lambda query: read_extended(query.replace("+", "%2B")),
    ),
    Reading("escape", "the values were signed as they stand in the address, without decoding", _ONCE, _raw),
    Reading("escape", "the address was encoded once more after signing", _ONCE, _mapped(unquote)),
    Reading(
        "escape",
        "the values were encoded before they were signed",
        _ONCE,
        _mapped(lambda text: quote(text, safe="-_.!~*'()")),
    ),
)
_STRINGS = "All values are strings, for they come from a query: print them in quotes."
_TYPED = (
    Reading("value", "the timestamp was signed as a number", _STRINGS, _with_number),
    Reading("value", "values of digits were signed as numbers", _STRINGS, _mapped(_number)),
    Reading("value", "an empty value was signed as null", "A guest's customer_id is an empty string.", _with_null),
    Reading("value", "empty values were left out", "A guest's customer_id is an empty string; it is signed.", _dropped),
)
