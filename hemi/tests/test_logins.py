"""Logins are limited in tries, by account and by address; who was locked out is let in again by a colleague."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from hemi.models import FailedLogin
from integrations.tests import pages

PASSWORD = "a-right-password-1"
HOME, AWAY = "192.0.2.10", "198.51.100.20"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return User.objects.create_user("ann", password=PASSWORD, is_staff=True)


def _log_in(client, name="ann", password=PASSWORD, address=HOME, **more):
    """Try as through nginx: over a unix socket, which has no address of its own."""
    return client.post(
        "/admin/login/",
        {"username": name, "password": password, "next": "/admin/"},
        **{"REMOTE_ADDR": "", "HTTP_X_REAL_IP": address, "HTTP_X_FORWARDED_FOR": address, **more},
    )


def _fail(client, times, **more):
    return [_log_in(client, password=f"wrong-{number}", **more).status_code for number in range(times)]


def test_the_fifth_wrong_password_locks_the_account_for_that_address(client, ann):
    assert _fail(client, 5) == [200, 200, 200, 200, 429]
    refused = _log_in(client)
    assert refused.status_code == 429 and "Too many tries" in refused.content.decode()
    assert refused["Retry-After"] == "900" and "_auth_user_id" not in client.session
    assert _log_in(client, address=AWAY).status_code == 302


def test_an_account_that_does_not_exist_looks_just_the_same(client, ann):
    def said(name):
        answers = [_log_in(client, name=name, password="wrong", address=f"192.0.2.{len(name)}") for _ in range(7)]
        return [(answer.status_code, answer.content.replace(name.encode(), b"NAME")[:200]) for answer in answers]

    assert said("ann") == said("nobody-at-all")


def test_one_address_cannot_try_many_accounts(client, ann):
    codes = [_log_in(client, name=f"name-{number}", password="wrong").status_code for number in range(20)]
    assert codes == [200] * 19 + [429]
    assert _log_in(client).status_code == 429
    assert _log_in(client, address=AWAY).status_code == 302


def test_one_account_cannot_be_tried_from_many_addresses(client, ann):
    codes = [_fail(client, 1, address=f"203.0.113.{number}")[0] for number in range(50)]
    assert codes == [200] * 49 + [429]
    assert _log_in(client, address=HOME).status_code == 429


def test_the_lock_ends_by_itself_and_no_sooner_for_who_goes_on_trying(client, ann):
    _fail(client, 5)
    long_ago = timezone.now() - timedelta(minutes=14)
    AccessAttempt.objects.update(attempt_time=long_ago)
    assert _fail(client, 2) == [429, 429]
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert _log_in(client).status_code == 302


def test_a_right_password_begins_the_count_anew(client, ann):
    _fail(client, 4)
    assert _log_in(client).status_code == 302
    client.logout()
    assert _fail(client, 4) == [200] * 4


def test_logging_in_as_oneself_does_not_begin_the_count_anew_for_others(client, ann):
    User.objects.create_user("mallory", password=PASSWORD, is_staff=True)
    for number in range(19):
        assert _log_in(client, name=f"name-{number}", password="wrong").status_code == 200
    assert _log_in(Client(), name="mallory").status_code == 302
    assert _log_in(client, name="name-20", password="wrong").status_code == 429


def test_whoever_has_a_network_of_ipv6_has_one_address(client, ann):
    def codes(net):
        return [_fail(client, 1, address=f"2001:db8:1:{net}::{number:x}")[0] for number in range(1, 6)]

    assert codes("a") == [200, 200, 200, 200, 429] == codes("b")
    assert _log_in(client, address="2001:db8:1:a:ffff::1").status_code == 429
    assert _log_in(client, address="2001:db8:1:c::1").status_code == 302


def test_strangers_cannot_keep_a_person_out_of_the_browser_that_is_known(client, ann):
    known = Client()
    _log_in(known)
    known.post("/admin/logout/")
    ben = User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    for number in range(50):
        _fail(client, 1, address=f"203.0.113.{number}")
        _fail(client, 1, name="ben", address=f"198.51.100.{number + 100}")
    assert _log_in(client).status_code == 429 and _log_in(known).status_code == 302
    assert _log_in(known, name=ben.username).status_code == 429
    known.post("/admin/logout/")
    assert _fail(known, 5) == [200, 200, 200, 200, 429] and _log_in(known).status_code == 429


def test_nobody_makes_a_browser_known_but_by_logging_in(client, ann):
    mallory = User.objects.create_user("mallory", password=PASSWORD, is_staff=True)
    answer = _log_in(client, name=mallory.username)
    mark = answer.cookies["known-browser"]
    assert mark["httponly"] and mark["path"] == "/admin/login/" and mark["samesite"] == "Lax"
    assert "mallory" not in mark.value
    assert "known-browser" not in _log_in(Client(), password="wrong").cookies
    for number in range(50):
        _fail(Client(), 1, address=f"203.0.113.{number}")
    for forged in (mark.value, mark.value[:-1], "", "x:y:z"):
        client.cookies["known-browser"] = forged
        assert _log_in(client).status_code == 429


@pytest.mark.parametrize("name", ["ann", " ann ", "ａｎｎ", "\tann"])
def test_another_way_to_write_the_name_is_no_other_account(client, ann, name):
    assert _fail(client, 5, name=name)[-1] == 429
    assert _log_in(client).status_code == 429 and FailedLogin.objects.get().username == "ann"


def test_a_session_that_was_left_open_is_no_place_to_guess_the_password(client, ann):
    client.force_login(ann)
    form = {"new_password1": "a-stolen-password-9", "new_password2": "a-stolen-password-9"}
    answers = [client.post("/admin/password_change/", {"old_password": f"no-{n}", **form}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert client.post("/admin/password_change/", {"old_password": PASSWORD, **form}).status_code == 429
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    AccessAttempt.objects.all().delete()
    assert client.post("/admin/password_change/", {"old_password": PASSWORD, **form}).status_code == 302


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP"])
def test_a_visitor_who_is_no_proxy_cannot_choose_an_address(client, ann, header):
    codes = [
        _log_in(client, password="wrong", REMOTE_ADDR=AWAY, **{header: f"203.0.113.{number}"}).status_code
        for number in range(6)
    ]
    assert codes == [200, 200, 200, 200, 429, 429]
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {AWAY}


def test_what_a_visitor_writes_before_the_proxys_own_word_counts_for_nothing(client, ann, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    for said in (f"203.0.113.1, {AWAY}", f"garbage, {AWAY}", f"127.0.0.1, {AWAY}, 10.1.1.1"):
        _log_in(client, password="wrong", HTTP_X_FORWARDED_FOR=said, HTTP_X_REAL_IP="203.0.113.9")
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {AWAY}


def test_no_password_and_no_token_of_a_form_is_kept(client, ann):
    _log_in(client, password="nearly-right-secret")
    row = AccessAttempt.objects.values().get()
    assert "nearly-right-secret" not in str(row) and row["username"] == "ann"


@pytest.mark.parametrize("role, may", [("Administrator", True), ("Integration staff", True), ("Support", False)])
def test_a_colleague_lets_the_person_in_again(client, ann, role, may):
    _fail(client, 5)
    colleague = User.objects.create_user("ben", is_staff=True)
    colleague.groups.add(Group.objects.get(name=role))
    client.force_login(colleague)
    row = FailedLogin.objects.get()
    shown = client.get("/admin/hemi/failedlogin/")
    if may:
        assert "Locked out" in shown.content.decode()
        _, said = pages.press(client, row, "unlock")
        assert said == ["ann can log in again."]
    else:
        assert shown.status_code == 403
        assert client.post(pages.page(row, "unlock"), {"_form_submitted": "on"}).status_code == 403
    client.logout()
    assert _log_in(client).status_code == (302 if may else 429)
