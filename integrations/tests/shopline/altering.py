"""Signed queries, altered in every way that says something else than what was signed."""

import string
import time
from collections.abc import Callable
from random import Random
from urllib.parse import parse_qsl, quote

from integrations.tests.shopline.proxying import SECRET, signed

_EXTRAS = ("", "a=1&a=2&a=3", "a[]=x&a[]=y", "f[z]=1&f[a]=2", "q=Gr%C3%B6%C3%9Fe+1", "10=x&9=y&b=", "a[0]=1&a[1]=2")
_PREFIXES = ("/apps/tea", "/apps/app1_TEST")
_SIGNS = string.printable[:95] + "\x00\x7f\xf6\xff"
_OUR_NAMES = ("merchant_id", "customer_id", "path_prefix", "timestamp", "signature")


def original(random: Random, **fields: str) -> str:
    """Return a query as it was signed just now."""
    given = {"customer_id": random.choice(("", "c-1", "c-22")), "path_prefix": random.choice(_PREFIXES), **fields}
    return signed(random.choice(_EXTRAS), secret=given.pop("secret", SECRET), **given)


def altered(random: Random, kind: str) -> str:
    """Return a query that was altered in this way, never one that still says the same."""
    while True:
        query = original(random)
        changed = KINDS[kind](random, query)
        if _meaning(changed) != _meaning(query):
            return changed


def _meaning(query: str) -> dict[str, list[str]]:
    # The order of different names and the way of escaping say nothing; all else does.
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, encoding="latin-1"):
        found.setdefault(name, []).append(value)
    return found


def _one_character(random: Random, query: str) -> str:
    at = random.randrange(len(query))
    kept = random.choice((at, at + 1))  # put one in, or one for another
    return query[:at] + random.choice(_SIGNS) + query[kept:]


def _one_less(random: Random, query: str) -> str:
    at = random.randrange(len(query))
    return query[:at] + query[at + 1 :]


def _two_swapped(random: Random, query: str) -> str:
    at = random.randrange(len(query) - 1)
    return query[:at] + query[at + 1] + query[at] + query[at + 2 :]


def _cut(random: Random, query: str) -> str:
    return query[: random.randrange(len(query))]


def _value(random: Random, query: str) -> str:
    parts = query.split("&")
    at = random.randrange(len(parts))
    others = (
        "",
        "0",
        "c-2",
        "m-2",
        "/apps/other",
        "1",
        str(int(time.time())),
        "0" * 64,
        quote("東京"),
        "%00",
        "x" * 3000,
    )
    parts[at] = f"{parts[at].partition('=')[0]}={random.choice(others)}"
    return "&".join(parts)


def _dropped(random: Random, query: str) -> str:
    parts = query.split("&")
    parts.pop(random.randrange(len(parts)))
    return "&".join(parts)


def _added(random: Random, query: str) -> str:
    name = random.choice((*_OUR_NAMES, "a", "f[z]", "[customer_id]", "customer_id[]", "__proto__", "page", "", "10"))
    parts = query.split("&")
    parts.insert(random.randrange(len(parts) + 1), f"{name}={random.choice(('c-2', 'm-2', '', '1', '0' * 64))}")
    return "&".join(parts)


def _doubled(random: Random, query: str) -> str:
    parts = query.split("&")
    return "&".join([*parts, random.choice(parts)])


def _renamed(random: Random, query: str) -> str:
    parts = query.split("&")
    at = random.randrange(len(parts))
    name, _, value = parts[at].partition("=")
    changed = (f"{name}[]", f"{name}[0]", f"[{name}]", f"{name}[a]", name.upper(), f"{name}%00", f"{name}+", f"x{name}")
    parts[at] = f"{random.choice(changed)}={value}"
    return "&".join(parts)


def _repeated_in_another_order(random: Random, query: str) -> str:
    extra = random.choice(("a=1&a=2&a=3", "a[]=1&a[]=2&a[]=3", "f[a]=1&f[a]=2&f[a]=3", "a[0]=1&a[1]=2&a[2]=3"))
    whole = signed(extra)
    name = extra.partition("=")[0]
    names = ("a[0]", "a[1]", "a[2]") if name == "a[0]" else (name,) * 3
    order = random.choice(("132", "213", "231", "312", "321"))
    return whole.replace(extra, "&".join(f"{name}={value}" for name, value in zip(names, order, strict=True)))


def _time(random: Random, query: str) -> str:
    away = random.choice((-1, 1)) * random.choice((302, 400, 3600, 86400, 10**8))
    return original(random, timestamp=str(max(0, int(time.time()) + away)))


def _moved_time(random: Random, query: str) -> str:
    now = str(int(time.time()))
    return query.replace(f"timestamp={now[:-2]}", f"timestamp={int(now[:-2]) + random.choice((-1, 1))}")


def _secret(random: Random, query: str) -> str:
    secrets = (f"{SECRET}x", SECRET.upper(), f" {SECRET}", SECRET[:-1], f"{SECRET}\n", "", "former", "other-secret")
    return original(random, secret=random.choice(secrets))


def _merchant(random: Random, query: str) -> str:
    return query.replace("merchant_id=m-1", f"merchant_id={random.choice(('m-2', 'm-3', 'M-1', 'm-1+', 'm%2D11', ''))}")


def _signature(random: Random, query: str) -> str:
    rest, _, digits = query.rpartition("=")
    at = random.randrange(64)
    other = random.choice("0123456789abcdef")
    one = f"{digits[:at]}{other}{digits[at + 1 :]}"
    return f"{rest}={random.choice((one, digits[:63], f'{digits}0', digits.upper(), f'0x{digits}', f'+{digits}', ''))}"


KINDS: dict[str, Callable[[Random, str], str]] = {
    "one character": _one_character,
    "one less": _one_less,
    "two swapped": _two_swapped,
    "cut": _cut,
    "value": _value,
    "dropped": _dropped,
    "added": _added,
    "doubled": _doubled,
    "renamed": _renamed,
    "repeated in another order": _repeated_in_another_order,
    "time": _time,
    "moved time": _moved_time,
    "secret": _secret,
    "merchant": _merchant,
    "signature": _signature,
}
