"""What is signed: the sorted object as a JavaScript engine prints it by JSON.stringify."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring

from integrations.shopline.queries import Value

_INTEGER = re.compile(r"0|[1-9][0-9]{0,9}")
_LAST_INTEGER = 2**32 - 2
_PADDED_EXPONENT = re.compile(r"e([+-])0")
_SURROGATE = re.compile("[\ud800-\udfff]")


def message(values: Mapping[str, Value]) -> str:
    """Return the canonical string; half a surrogate pair is printed as \\udXXX, so it can always be encoded."""
    return _printed(values)


def _printed(value: Value | Mapping[str, Value] | float) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_quoted(key)}:{_printed(value[key])}" for key in _ordered(value)) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_printed, value)) + "]"
    return _number(value)


def _ordered(keys: Mapping[str, object]) -> list[str]:
    # `sorted[key] = ...` with __proto__ sets the prototype, which is not printed.
    return sorted((key for key in keys if key != "__proto__"), key=_rank)


def _rank(key: str) -> tuple[bool, int, bytes]:
    """Integer-like keys stand first whatever the sort did; the others go by UTF-16 code unit."""
    if _INTEGER.fullmatch(key) and int(key) <= _LAST_INTEGER:
        return False, int(key), b""
    return True, 0, key.encode("utf-16-be", "surrogatepass")


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    if not _SURROGATE.search(quoted):
        return quoted
    whole = quoted.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")  # joins pairs
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", whole)


def _number(value: float) -> str:
    """Print a number; no query holds one, but bodies that are signed in the same way do."""
    printed = repr(float(value))
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(printed).normalize():f}" if value else "0"
    return _PADDED_EXPONENT.sub(r"e\1", printed)
