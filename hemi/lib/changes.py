"""What was changed in the configuration: by whom, when, before and after. Of a secret only that it changed.

docs/decisions/history-of-changes.md
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.text import capfirst

from hemi.lib import actors
from hemi.lib.fields import EncryptedTextField

MOST = 2_000  # characters of a value that are kept
ERASED = "removed"
Fields = list[dict[str, str]]


class ConfigurationChange(models.Model):
    """One thing that was added, changed or deleted; it stands on the page of the object `label` and `object_id`."""

    class Kind(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        DELETED = "deleted", "Deleted"

    at = models.DateTimeField("when", default=timezone.now, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="who"
    )
    actor_name = models.CharField("who, by name", max_length=150, blank=True, default="")  # outlives the user
    kind = models.CharField("what", max_length=10, choices=Kind)
    label = models.CharField("kind of object", max_length=100)
    object_id = models.CharField("id", max_length=40)
    subject = models.CharField("object", max_length=300)
    fields = models.JSONField("before and after", default=list)

    class Meta:
        app_label = "hemi"
        verbose_name = "configuration change"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["label", "object_id"], name="change_of_object")]

    def __str__(self) -> str:
        return f"{self.subject}, {self.get_kind_display().lower()} {self.at:%Y-%m-%d %H:%M}"

    @property
    def who(self) -> str:
        return self.actor_name or "Hemi"


def note(owner: models.Model, kind: str, fields: Fields, *, subject: str = "") -> None:
    """Write a change of `owner` down, in the name of whoever asks."""
    actor = actors.current()
    ConfigurationChange.objects.create(
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username()[:150] if actor else "",
        kind=kind,
        label=owner._meta.label_lower,
        object_id=str(owner.pk),
        subject=(subject or name_of(owner))[:300],
        fields=fields,
    )


def of(label: str, object_id: object) -> models.QuerySet[ConfigurationChange]:
    """Return what changed on an object and its parts, the newest first."""
    return ConfigurationChange.objects.filter(label=label, object_id=str(object_id))


def erase(owner: models.Model, field: str) -> int:
    """Take the values of a field that held a person's data out of the object's history."""
    count = 0
    for change in of(owner._meta.label_lower, owner.pk):
        mine = [entry for entry in change.fields if entry["name"] == field]
        for entry in mine:
            entry.update({side: ERASED for side in ("before", "after") if entry[side]})
        if mine:
            change.save(update_fields=["fields"])
            count += 1
    return count


def name_of(obj: models.Model) -> str:
    """Return what kind of object it is, and which."""
    kind, name = str(obj._meta.verbose_name), str(obj)
    is_told = name.lower().startswith(kind.split()[-1].lower())  # "Credentials of ..." says what it is
    return capfirst(name) if is_told else f"{capfirst(kind)} {name}"


def differences(before: models.Model | None, after: models.Model | None, names: Iterable[str]) -> Fields:
    """Return the fields that differ between two states of a row, in words; a missing row has nothing in them."""
    row = before or after
    assert row is not None
    found = []
    for name in names:
        field: Any = row._meta.get_field(name)
        values = [getattr(state, field.attname) if state else None for state in (before, after)]
        if (values[0] or None) != (values[1] or None):
            told = _secret(values) if isinstance(field, EncryptedTextField) else _told(field, before, after)
            found.append({"name": name, "field": capfirst(str(field.verbose_name)), **told})
    return found


@contextmanager
def noted(rows: models.QuerySet, names: Iterable[str]) -> Iterator[None]:
    """Write down what becomes of `rows` meanwhile in the fields `names`."""
    with transaction.atomic():
        keys = list(rows.order_by().values_list("pk", flat=True))
        before = read(rows.model, keys)
        yield
        for key, row in read(rows.model, keys).items():
            note_difference(before[key], row, names)


def note_difference(before: models.Model | None, after: models.Model | None, names: Iterable[str]) -> None:
    """Write down what differs between two states of a row, if anything does; a row that goes is told of before."""
    row = after or before
    assert row is not None
    fields = differences(before, after, names)
    if before and after and (not fields or _renews_itself(row, fields)):
        return
    kind = ConfigurationChange.Kind
    is_kept, is_new = before and after, not before
    note(_owner(row), kind.CHANGED if is_kept else kind.ADDED if is_new else kind.DELETED, fields, subject=name_of(row))


def read(model: type[models.Model], keys: Iterable[Any]) -> dict[Any, models.Model]:
    """Return the rows as they are stored, locked where the database can; large bytes stay there."""
    large = [field.name for field in model._meta.concrete_fields if isinstance(field, models.BinaryField)]
    rows = model._base_manager.filter(pk__in=list(keys)).defer(*large)
    return {row.pk: row for row in rows.select_for_update(no_key=True)}


def _owner(row: Any) -> models.Model:
    return row.history_owner() if hasattr(row, "history_owner") else row


def _renews_itself(row: models.Model, fields: Fields) -> bool:
    """Say whether only a token was replaced by the next one, and by nobody: what Hemi renews is no configuration."""
    renewed = getattr(row, "renewed_by_hemi", ())
    is_replaced = all(entry["name"] in renewed and entry["before"] and entry["after"] for entry in fields)
    return is_replaced and actors.current() is None


def _secret(values: list[str | None]) -> dict[str, str]:
    return {
        "before": "set" if values[0] else "",
        "after": ("changed" if values[0] else "set") if values[1] else "",
    }


def _told(field: Any, before: Any, after: Any) -> dict[str, str]:
    return {"before": _shown(field, before), "after": _shown(field, after)}


def _shown(field: Any, row: Any) -> str:
    value = getattr(row, field.attname) if row else None
    if value is None or value == "":
        return ""
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    if field.is_relation:
        related = field.related_model._base_manager.filter(pk=value).first()
        return str(related) if related else f"no. {value}, deleted since"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    text = str(value)
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text):,} characters)"
