"""The roles that Hemi ships: made and kept up to date by `migrate`, and no way to get more than one has."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from hemi import roles
from hemi.models import Role
from suppliers.models import Supplier

pytestmark = pytest.mark.django_db

SHIPPED = {"Administrator", "Integration staff", "Support", "Read-only"}


def _migrate():
    call_command("migrate", verbosity=0)


def _names(group):
    return set(Group.objects.get(pk=group.pk).permissions.values_list("codename", flat=True))


def _member(client, role, name="chief"):
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


def _form(user, **changes):
    form = {"username": user.username, "is_active": "on", "is_staff": "on"}
    return {**form, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", **changes}


def test_migrate_makes_them():
    assert set(Group.objects.values_list("name", flat=True)) == SHIPPED == {str(role) for role in Role.objects.all()}
    for group in Group.objects.all():
        assert group.permissions.filter(codename="view_order").exists()


def test_a_new_permission_comes_by_itself_and_what_was_added_by_hand_goes():
    kind = ContentType.objects.get_for_model(Supplier)
    new = Permission.objects.create(codename="view_something_new", name="New", content_type=kind)
    support = Group.objects.get(name="Support")
    support.permissions.add(Permission.objects.get(codename="delete_supplier"))
    before = _names(support) - {"delete_supplier"}
    _migrate()
    assert _names(support) == before | {new.codename}


def test_groups_that_people_made_are_not_touched_not_even_one_of_the_same_name():
    Role.objects.all().delete()
    Group.objects.all().delete()
    ours = Group.objects.create(name="Support")
    also = Group.objects.create(name="Support (Hemi)")
    right = Permission.objects.get(codename="delete_client")
    ours.permissions.add(right)
    _migrate()
    _migrate()
    assert _names(ours) == {"delete_client"} and _names(also) == set()
    assert str(Role.objects.get(key="support")) == "Support (Hemi 2)" and Group.objects.count() == 6


def test_one_that_was_renamed_or_deleted_is_known_again():
    Group.objects.filter(name="Read-only").update(name="Nur lesen")
    Group.objects.get(name="Support").delete()
    _migrate()
    assert set(Group.objects.values_list("name", flat=True)) == (SHIPPED - {"Read-only"}) | {"Nur lesen"}


def test_nothing_is_given_beyond_the_table_where_permissions_of_others_come():
    everything = {f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.select_related()}
    of_the_machinery = {"sessions.delete_session", "admin.delete_logentry", "auth.change_group", "auth.add_permission"}
    for _, has in roles.ROLES.values():
        assert not [name for name in of_the_machinery & everything if has(name)]


def test_an_administrator_puts_people_into_roles_but_gives_nothing_beyond(client):
    _member(client, "Administrator")
    person = User.objects.create_user("person", is_staff=True)
    strong = Group.objects.create(name="Strong")
    strong.permissions.add(Permission.objects.get(codename="change_group"))
    support = Group.objects.get(name="Support")
    url = f"/admin/auth/user/{person.pk}/change/"
    everything = {"is_superuser": "on", "user_permissions": [Permission.objects.get(codename="change_group").pk]}
    assert client.post(url, _form(person, groups=[support.pk], **everything)).status_code == 302
    person.refresh_from_db()
    assert list(person.groups.all()) == [support] and not person.is_superuser and not person.user_permissions.exists()
    answer = client.post(url, _form(person, groups=[strong.pk]))
    assert answer.status_code == 200 and list(person.groups.all()) == [support]


@pytest.mark.parametrize("is_active", [True, False])
def test_who_may_change_users_cannot_take_over_one_with_more_rights(client, is_active):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=("change_user", "view_user", "delete_user")))
    chief = User.objects.create_user("chief", is_staff=True, is_active=is_active)
    chief.groups.add(Group.objects.get(name="Administrator"))
    client.force_login(clerk)
    page, words = f"/admin/auth/user/{chief.pk}", {"password1": "stolen-password-1", "password2": "stolen-password-1"}
    assert client.post(f"{page}/password/", words).status_code == 403
    assert client.post(f"{page}/change/", _form(chief)).status_code == 403
    assert client.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [chief.pk], "post": "yes"}
    client.post("/admin/auth/user/", bulk)
    chief.refresh_from_db()
    assert chief.is_active is is_active and not chief.has_usable_password()


def test_who_did_something_stays_so_that_it_can_be_told_who_it_was(client, admin_client):
    ann, mistake = _member(client, "Administrator"), User.objects.create_user("mistake")
    client.post(f"/admin/auth/user/{mistake.pk}/change/", _form(mistake, first_name="Ms"))
    assert LogEntry.objects.filter(user=ann).exists()
    for _ in range(2):
        answer = admin_client.post(f"/admin/auth/user/{ann.pk}/delete/", {"post": "yes"}, follow=True)
        assert "Take the tick at Active away instead" in answer.content.decode()
        assert User.objects.filter(pk=ann.pk).exists()
        LogEntry.objects.all().delete()  # the history of changes names the person, too
    bulk = {"action": "delete_selected", "_selected_action": [ann.pk, mistake.pk], "post": "yes"}
    admin_client.post("/admin/auth/user/", bulk)
    assert User.objects.filter(pk__in=(ann.pk, mistake.pk)).count() == 2
    assert admin_client.post(f"/admin/auth/user/{mistake.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=mistake.pk).exists()


def test_nobody_sets_the_own_password_without_the_old_one(client):
    chief = _member(client, "Administrator")
    words = {"password1": "stolen-password-1", "password2": "stolen-password-1", "usable_password": "true"}
    answer = client.post(f"/admin/auth/user/{chief.pk}/password/", words)
    assert answer["Location"] == "/admin/password_change/"
    chief.refresh_from_db()
    assert not chief.has_usable_password()


def test_not_even_a_superuser_edits_a_role_by_hand_for_the_next_update_would_undo_it(admin_client):
    group = Group.objects.get(name="Support")
    page = f"/admin/auth/group/{group.pk}"
    assert admin_client.post(f"{page}/change/", {"name": "Mine"}).status_code == 403
    assert admin_client.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{page}/change/").status_code == 200
    own = Group.objects.create(name="Own")
    assert admin_client.post(f"/admin/auth/group/{own.pk}/change/", {"name": "Mine"}).status_code == 302
