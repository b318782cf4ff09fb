"""Every address that Django resolves, asked by an anonymous person, by one with no rights and by each role.

What each may is written out in hemi/tests/rights.py; nothing else opens, nothing that was refused changes a row, no
link leads to a refusal, and nothing ends in an error of the server.
"""

import re
from contextlib import contextmanager

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection, transaction

from hemi.tests import addresses, one_of_each, rights

PRESSED = {"_form_submitted": "on", "reason": "A reason", "outcome": "again", "post": "yes"}
WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.IGNORECASE)
# A session, and what a person's own log of a download is.
HARMLESS = {"django_session", "django_admin_log"}
LINK = re.compile(r'(?:href|hx-get|hx-post|action)="(/admin/[^"#]*)"')
# The way out, and what ends a session.
LEFT_OUT = {"/admin/logout/"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows():
    return one_of_each.make()


@contextmanager
def written():
    """Collect the tables that are written to."""
    tables = []

    def note(execute, sql, params, many, context):
        if (match := WRITES.match(sql)) and match[2] not in HARMLESS:
            tables.append(match[2])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield tables


def _ask(client, method, path, data=None):
    """Ask, and undo what it did: return the answer and the tables that were written to."""
    with transaction.atomic(), written() as tables:
        response = getattr(client, method)(path, data or {})
        getattr(response, "render", bool)()
        transaction.set_rollback(True)
    assert response.status_code < 500, f"{method} {path}"
    return response, tables


def _is_refused(response):
    return response.status_code == 403 or response.headers.get("Location", "").startswith("/admin/login/")


def _list_actions(rows):
    """Yield (path of the list, label, action, data) for every list action."""
    for model, page in admin.site._registry.items():
        label, opts = model._meta.label, model._meta
        for _, name, _ in page._get_base_actions():
            data = {"action": name, "_selected_action": [rows[label].pk], "post": "yes", "confirmed": "yes"}
            yield f"/admin/{opts.app_label}/{opts.model_name}/", label, name, data


def _may(role, address, method):
    if not address.label or not address.what:
        return True
    what = "change" if method == "post" and address.path.endswith("/change/") else address.what
    return role in rights.who_may(address.label, what)


def _dead_ends(client, opened):
    """Return the links and buttons of the opened pages that lead to a refusal or to nothing."""
    links = {}
    for page, response in opened.items():
        if response.status_code == 200 and not response.streaming:
            for link in LINK.findall(response.content.decode("utf-8", "replace")):
                links.setdefault(link.split("?")[0], page)
    asked = {path: response for path, response in opened.items() if path in links}
    for path in links.keys() - asked.keys() - LEFT_OUT:
        asked[path] = _ask(client, "get", path)[0]
    return [(links[path], path) for path, it in asked.items() if _is_refused(it) or it.status_code == 404]


@pytest.mark.parametrize("role", sorted(rights.EVERYBODY))
class TestEachRole:
    """A member of staff in one group that Hemi ships."""

    @pytest.fixture
    def member(self, client, role, rows):
        user = User.objects.create_user("member", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    def test_opens_and_does_what_the_role_may_and_nothing_else(self, member, role, rows):
        wrong, opened = [], {}
        for address in addresses.every(rows):
            for method, data in (("get", {}), ("post", PRESSED)):
                if address.path in LEFT_OUT or not address.path.startswith("/admin/"):
                    continue
                response, tables = _ask(member, method, address.path, data)
                if method == "get":
                    opened[address.path] = response
                is_let_in = not _is_refused(response) and (method == "get" or response.status_code != 405)
                may = _may(role, address, method)
                if address.label and address.what and is_let_in != may:
                    wrong.append((method, address.path, response.status_code, "may" if may else "may not"))
                if tables and (method == "get" or not may):
                    wrong.append((method, address.path, "wrote to", tables))
        assert not wrong
        assert _dead_ends(member, opened) == []

    def test_runs_the_list_actions_of_the_role_and_no_other(self, member, role, rows):
        wrong = []
        for path, label, name, data in _list_actions(rows):
            what = "delete" if name == "delete_selected" else name
            may = role in rights.who_may(label, what)
            response, tables = _ask(member, "post", path, data)
            offered = name.encode() in _ask(member, "get", path)[0].content
            if not may and (tables or offered):
                wrong.append((label, name, response.status_code, tables, offered))
            if may and name != "delete_selected" and not offered:
                wrong.append((label, name, "is not offered"))
        assert not wrong


class TestNoRights:
    """Somebody who is nobody here."""

    def _walk(self, client, rows):
        """Yield what an answer was, for each address of the admin and both methods, and for each list action."""
        asked = [(a.path, a, m, PRESSED if m == "post" else {}) for a in addresses.every(rows) for m in ("get", "post")]
        asked += [
            (path, addresses.Address(path, label, name), "post", data)
            for path, label, name, data in _list_actions(rows)
        ]
        for path, address, method, data in asked:
            if path.startswith("/admin/") and path not in LEFT_OUT:
                response, tables = _ask(client, method, path, data)
                yield address, method, response, tables

    def test_an_anonymous_person_gets_to_the_login_and_no_further(self, client, rows):
        own = {"/admin/login/", "/admin/jsi18n/"}
        for address, method, response, tables in self._walk(client, rows):
            assert set(tables) <= {"axes_accessattempt"}, (method, address)
            if address.path not in own:
                assert _is_refused(response), (method, address, response.status_code)

    def test_a_person_who_is_not_staff_gets_no_further_either(self, client, rows):
        client.force_login(User.objects.create_user("customer"))
        for address, method, response, tables in self._walk(client, rows):
            assert not tables, (method, address)
            if address.path not in {"/admin/login/", "/admin/jsi18n/"}:
                assert _is_refused(response), (method, address, response.status_code)

    def test_staff_without_any_right_sees_the_overview_and_nothing_else(self, client, rows):
        client.force_login(User.objects.create_user("newcomer", is_staff=True))
        for address, method, response, tables in self._walk(client, rows):
            assert not tables, (method, address)
            if address.label and address.what:
                assert response.status_code == 403, (method, address, response.status_code)

    def test_what_machines_and_clients_call_never_breaks(self, client, rows):
        for address in addresses.every(rows):
            if not address.path.startswith("/admin/"):
                for method in ("get", "post", "put", "delete", "head", "options"):
                    with transaction.atomic():
                        response = getattr(client, method)(address.path)
                        transaction.set_rollback(True)
                    assert response.status_code < 500 or address.path == "/readyz", (method, address)


@pytest.mark.parametrize(
    "path",
    [
        "search/?s=order&page=x",
        "search/?s=order&page=99",
        "autocomplete/?app_label=suppliers&model_name=supplier&field_name=rules&term=",
    ],
)
def test_what_no_page_of_hemi_asks_for_is_not_found(admin_client, path):
    assert admin_client.get(f"/admin/{path}").status_code == 404
    assert b"/admin/orders/order/" in admin_client.get("/admin/search/?s=order").content


def test_addresses_with_nonsense_in_them_never_break(admin_client, rows):
    for address in addresses.every(rows):
        if address.label and str(rows[address.label].pk) in address.path:
            for nonsense in ("9" * 30, "nobody_5F'"):
                path = address.path.replace(f"/{rows[address.label].pk}/", f"/{nonsense}/")
                for method in ("get", "post"):
                    assert _ask(admin_client, method, path, PRESSED)[0].status_code in (200, 302, 403, 404), path
