"""What the address of a list may ask for, and which rows its form may name.

Django passes any lookup with any value on to the database, which answers half of what can be made up with an error, and
the rest may take long or tell of columns that no page shows.
"""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from hemi.lib.fields import EncryptedTextField

_COMPARISONS = {"exact", "in", "isnull", "gt", "gte", "lt", "lte"}
_NEVER = (
    models.BinaryField,
    models.JSONField,
    models.DecimalField,
    models.GenericIPAddressField,
    EncryptedTextField,
)
_LONGEST_NUMBER = 18  # digits; databases count to nine times as much
_LONGEST_SEARCH = 200  # letters; each word is a condition


class PlainQuestions:
    """Mixin that the site puts before every ModelAdmin: whole values are compared, and few words searched for."""

    model: type[models.Model]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        values = value if isinstance(value, list) else [value]
        if "\x00" in "".join(map(str, values)) or not _is_plain(self.model, lookup, values):
            return False
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> Any:
        keys = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(_is_key(self.model._meta.pk, key) for key in keys):
            raise BadRequest("A row is named that cannot be one.")
        return super().response_action(request, queryset)  # type: ignore[misc]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return super().get_search_results(request, queryset, search_term[:_LONGEST_SEARCH])  # type: ignore[misc]


def _is_plain(model: type[models.Model], lookup: str, values: list[Any]) -> bool:
    """Say whether `lookup` compares a field, or is the parameter of a filter of ours, which is no field."""
    field: Any = None
    for part in lookup.split("__"):
        try:
            field = model._meta.get_field(part) if part != "pk" else model._meta.pk
        except FieldDoesNotExist:
            return field is None or (lookup.endswith(f"__{part}") and part in _COMPARISONS and _fits(field, values))
        if field.related_model:
            model = field.related_model
    return _fits(field, values)


def _is_key(field: Any, text: str) -> bool:
    try:
        field.to_python(text)
    except ValidationError:
        return False
    return bool(text) and _fits(field, [text])


def _fits(field: Any, values: list[Any]) -> bool:
    if field.is_relation or isinstance(field, models.IntegerField):
        return all(len(part.strip()) <= _LONGEST_NUMBER for value in values for part in str(value).split(","))
    return not isinstance(field, _NEVER)
