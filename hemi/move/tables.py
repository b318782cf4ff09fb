"""What is moved: the tables of all models, and the form in which a value is compared on either database."""

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from decimal import Context, Decimal
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import models

LEFT_OUT = {"sessions.Session": "people log in again"}
FILLED_BY_MIGRATE = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "hemi_role",
    "suppliers_routingrule",
}
Canonical = Callable[[Any], bytes]
_EXACT = Context(prec=2000)
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_PLAIN = frozenset(("[]", "{}", "null", '""'))


@dataclass(frozen=True)
class Column:
    """A column: `canonical` gives the bytes that stand for a value on either database."""

    name: str
    field: models.Field
    canonical: Canonical
    limit: int | None
    is_text: bool

    def why_not(self, value: Any, data: bytes) -> str:
        """Say why PostgreSQL cannot hold the value, which SQLite did; blank if it can."""
        if self.is_text and b"\x00" in data:
            return "holds a NUL character"
        if self.is_text and self.limit and len(value) > self.limit:
            return f"is longer than {self.limit} characters"
        if self.canonical is _json and _NUL_IN_JSON.search(data):
            return "holds a NUL character"
        return ""


class Table:
    """The table of a model."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model, self.name = model, model._meta.db_table
        self.key: models.Field = model._meta.pk

    @cached_property
    def columns(self) -> list[Column]:
        """Its columns in the order of the model's fields."""
        return [_column(field) for field in self.model._meta.local_concrete_fields]

    @property
    def batch(self) -> int:
        """How many rows to hold in memory: those with bodies and files may be megabytes each."""
        is_heavy = any(isinstance(column.field, models.BinaryField) for column in self.columns)
        return 20 if is_heavy else 500


def moved() -> list[Table]:
    """Return every table that is moved."""
    found = {model._meta.db_table: model for model in _models() if model._meta.label not in LEFT_OUT}
    return [Table(found[name]) for name in sorted(found)]


def known() -> set[str]:
    """Return the names of all tables that Hemi makes."""
    return {model._meta.db_table for model in _models()} | {"django_migrations"}


def _models() -> list[type[models.Model]]:
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if model._meta.managed and not model._meta.proxy]


def _column(field: models.Field) -> Column:
    source: Any = field
    while source.remote_field:
        source = source.target_field
    canonical = _CANONICAL.get(source.get_internal_type(), _text)
    return Column(str(field.column), field, canonical, source.max_length, canonical is _text)


def _text(value: Any) -> bytes:
    return str(value).encode()


def _bytes(value: Any) -> bytes:
    return bytes(value)


def _switch(value: Any) -> bytes:
    return b"1" if value else b"0"


def _time(value: Any) -> bytes:
    return value.astimezone(UTC).isoformat().encode()


def _decimal(value: Any) -> bytes:
    return format(value + 0, "f").encode()


def _uuid(value: Any) -> bytes:
    return value.hex.encode()


def _address(value: Any) -> bytes:
    return str(ipaddress.ip_address(value)).encode()


def _json(value: Any) -> bytes:
    # PostgreSQL sorts the names, and writes numbers in its own way. A lone half of a surrogate pair has no UTF-8.
    if value in _PLAIN:
        return value.encode()
    data = json.loads(value, parse_float=_Number, parse_int=_Number)
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plainly).encode()


class _Number:
    """A number of a JSON text: not a float, which would round it."""

    __slots__ = ("value",)

    def __init__(self, text: str) -> None:
        self.value = Decimal(text).normalize(_EXACT) + 0


def _plainly(number: _Number) -> dict[str, str]:
    return {"number": f"{number.value:f}"}


_CANONICAL: dict[str, Canonical] = {
    "BinaryField": _bytes,
    "BooleanField": _switch,
    "DateTimeField": _time,
    "DecimalField": _decimal,
    "GenericIPAddressField": _address,
    "JSONField": _json,
    "UUIDField": _uuid,
}
