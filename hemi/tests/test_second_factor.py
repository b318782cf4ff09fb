"""The second factor: nobody passes without it, it works once, it can be replaced and reset, and it stays secret."""

import re
import time
from base64 import b32decode
from binascii import unhexlify
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from hemi.models import Authenticator, RecoveryCode
from hemi.tests import addresses, one_of_each
from integrations.tests import pages

PASSWORD = "a-right-password-1"
CHECK, SETUP, CODES = "/admin/second-factor/", "/admin/second-factor/setup/", "/admin/second-factor/codes/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return User.objects.create_superuser("ann")


@pytest.fixture
def browser(client, ann):
    client.force_login(ann)
    return client


def _code(key, steps=0):
    return f"{totp(unhexlify(key), drift=steps):06d}"


def _set_up(browser):
    """Do as a person does: scan the code, type what the app shows. Return the recovery codes."""
    page = browser.get(SETUP)
    offer, key = page.context["offer"], _typed_key(page.context["key"])
    answer = browser.post(SETUP, {"offer": offer, "code": _code(key)})
    return answer.context["codes"]


def _typed_key(words):
    text = words.replace(" ", "")
    return b32decode(text + "=" * (-len(text) % 8)).hex()


def _new_session(ann):
    browser = Client()
    browser.force_login(ann)
    return browser


def _later():
    """Let a step pass: codes work once."""
    Authenticator.objects.update(last_step=int(time.time() // 30) - 2, throttling_failure_count=0)


def test_the_code_of_the_app_is_asked_for_from_then_on(browser, ann):
    assert browser.get("/admin/").status_code == 200
    codes = _set_up(browser)
    assert len(set(codes)) == 10 and browser.get("/admin/").status_code == 200
    other = _new_session(ann)
    answer = other.get("/admin/orders/order/?q=x")
    assert answer["Location"] == "/admin/second-factor/?next=%2Fadmin%2Forders%2Forder%2F%3Fq%3Dx"
    _later()
    answer = other.post(answer["Location"], {"code": _code(Authenticator.objects.get().key)})
    assert answer["Location"] == "/admin/orders/order/?q=x"
    assert other.get("/admin/orders/order/").status_code == 200


def test_a_code_that_was_used_is_refused(browser, ann):
    _set_up(browser)
    used = _code(Authenticator.objects.get().key)
    other = _new_session(ann)
    assert "is not right, or it was used" in other.post(CHECK, {"code": used}).content.decode()
    assert other.get("/admin/").status_code == 302


def test_wrong_codes_slow_the_next_ones_down(browser, ann):
    _set_up(browser)
    other = _new_session(ann)
    for _ in range(2):
        Authenticator.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(minutes=5))
        other.post(CHECK, {"code": "000000"})
    _later()
    Authenticator.objects.update(throttling_failure_count=8)
    answer = other.post(CHECK, {"code": _code(Authenticator.objects.get().key)})
    assert "Too many wrong codes" in answer.content.decode() and other.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "nonsense", ["", "12345", "1234567", "abcdef", "１２３４５６", "-00001", "1e5", "\x00", "0" * 41]
)
def test_what_is_no_code_is_refused(browser, ann, nonsense):
    _set_up(browser)
    other = _new_session(ann)
    assert other.post(CHECK, {"code": nonsense}).status_code == 200
    assert other.get("/admin/").status_code == 302


def test_a_recovery_code_works_once_however_it_is_typed(browser, ann):
    first, second = _set_up(browser)[:2]
    assert _new_session(ann).post(CHECK, {"code": first.upper().replace("-", " ")}).status_code == 302
    again = _new_session(ann)
    assert again.post(CHECK, {"code": first}).status_code == 200
    Authenticator.objects.update(throttling_failure_count=0)
    answer = again.post(CHECK, {"code": second}, follow=True)
    assert "8 are left" in answer.content.decode() and answer.redirect_chain[-1][0] == "/admin/"


def test_whoever_guesses_at_codes_does_not_keep_the_person_with_a_recovery_code_out(browser, ann):
    codes = _set_up(browser)
    Authenticator.objects.update(throttling_failure_count=20, throttling_failure_timestamp=timezone.now(), last_step=1)
    other = _new_session(ann)
    answer = other.post(CHECK, {"code": _code(Authenticator.objects.get().key)})
    assert "is taken in 6\xa0days; a recovery code is taken at once" in answer.content.decode()
    assert other.post(CHECK, {"code": codes[0]}).status_code == 302 and other.get("/admin/").status_code == 200
    assert _new_session(ann).post(CHECK, {"code": _code(Authenticator.objects.get().key)}).status_code == 302


def _guarded(ann):
    """Return the session of a person with a password, as somebody may find it at an open desk."""
    ann.set_password(PASSWORD)
    ann.save()
    return _new_session(ann)


def test_a_session_alone_sets_nothing_up(ann):
    browser = _guarded(ann)
    page = browser.get(SETUP)
    wanted = {"offer": page.context["offer"], "code": _code(_typed_key(page.context["key"]))}
    for wrong in ({}, {"password": "a-wrong-password"}):
        answer = browser.post(SETUP, {**wanted, **wrong})
        assert answer.status_code == 200 and "password" in answer.context["form"].errors
        assert not Authenticator.objects.exists()
    assert len(browser.post(SETUP, {**wanted, "password": PASSWORD}).context["codes"]) == 10


def test_a_session_alone_replaces_nothing(ann):
    browser = _guarded(ann)
    page = browser.get(SETUP)
    code = _code(_typed_key(page.context["key"]))
    browser.post(SETUP, {"offer": page.context["offer"], "code": code, "password": PASSWORD})
    key, digests = Authenticator.objects.get().key, set(RecoveryCode.objects.values_list("digest", flat=True))
    page = browser.get(SETUP)
    code = _code(_typed_key(page.context["key"]))
    browser.post(SETUP, {"offer": page.context["offer"], "code": code, "password": "a-wrong-password"})
    for wrong in ({}, {"password": ""}, {"password": "a-wrong-password"}):
        assert browser.post(CODES, wrong).templates[0].name == "admin/second_factor.html"
    assert Authenticator.objects.get().key == key
    assert set(RecoveryCode.objects.values_list("digest", flat=True)) == digests
    assert len(browser.post(CODES, {"password": PASSWORD}).context["codes"]) == 10


def test_the_password_cannot_be_guessed_there_either(ann):
    browser = _guarded(ann)
    page = browser.get(SETUP)
    wanted = {"offer": page.context["offer"], "code": _code(_typed_key(page.context["key"]))}
    codes = [browser.post(SETUP, {**wanted, "password": f"no-{number}"}).status_code for number in range(5)]
    assert codes == [200, 200, 200, 200, 429]
    assert browser.post(SETUP, {**wanted, "password": PASSWORD}).status_code == 429
    assert not Authenticator.objects.exists()


def test_new_recovery_codes_end_the_old_ones(browser, ann):
    old = _set_up(browser)[0]
    new = browser.post(CODES).context["codes"]
    other = _new_session(ann)
    assert other.post(CODES).status_code == 302 and RecoveryCode.objects.count() == 10
    other.post(CHECK, {"code": old})
    Authenticator.objects.update(throttling_failure_count=0)
    assert other.get("/admin/").status_code == 302
    assert other.post(CHECK, {"code": new[0]}).status_code == 302


def test_key_and_codes_do_not_lie_open_in_the_database(browser, ann):
    codes = _set_up(browser)
    key = Authenticator.objects.get().key
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM hemi_authenticator")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT * FROM hemi_recoverycode")
        stored += str(cursor.fetchall())
        cursor.execute("SELECT * FROM hemi_configurationchange")
        stored += str(cursor.fetchall())
    assert str(key) not in stored
    assert not any(code.replace("-", "") in stored or code in stored for code in codes)


def test_a_wrong_first_code_sets_nothing_up(browser):
    page = browser.get(SETUP)
    answer = browser.post(SETUP, {"offer": page.context["offer"], "code": "000000"})
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists()
    assert answer.context["offer"] == page.context["offer"]  # the app that scanned it stays right


def test_the_key_of_another_person_or_of_another_day_is_not_taken(browser, ann):
    mallory = User.objects.create_superuser("mallory")
    offer = _new_session(mallory).get(SETUP).context["offer"]
    for wrong in (offer, offer[:-2] + "xx", "", "{}"):
        assert "open for too long" in browser.post(SETUP, {"offer": wrong, "code": "000000"}).content.decode()
    assert not Authenticator.objects.exists()


def test_the_page_loads_nothing_and_leaves_nothing_in_caches(browser):
    answer = browser.get(SETUP)
    assert "<svg" in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert not re.search(r'(src|href)="https?://', answer.content.decode())


def _walk(browser, rows):
    for address in addresses.every(rows):
        if address.path.startswith("/admin/") and address.path not in ("/admin/logout/", "/admin/login/"):
            for method in ("get", "post"):
                yield address.path, getattr(browser, method)(address.path)


def test_who_has_one_reaches_nothing_without_it(browser, ann):
    rows = one_of_each.make()
    _set_up(browser)
    for path, answer in _walk(_new_session(ann), rows):
        assert path == CHECK or (answer.status_code == 302 and answer["Location"].startswith(CHECK)), path


def test_where_it_is_required_staff_without_one_reach_the_setup_and_nothing_else(browser, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    rows = one_of_each.make()
    for path, answer in _walk(browser, rows):
        assert path == SETUP or (answer.status_code == 302 and answer["Location"].startswith(SETUP)), path
    dialog = browser.get("/admin/", headers={"HX-Request": "true"})
    assert dialog["HX-Redirect"] == SETUP
    _set_up(browser)
    assert browser.get("/admin/").status_code == 200
    assert browser.post("/admin/logout/").status_code == 200


def test_one_may_not_replace_what_one_cannot_show(browser, ann):
    _set_up(browser)
    key = Authenticator.objects.get().key
    other = _new_session(ann)
    assert other.get(SETUP)["Location"].startswith(CHECK) and other.post(SETUP, {"code": "1"}).status_code == 302
    assert Authenticator.objects.get().key == key


def test_another_phone_takes_the_place_of_the_first_and_ends_its_sessions(browser, ann):
    _set_up(browser)
    _later()
    other = _new_session(ann)
    other.post(CHECK, {"code": _code(Authenticator.objects.get().key)})
    assert other.get("/admin/").status_code == 200
    old = Authenticator.objects.get().key
    _set_up(other)
    assert Authenticator.objects.get().key != old
    assert browser.get("/admin/").status_code == 302 and other.get("/admin/").status_code == 200


@pytest.mark.parametrize("role, may", [("Administrator", True), ("Integration staff", False)])
def test_an_administrator_resets_a_lost_one(browser, client, role, may):
    bea = User.objects.create_user("bea", is_staff=True)
    _set_up(session := _new_session(bea))
    waiting = _new_session(bea)  # whoever has the password only
    chief = User.objects.create_user("chief", is_staff=True)
    chief.groups.add(Group.objects.get(name=role))
    chiefs = _new_session(chief)
    if may:
        _, said = pages.press(chiefs, bea, "reset_second_factor")
        assert said == ["The second factor is reset; it is set up anew after the next login."]
        assert not RecoveryCode.objects.exists()
        assert all(each.get("/admin/")["Location"].startswith("/admin/login/") for each in (session, waiting))
        assert chiefs.get("/admin/").status_code == 200
    else:
        assert chiefs.post(pages.page(bea, "reset_second_factor"), {"_form_submitted": "on"}).status_code == 403
        assert Authenticator.objects.count() == 1


def test_nobody_resets_that_of_a_person_with_more_rights(browser, ann):
    _set_up(browser)
    chief = User.objects.create_user("chief", is_staff=True)
    chief.groups.add(Group.objects.get(name="Administrator"))
    answer = _new_session(chief).post(pages.page(ann, "reset_second_factor"), {"_form_submitted": "on"})
    assert answer.status_code == 403 and Authenticator.objects.count() == 1


def test_after_the_code_a_person_is_not_sent_to_another_site(browser, ann):
    _set_up(browser)
    _later()
    answer = _new_session(ann).post(
        f"{CHECK}?next=https://evil.test/", {"code": _code(Authenticator.objects.get().key)}
    )
    assert answer["Location"] == "/admin/"


def test_the_only_administrator_is_helped_on_the_server(browser, ann, capsys):
    _set_up(browser)
    with pytest.raises(CommandError, match="no user nobody"):
        call_command("reset_second_factor", "nobody")
    call_command("reset_second_factor", "ann")
    assert "The second factor of ann is reset" in capsys.readouterr().out
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists()
    with pytest.raises(CommandError, match="No second factor is set up"):
        call_command("reset_second_factor", "ann")
