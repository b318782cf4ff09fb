"""Users and groups in the history of changes.

They are Django's models, which no queryset of ours can stand before, so its signals are listened to. Nothing but the
history depends on that: docs/decisions/history-of-changes.md.
"""

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import models
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from hemi.lib import changes

_FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    User: ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser"),
    Group: ("name",),
}
_SETS = {
    User.groups.through: "groups",
    User.user_permissions.through: "user_permissions",
    Group.permissions.through: "permissions",
}
_KIND = changes.ConfigurationChange.Kind


def listen() -> None:
    """Have changes of users and groups written down from now on."""
    for model in _FIELDS:
        pre_save.connect(_before, sender=model, dispatch_uid=f"changes-before-{model.__name__}")
        post_save.connect(_after, sender=model, dispatch_uid=f"changes-after-{model.__name__}")
        pre_delete.connect(_deleted, sender=model, dispatch_uid=f"changes-deleted-{model.__name__}")
    for through in _SETS:
        m2m_changed.connect(_sets, sender=through, dispatch_uid=f"changes-{through.__name__}")


def _before(sender: Any, instance: Any, raw: bool = False, update_fields: Any = None, **kwargs: Any) -> None:
    watched = {*_FIELDS[sender], "password"}
    is_watched = not raw and (update_fields is None or not watched.isdisjoint(update_fields))
    instance._seen = (sender._base_manager.filter(pk=instance.pk).first(),) if is_watched else None


def _after(sender: Any, instance: Any, **kwargs: Any) -> None:
    if instance._seen is None:
        return
    (before,), instance._seen = instance._seen, None
    after = sender._base_manager.get(pk=instance.pk)
    fields = changes.differences(before, after, _FIELDS[sender])
    if sender is User and (before.password if before else "") != after.password:
        fields.append(_entry("password", "Password", "set" if before else "", "changed" if before else "set"))
    if fields:
        changes.note(after, _KIND.CHANGED if before else _KIND.ADDED, fields)


def _deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    changes.note(instance, _KIND.DELETED, changes.differences(instance, None, _FIELDS[sender]))


def _sets(sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, **kwargs: Any) -> None:
    name = _SETS[sender]
    model, field = (Group, name) if name == "permissions" else (User, name)
    if action in ("pre_add", "pre_remove", "pre_clear"):
        owners = list(model.objects.filter(**{field: instance.pk})) if reverse else [instance]
        owners += list(model.objects.filter(pk__in=pk_set or ())) if reverse else []
        instance._sets = {owner.pk: (owner, _names(owner, field)) for owner in owners}
    elif action in ("post_add", "post_remove", "post_clear"):
        for owner, before in instance.__dict__.pop("_sets", {}).values():
            _note_set(owner, field, before)


def _note_set(owner: Any, field: str, before: list[str]) -> None:
    after = _names(owner, field)
    gone, new = [name for name in before if name not in after], [name for name in after if name not in before]
    if gone or new:  # of long lists only what differs
        label = {"groups": "Groups"}.get(field, "Permissions")
        changes.note(owner, _KIND.CHANGED, [_entry(field, label, _told(gone, "taken"), _told(new, "given"))])


def _names(owner: Any, field: str) -> list[str]:
    return sorted(str(row) for row in getattr(owner, field).all())


def _told(names: list[str], verb: str) -> str:
    return f"{verb}: {'; '.join(names)}"[: changes.MOST] if names else ""


def _entry(name: str, field: str, before: str, after: str) -> dict[str, str]:
    return {"name": name, "field": field, "before": before, "after": after}
