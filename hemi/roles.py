"""What each role that Hemi ships may do. The table for people is in docs/roles.md.

The roles are groups; `migrate` makes them and gives them the permissions that are new. Groups that people made are
never touched, not even one of the same name.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps as global_apps
from django.db import transaction

_APPS = {"integrations", "orders", "suppliers"}
# To see what a part, a file or a webhook says, and to have something done once more that should have been done.
_SUPPORT = {
    "integrations.read_webhookevent_payload",
    "integrations.replay_webhookevent",
    "orders.settle_shipment",
    "suppliers.download_delivery",
    "suppliers.preview_supplierorder",
    "suppliers.reread_supplierreply",
    "suppliers.resend_delivery",
}
_STAFF_TOO = {"hemi.view_configurationchange", "hemi.view_failedlogin", "hemi.unlock_failedlogin"}
# What Hemi holds on a person is for those who answer for it.
_NOT_FOR_STAFF = {"integrations.download_privacyrequest"}
# Made by Hemi itself: no role has use for these.
_OF_THE_MACHINERY = ("hemi.add_", "hemi.change_", "hemi.delete_")


def _may_see(name: str) -> bool:
    app, codename = name.split(".")
    return app in _APPS and codename.startswith("view_")


def _read_only(name: str) -> bool:
    return _may_see(name)


def _support(name: str) -> bool:
    return _may_see(name) or name in _SUPPORT


def _staff(name: str) -> bool:
    return (name.split(".")[0] in _APPS and name not in _NOT_FOR_STAFF) or name in _STAFF_TOO


def _administrator(name: str) -> bool:
    app, codename = name.split(".")
    if app == "auth":
        return codename.endswith("_user") or codename == "view_group"
    return app in _APPS or (app == "hemi" and not name.startswith(_OF_THE_MACHINERY))


ROLES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "administrator": ("Administrator", _administrator),
    "staff": ("Integration staff", _staff),
    "support": ("Support", _support),
    "read_only": ("Read-only", _read_only),
}


def keep(using: str, apps: Any = global_apps) -> None:
    """Make the roles that are missing, and give each what it is to have, no more and no less."""
    Permission = apps.get_model("auth", "Permission")
    rows = Permission.objects.using(using).select_related("content_type")
    names = {f"{row.content_type.app_label}.{row.codename}": row.pk for row in rows}
    for key, (title, has) in ROLES.items():
        with transaction.atomic(using=using):
            _give(_group(apps, using, key, title), {pk for name, pk in names.items() if has(name)})


def keep_after_migrate(
    sender: Any, using: str = "default", apps: Any = global_apps, plan: Any = (), **kwargs: Any
) -> None:
    """Receive post_migrate of the last app, when all permissions are there; on the way back there may be no roles."""
    models = {model._meta.label_lower for model in apps.get_models()}
    if {"hemi.role", "auth.group"} <= models:
        keep(using, apps)


def _group(apps: Any, using: str, key: str, title: str) -> Any:
    Role, Group = apps.get_model("hemi", "Role"), apps.get_model("auth", "Group")
    role = Role.objects.using(using).filter(key=key).select_related("group").first()
    if role is not None:
        return role.group
    taken = set(Group.objects.using(using).values_list("name", flat=True))
    name = title if title not in taken else next(n for n in _others(title) if n not in taken)
    group = Group.objects.using(using).create(name=name)
    Role.objects.using(using).create(key=key, group=group)
    return group


def _others(title: str) -> Any:
    yield f"{title} (Hemi)"
    number = 2
    while True:
        yield f"{title} (Hemi {number})"
        number += 1


def _give(group: Any, wanted: set[int]) -> None:
    has = set(group.permissions.values_list("pk", flat=True))
    group.permissions.remove(*(has - wanted))
    group.permissions.add(*(wanted - has))
