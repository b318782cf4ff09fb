"""Every page, button and action of the admin: who may press it, by which method, and that a refusal changes nothing.

Walks over whatever is registered, so that a new page or action is judged on the day it appears.
"""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from hemi.tests import one_of_each

# Actions that only read, so that a plain GET may run them. Whatever has an effect asks by a dialog and acts on POST.
READS = {
    "integrations.AccountShopify.get_collections",
    "integrations.AccountShopify.see_history",
    "integrations.AccountShopline.see_history",
    "integrations.AccountShopline.see_shoppers",
    "integrations.CollectionExport.download",
    "integrations.PrivacyRequest.download",
    "orders.ShopperLink.import_shoppers",  # a page with a form, which acts on POST only
    "suppliers.SupplierOrder.preview",
    "suppliers.Supplier.preview",
    "suppliers.Mapping.preview",
    "suppliers.Mapping.compare",
    "suppliers.Delivery.download",
    "suppliers.SupplierReply.download",
}
# Whoever may see a reply may read it, and whoever may see an account what became of it.
FOR_VIEWERS = {
    "suppliers.SupplierReply.download",
    "integrations.AccountShopify.see_history",
    "integrations.AccountShopline.see_history",
}
PRESSED = {"_form_submitted": "on", "reason": "A reason", "outcome": "again"}

pytestmark = pytest.mark.django_db


def _pages():
    return [(model._meta.label, page) for model, page in admin.site._registry.items()]


def _names(page, kind):
    return page._extract_action_names(getattr(page, kind))


def _url_actions():
    """Yield (label, page, action name, has an object) of all that has an address of its own."""
    for label, page in _pages():
        for kind in ("actions_list", "actions_detail", "actions_row"):
            for name in _names(page, kind):
                yield label, page, name, kind != "actions_list"


def _url(page, name, pk=None):
    opts = page.opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{name}", args=[pk] if pk else [])


def _snapshot():
    labels = ("integrations", "orders", "suppliers", "auth")
    return {
        model._meta.label: list(model.objects.order_by("pk").values_list())
        for label in labels
        for model in apps.get_app_config(label).get_models()
    }


@pytest.fixture
def rows():
    """One row of each registered model."""
    made = one_of_each.make()
    missing = {label for label, _ in _pages()} - set(made)
    assert not missing, f"hemi/tests/one_of_each.py makes no row of {missing}"
    return made


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def guest(client):
    """A staff user who was given no permission at all."""
    client.force_login(User.objects.create_user("guest", is_staff=True))
    return client


@pytest.mark.parametrize("label, page", _pages(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_action_names_a_permission(label, page):
    bare = [
        name for function, name, _ in page._get_base_actions() if not getattr(function, "allowed_permissions", None)
    ]
    for kind in ("actions_list", "actions_detail", "actions_row", "actions_submit_line"):
        for name in _names(page, kind):
            if not getattr(page.get_unfold_action(name).method, "allowed_permissions", None):
                bare.append(name)
    assert not bare


def test_what_has_an_effect_asks_by_a_dialog_and_the_list_of_reads_is_current():
    plain = {f"{label}.{name}" for label, page, name, _ in _url_actions() if not page.get_unfold_action(name).dialog}
    assert plain == READS


@pytest.mark.parametrize(
    "label, page, name, has_object",
    [pytest.param(*row, id=f"{row[0]}.{row[2]}") for row in _url_actions()],
)
class TestEachButton:
    """Every action with an address of its own."""

    def test_get_changes_nothing(self, boss, rows, label, page, name, has_object):
        before = _snapshot()
        response = boss.get(_url(page, name, rows[label].pk if has_object else None))
        assert response.status_code in (200, 302)
        assert _snapshot() == before

    def test_without_permission_it_is_refused(self, guest, rows, label, page, name, has_object):
        url, before = _url(page, name, rows[label].pk if has_object else None), _snapshot()
        for response in (guest.get(url), guest.post(url, PRESSED)):
            assert response.status_code == 403
        assert _snapshot() == before

    def test_seeing_the_page_is_not_enough(self, client, rows, label, page, name, has_object):
        if f"{label}.{name}" in FOR_VIEWERS:
            return
        opts = page.opts
        viewer = User.objects.create_user("viewer", is_staff=True)
        view = Permission.objects.get(codename=f"view_{opts.model_name}", content_type__app_label=opts.app_label)
        viewer.user_permissions.add(view)
        client.force_login(viewer)
        before = _snapshot()
        assert client.post(_url(page, name, rows[label].pk if has_object else None), PRESSED).status_code == 403
        assert _snapshot() == before

    def test_a_row_that_is_not_there_is_no_error(self, boss, label, page, name, has_object):
        if has_object:
            assert boss.get(_url(page, name, 987654321)).status_code == 302
            assert boss.post(_url(page, name, 987654321), PRESSED).status_code == 302


@pytest.mark.parametrize("label, page", _pages(), ids=lambda value: value if isinstance(value, str) else "")
class TestEachPage:
    """Every list, form and page."""

    def test_opens_for_a_superuser(self, boss, rows, label, page, rf):
        pk = rows[label].pk
        assert boss.get(_url(page, "changelist")).status_code == 200
        assert boss.get(_url(page, "changelist"), {"q": "x"}).status_code == 200
        assert boss.get(_url(page, "change", pk)).status_code == 200
        assert boss.get(_url(page, "history", pk)).status_code == 200
        assert boss.get(_url(page, "change", 987654321)).status_code == 302
        may_add = page.has_add_permission(boss.get("/admin/").wsgi_request)
        assert boss.get(_url(page, "add")).status_code == (200 if may_add else 403)
        assert boss.get(_url(page, "delete", pk)).status_code in (200, 302, 403)

    def test_stays_shut_without_permission(self, guest, rows, label, page):
        pk, before = rows[label].pk, _snapshot()
        for url in (_url(page, "changelist"), _url(page, "change", pk), _url(page, "add"), _url(page, "delete", pk)):
            assert guest.get(url).status_code == 403
            assert guest.post(url, {"post": "yes"}).status_code == 403
        assert _snapshot() == before

    def test_its_list_actions_are_refused_to_a_viewer(self, client, rows, label, page):
        opts = page.opts
        viewer = User.objects.create_user("viewer", is_staff=True)
        view = Permission.objects.get(codename=f"view_{opts.model_name}", content_type__app_label=opts.app_label)
        viewer.user_permissions.add(view)
        client.force_login(viewer)
        before = _snapshot()
        for _, name, _ in page._get_base_actions():
            data = {"action": name, "_selected_action": [rows[label].pk], "post": "yes"}
            assert client.post(_url(page, "changelist"), data).status_code in (200, 302, 403)
        assert _snapshot() == before

    def test_deleting_never_breaks(self, boss, rows, label, page):
        response = boss.post(_url(page, "delete", rows[label].pk), {"post": "yes"})
        assert response.status_code in (200, 302, 403)


def test_only_a_superuser_hands_out_rights(client):
    """Staff who may change users cannot make themselves, or take over, a superuser."""
    boss, group = User.objects.create_superuser("boss"), Group.objects.create(name="all")
    clerk = User.objects.create_user("clerk", is_staff=True)
    rights = ("change_user", "view_user", "change_group", "view_group", "delete_user")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(clerk)
    form = {"username": "clerk", "is_superuser": "on", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert client.post(f"/admin/auth/user/{clerk.pk}/change/", {**form, **dates}).status_code == 302
    clerk.refresh_from_db()
    assert not clerk.is_superuser and not clerk.groups.exists()
    assert client.post(f"/admin/auth/user/{boss.pk}/change/", {**form, **dates}).status_code == 403
    passwords = {"password1": "stolen-password-1", "password2": "stolen-password-1"}
    assert client.post(f"/admin/auth/user/{boss.pk}/password/", passwords).status_code == 403
    assert client.post(f"/admin/auth/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "mine"}).status_code == 403
