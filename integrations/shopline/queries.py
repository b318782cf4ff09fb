"""A query string as Express reads it, and only where every version of its parsers reads the same and drops nothing.

Express 4 reads with qs (https://github.com/ljharb/qs), nested; Express 5 with node's own querystring, flat
(https://nodejs.org/api/querystring.html). What qs does with lists over 20, indexes from 20 on, stray brackets, names
used in two ways or gaps in lists changed from version to version, or loses something: such queries are refused.
"""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

Value = str | list["Value"] | dict[str, "Value"]

MOST_CHARACTERS = 16_384  # what node takes as a request's head
MOST_PARAMETERS = 1000
MOST_LEVELS = 5
MOST_ITEMS = 20
RESERVED = ("merchant_id", "customer_id", "path_prefix", "timestamp", "signature")
_PROTO = "__proto__"
_DROPPED = "A parameter is called __proto__; a parser drops it."
_PLAIN = re.compile(r"[!-\"$-~]*")  # printable ASCII without #
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_ENCODED_BRACKET = re.compile(r"%5[Dd]")
_INDEX = re.compile(r"0|[1-9][0-9]*")


class QueryRefused(Exception):
    """The query cannot be read without doubt: `rule` is a short word, the text a sentence about it."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


def read_extended(query: str) -> dict[str, Value]:
    """Return the parameters as Express 4 with qs reads them; raises QueryRefused."""
    root: dict[str, _Node] = {}
    for name, value in _pairs(query):
        top, path = _path(name)
        root.setdefault(top, _Node()).add(path, value)
    return {name: node.value() for name, node in root.items()}


def read_simple(query: str) -> dict[str, Value]:
    """Return the parameters as node's querystring and so Express 5 reads them: no nesting; raises QueryRefused."""
    values: dict[str, Value] = {}
    for name, value in _pairs(query):
        known = values.get(name)
        if known is None:
            values[name] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            values[name] = [known, value]
    return values


def _pairs(query: str) -> list[tuple[str, str]]:
    if len(query) > MOST_CHARACTERS:
        raise QueryRefused("length", f"The query is longer than {MOST_CHARACTERS:,} characters.")
    if not _PLAIN.fullmatch(query) or _BROKEN.search(query):
        raise QueryRefused("encoding", "The query is not percent-encoded as it must be.")
    if query.count("&") >= MOST_PARAMETERS:
        raise QueryRefused("parameters", f"A parser drops what comes after {MOST_PARAMETERS:,} parameters.")
    parts = [part for part in query.split("&") if part]
    pairs = [_pair(part) for part in parts]
    if not all("=" in part for part in parts):
        _refuse_lost(parts, pairs)
    return pairs


def _pair(part: str) -> tuple[str, str]:
    raw_name, equals, raw_value = part.partition("=")
    if "=" in raw_value and "]=" in _ENCODED_BRACKET.sub("]", raw_value):
        raise QueryRefused("brackets", "A value holds “]=”, where some parsers end the name.")
    name, value = _decoded(raw_name), _decoded(raw_value)
    if not name:
        raise QueryRefused("dropped", "A parameter has no name; a parser drops it.")
    if name == _PROTO:
        raise QueryRefused("dropped", _DROPPED)
    if not equals and name in RESERVED:
        raise QueryRefused("malformed", f"{name} has no “=”.")
    return name, value


def _refuse_lost(parts: list[str], pairs: list[tuple[str, str]]) -> None:
    counts = Counter(name for name, _ in pairs)
    if any("=" not in part and counts[name] > 1 for part, (name, _) in zip(parts, pairs, strict=True)):
        raise QueryRefused("dropped", "A repeated name is there without “=”; some parsers drop what came before it.")


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise QueryRefused("encoding", "The query is not UTF-8.") from None


def _path(name: str) -> tuple[str, list[str]]:
    if "[" not in name and "]" not in name:
        return name, []
    match = _NAME.fullmatch(name)
    if not match:
        raise QueryRefused("brackets", f"The brackets of “{name[:60]}” are read differently from parser to parser.")
    path = _SEGMENT.findall(match[2])
    if _PROTO in (match[1], *path):
        raise QueryRefused("dropped", _DROPPED)
    if len(path) > MOST_LEVELS:
        raise QueryRefused("depth", f"“{name[:60]}” is nested deeper than {MOST_LEVELS} levels.")
    return match[1], path


class _Node:
    """What stands at one place: texts, or items by `[]`, by index or by name, and never two of these."""

    def __init__(self) -> None:
        self.kind = ""
        self.texts: list[str] = []
        self.children: dict[str, _Node] = {}

    def add(self, path: list[str], value: str) -> None:
        """Put a value where the path leads."""
        if not path:
            self._be("text")
            self.texts.append(value)
            if len(self.texts) > MOST_ITEMS:
                raise QueryRefused("list", f"A list has more than {MOST_ITEMS} items.")
            return
        self._be(_kind(path))
        self.children.setdefault(path[0], _Node()).add(path[1:], value)

    def _be(self, kind: str) -> None:
        if self.kind not in ("", kind):
            raise QueryRefused("mixed", "A name is used in two ways, as a text and as a list or an object.")
        self.kind = kind

    def value(self) -> Value:
        """Return the text, list or object."""
        if self.kind == "text":
            return self.texts[0] if len(self.texts) == 1 else list(self.texts)
        if self.kind == "list":  # `a[]=1`: the list itself
            return list(self.children[""].texts)
        if self.kind == "list of one":  # `a[][b]=1`: always the first item
            return [self.children[""].value()]
        if self.kind == "index":
            return [child.value() for child in self._whole()]
        return {name: child.value() for name, child in self.children.items()}

    def _whole(self) -> Iterator["_Node"]:
        for index in range(len(self.children)):
            if str(index) not in self.children:
                raise QueryRefused("list", "A list has a gap, which some parsers close and others fill.")
            yield self.children[str(index)]


def _kind(path: list[str]) -> str:
    first = path[0]
    if not first:
        if len(path) > 1 and (not path[1] or _INDEX.fullmatch(path[1])):
            raise QueryRefused("brackets", "“[]” is followed by a list; parsers flatten it.")
        return "list of one" if len(path) > 1 else "list"
    if not _INDEX.fullmatch(first):
        return "object"
    if len(first) > 2 or int(first) >= MOST_ITEMS:
        raise QueryRefused("list", f"A list goes to {MOST_ITEMS} or more, where parsers make it an object or not.")
    return "index"
