"""Models that are configuration: whichever way a row is changed, by a form or by a service, it is written down.

What goes through `_base_manager` or raw SQL (a copy of the database, new keys for old secrets) is not.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models.deletion import Collector

from hemi.lib import changes


class RecordedQuerySet(models.QuerySet):
    """Writes down what it updates, adds and deletes."""

    model: Any

    def update(self, **values: Any) -> int:
        if not self.model.recorded_fields().isdisjoint(values):
            with changes.noted(self, self.model.recorded_names()):
                return super().update(**values)
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _note_deletion(self)
            return super().delete()

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        with transaction.atomic():
            made = super().bulk_create(objs, *args, **options)
            for row in made:
                changes.note_difference(None, row, self.model.recorded_names())
        return made

    update.alters_data = delete.alters_data = bulk_create.alters_data = True  # type: ignore[attr-defined]


class Recorded(models.Model):
    """Mixin for a model. What a form can set is recorded, and what services set under `also_recorded`."""

    also_recorded: ClassVar[tuple[str, ...]] = ()
    renewed_by_hemi: ClassVar[tuple[str, ...]] = ()  # secrets: that one follows another is told of people only

    objects = RecordedQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def recorded_names(cls) -> list[str]:
        """Return the names of the recorded fields, in their order."""
        return [field.name for field in cls._meta.concrete_fields if _is_recorded(field, cls.also_recorded)]

    @classmethod
    def recorded_fields(cls) -> set[str]:
        """Return the recorded fields under both names that an update may use: client and client_id."""
        names = cls.recorded_names()
        return {*names, *(field.attname for field in cls._meta.concrete_fields if field.name in names)}

    def history_owner(self) -> models.Model:
        """Return the object on whose page the change stands."""
        return self

    def save(self, *args: Any, **options: Any) -> None:
        wanted = options.get("update_fields")
        if wanted is not None and self.recorded_fields().isdisjoint(wanted):
            super().save(*args, **options)
            return
        with transaction.atomic():
            before = changes.read(type(self), [self.pk]).get(self.pk) if self.pk else None
            super().save(*args, **options)
            after = changes.read(type(self), [self.pk])[self.pk]
            changes.note_difference(before, after, self.recorded_names())

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _note_deletion(type(self)._default_manager.filter(pk=self.pk))
            return super().delete(*args, **options)


def _is_recorded(field: Any, also: tuple[str, ...]) -> bool:
    if field.name in also:
        return True
    is_stamp = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return field.editable and not field.primary_key and not is_stamp and not isinstance(field, models.BinaryField)


def _note_deletion(rows: models.QuerySet) -> None:
    """Write down the deletion of `rows` and of all that goes with them, while their names can still be told."""
    collector = Collector(using=rows.db, origin=rows)
    collector.collect(rows)
    doomed = {model: {row.pk for row in found} for model, found in collector.data.items()}
    for fast in collector.fast_deletes:
        doomed.setdefault(fast.model, set()).update(fast.values_list("pk", flat=True))
    for model, keys in doomed.items():
        if issubclass(model, Recorded):
            for row in changes.read(model, keys).values():
                changes.note_difference(row, None, model.recorded_names())
