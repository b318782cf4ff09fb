"""Queries that nobody would write, but a shopper may."""

from random import Random
from urllib.parse import quote

_WORDS = (
    "a b c ab A B _ Z z é ü ß 東京 😀 ～ 0 1 2 9 10 01 -1 1.5 19 4294967294 4294967295 99999999999 toString valueOf",
    "constructor hasOwnProperty length toJSON then prototype true null undefined customer_id path_prefix q utf8",
    "& = + % # ? / \\ < > \" ' ; , : . .. a.b a=b [x] ] [ { } | ^ ` ~ ! @ $ * ( ) <script> a\\u0041 %41 &#10003; ✓",
)
_OTHERS = "\x00 \x01 \b \t \n \f \r \x1f \x7f \u2028 \u2029 \ufeff \ufffd \U0010ffff \ud7ff \ue000 e\u0301"
_ATOMS = ["", " ", "  ", *_OTHERS.split(" "), *(word for line in _WORDS for word in line.split())]
_NAMES = [
    "a",
    "b",
    "c",
    "d",
    "10",
    "9",
    "01",
    "é",
    "😀",
    "～",
    "a b",
    "constructor",
    "__a",
    "0",
    "__proto_",
    "%5F_proto__",
]
_SEGMENTS = ["", "", "0", "0", "0", "1", "2", "19", "b", "c", "d", "01", "-1", "é", "length", "toString", "a b", "1.5"]
_BROKEN = [
    "%",
    "%4",
    "%zz",
    "%F6",
    "%ED%A0%80",
    "%C0%AF",
    "%FF",
    "%u0041",
    "]",
    "[",
    "[]",
    "a]=b",
    "#",
    "\xf6",
    "]=",
    "&&",
]


def query(random: Random) -> str:
    """Return one query; about every second can be read without doubt."""
    parts = [_part(random) for _ in range(random.choice((1, 1, 2, 2, 3, 4, 6, 9)))]
    if random.random() < 0.2:  # one name several times
        name = _name(random)
        parts += [f"{name}={_value(random)}" for _ in range(random.choice((2, 3, 5, 19, 20, 21, 22)))]
    if random.random() < 0.1:  # a list by index, whole or with a gap
        name = _name(random)
        parts += [f"{name}[{index}]={_value(random)}" for index in range(random.choice((1, 2, 4, 19, 20, 21)))]
        parts = random.sample(parts, len(parts) - (random.random() < 0.2))
    if random.random() < 0.1:
        parts += ["", ""]
    random.shuffle(parts)
    text = "&".join(parts)
    if random.random() < 0.15:
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(_BROKEN) + text[at:]
    return text


def _part(random: Random) -> str:
    chance = random.random()
    if chance < 0.05:
        return _name(random)
    if chance < 0.1:
        return f"{_quoted(random, random.choice(_ATOMS))}={_value(random)}"
    return f"{_name(random)}={_value(random)}"


def _name(random: Random) -> str:
    name = _quoted(random, random.choice(_NAMES))
    levels = random.choice((0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6)) if random.random() < 0.7 else 0
    for _ in range(levels):
        left, right = ("[", "]") if random.random() < 0.6 else random.choice((("%5B", "%5D"), ("%5b", "%5d")))
        name += left + _quoted(random, random.choice(_SEGMENTS)) + right
    return name


def _value(random: Random) -> str:
    return _quoted(random, "".join(random.choice(_ATOMS) for _ in range(random.choice((0, 1, 1, 2, 4)))))


def _quoted(random: Random, text: str) -> str:
    quoted = quote(text, safe=random.choice(("", "", "!*'()~", "/:@,;$?")))
    return quoted.replace("%20", "+") if random.random() < 0.5 else quoted
