"""Buttons that cannot act: seen greyed, read with their reason, refused with the same sentence."""

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.urls import path
from unfold.admin import ModelAdmin
from unfold.decorators import action

from hemi.lib.buttons import ReasonedButtons
from hemi.site import HemiAdminSite

CLOSED = "This group is closed. Open it first."


class Refused(Exception):
    pass


class GroupAdmin(ReasonedButtons, ModelAdmin):
    actions_detail = ["close", "show"]
    actions = ["close_all"]
    refusal_errors = (Refused,)
    button_refusals = {
        "close": lambda group: CLOSED if group.name.startswith("closed") else "",
        "show": lambda group: CLOSED if group.name.startswith("closed") else "",
        "close_all": lambda group: CLOSED if group.name.startswith("closed") else "",
    }

    @action(description="Close", permissions=["auth.change_group"], dialog={"title": "Close the group?"})
    def close(self, request, form, object_id):
        group = self.get_object(request, object_id)
        return self.act(request, group, lambda: _close(group), "Closed.")

    @action(description="Show", permissions=["auth.view_group"])
    def show(self, request, object_id):
        return HttpResponse("shown")

    @action(description="Close", permissions=["change"])
    def close_all(self, request, queryset):
        self.act_on_rows(request, queryset, "close_all", _close, "{count} closed.")


def _close(group):
    if group.name == "stubborn":
        raise Refused("It does not want to.")
    Group.objects.filter(pk=group.pk).update(name=f"closed {group.name}")


site = HemiAdminSite(name="admin")
site.register(Group, GroupAdmin)
urlpatterns = [path("admin/", site.urls)]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def no_sidebar(settings):
    """The sidebar leads to the pages of the real site, which these tests put aside."""
    settings.UNFOLD = {**settings.UNFOLD, "SIDEBAR": {"navigation": []}}


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def _url(group, name="change"):
    return f"/admin/auth/group/{group.pk}/{name}/"


def _told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_button_that_can_act_opens_its_dialog_and_acts_on_post_only(staff):
    group = Group.objects.create(name="open")
    page = staff.get(_url(group)).content.decode()
    assert f'hx-get="{_url(group, "close")}"' in page and "Why some buttons are off" not in page
    assert "Close the group?" in staff.get(_url(group, "close")).content.decode()
    assert Group.objects.get(role=None).name == "open"
    response = staff.post(_url(group, "close"), {"_form_submitted": "on"}, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == _url(group) and _told(response) == ["Closed."]
    assert Group.objects.get(role=None).name == "closed open"


def test_a_button_that_cannot_act_is_greyed_and_says_why(staff):
    group = Group.objects.create(name="closed one")
    page = staff.get(_url(group)).content.decode()
    assert 'aria-disabled="true"' in page and f'title="{CLOSED}"' in page
    assert f'hx-get="{_url(group, "close")}"' not in page
    assert page.count(CLOSED) == 4  # two buttons: a tooltip and a readable line each


@pytest.mark.parametrize("name", ["close", "show"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_pressing_it_anyway_answers_the_same_sentence_and_changes_nothing(staff, name, method):
    group = Group.objects.create(name="closed one")
    response = getattr(staff, method)(_url(group, name), {"_form_submitted": "on"})
    assert response.status_code == 302 and response.url == _url(group)
    assert _told(response) == [CLOSED]
    assert Group.objects.get(role=None).name == "closed one"


def test_a_refusal_of_the_service_is_told(staff):
    group = Group.objects.create(name="stubborn")
    response = staff.post(_url(group, "close"), {"_form_submitted": "on"})
    assert _told(response) == ["It does not want to."]
    assert Group.objects.get(role=None).name == "stubborn"


def test_without_the_permission_nothing_is_told_and_nothing_is_done(client):
    group, shut = Group.objects.create(name="open"), Group.objects.create(name="closed one")
    client.force_login(User.objects.create_user("guest", is_staff=True))
    for row in (group, shut):
        assert client.post(_url(row, "close"), {"_form_submitted": "on"}).status_code == 403
    assert {row.name for row in Group.objects.filter(role=None)} == {"open", "closed one"}


def test_an_object_that_is_not_there_is_no_error_page(staff):
    for name in ("close", "show"):
        assert staff.get(f"/admin/auth/group/999/{name}/").status_code == 302


def test_a_list_action_tells_each_row(staff):
    rows = [Group.objects.create(name=name) for name in ("open", "closed one", "stubborn")]
    data = {"action": "close_all", "_selected_action": [row.pk for row in rows]}
    told = _told(staff.post("/admin/auth/group/", data))
    assert told[0] == "1 closed."
    assert sorted(told[1:]) == [f"closed one: {CLOSED}", "stubborn: It does not want to."]
