"""Every address that Django resolves, filled in with one object of each model."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import get_resolver

_PAGE = re.compile(r"admin/(?P<app>\w+)/(?P<model>\w+)/(?P<rest>.*)")
_VIEWS = {"": "view", "ID/": "", "ID/change/": "view", "ID/history/": "view", "ID/delete/": "delete", "add/": "add"}
UUIDS = {
    "shopify/install/": "integrations.Integration",
    "shopify/callback/": "integrations.InstallLink",
    "shopify/webhooks/app/": "integrations.Integration",
    "shopify/webhooks/": "integrations.AccountShopify",
}


@dataclass(frozen=True)
class Address:
    """A path, with what it is about: the model's label and what is done with it; both blank where it is no model's."""

    path: str
    label: str = ""
    what: str = ""


def every(rows: dict[str, Model]) -> list[Address]:
    """Return all addresses; fails where one is of a kind that nobody thought of here."""
    found = [address for route in _routes(get_resolver().url_patterns) for address in _filled(route, rows)]
    unfilled = [address.path for address in found if re.search(r"[<>^$\\(]", address.path)]
    assert not unfilled, f"hemi/tests/addresses.py does not know what to put into {unfilled}"
    return found


def _routes(patterns: list, prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _filled(route: str, rows: dict[str, Model]) -> list[Address]:
    if match := re.search(r"\^\(\?P<app_label>([\w|]+)\)/\$", route):
        return [Address(f"/admin/{app}/") for app in match[1].split("|")]
    if route.endswith("(?P<url>.*)$"):
        return [Address("/admin/nowhere/at/all/")]
    if route == "admin/r/<path:content_type_id>/<path:object_id>/":
        order = rows["orders.Order"]
        return [Address(f"/admin/r/{ContentType.objects.get_for_model(order).pk}/{order.pk}/")]
    if match := re.match(r"(shopline/proxy/)<path:path>$|\^(storefront)/", route):
        return [Address(f"/{match[1]}orders" if match[1] else "/storefront/m-1/apps/hemi/orders")]
    if "<uuid:uuid>" in route:
        label = next(label for start, label in UUIDS.items() if route.startswith(start))
        return [Address("/" + route.replace("<uuid:uuid>", str(rows[label].uuid)))]
    labels = {model._meta.label_lower: model._meta.label for model in admin.site._registry}
    if (match := _PAGE.fullmatch(route)) and (label := labels.get(f"{match['app']}.{match['model']}")):
        return [_page(match, label, rows[label].pk)]
    return [Address(f"/{route}")]


def _page(match: re.Match, label: str, pk: object) -> Address:
    rest = re.sub(r"<(path:object_id|id)>", "ID", match["rest"])
    path = f"/admin/{match['app']}/{match['model']}/" + rest.replace("ID", str(pk), 1)
    return Address(path, label, _VIEWS.get(rest, rest.rstrip("/").removeprefix("ID/")))
