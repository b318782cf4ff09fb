"""The App Proxy Secret: made or pasted, shown once at most, revoked with a grace that was chosen then."""

import logging
import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from integrations import old_secrets
from integrations.models import AccountShopline, Client
from integrations.services import proxy_secrets
from integrations.services.refusals import Refused
from integrations.tests.pages import page, said_to, save
from integrations.tests.shopline import proxying

pytestmark = pytest.mark.django_db
OLD, NEW = "the-old-secret", "the-new-secret"
SHOWN = re.compile(r">([0-9a-f]{64})</textarea>")
SECRETS = ["app_proxy_secret", "previous_app_proxy_secret", "previous_secret_until", "secret_changed_at"]


def make(**values):
    owner = Client.objects.create(name="Tea & Co")
    return AccountShopline.objects.create(client=owner, merchant_id="m-1", shop_name="Teehaus", **values)


@pytest.fixture
def pasted(staff):
    """An account whose secret SHOPLINE made."""
    account = make()
    assert not save(staff, page(account), app_proxy_secret=OLD)
    staff.cookies.pop("messages", None)
    account.refresh_from_db()
    return account


@pytest.fixture
def own(staff):
    """An account for which Hemi plays the storefront side, without a secret so far."""
    return make(plays_storefront=True)


def post(browser, account, button, **form):
    return browser.post(page(account, button), {"_form_submitted": "on", **form}, headers={"HX-Request": "true"})


def revoke(browser, account, **form):
    seen = browser.get(page(account, "revoke")).context["form"]["seen"].value()
    return post(browser, account, "revoke", **{"seen": seen, "minutes": "0", **form})


def stored(account):
    row = AccountShopline.objects.get(pk=account.pk)
    return [getattr(row, name) for name in SECRETS]


def secrets_of(account):
    return AccountShopline.objects.get(pk=account.pk).secrets


class TestMadeByHemi:
    """Shown once, in the answer to the dialog."""

    def test_it_is_in_one_answer_and_nowhere_else(self, staff, own, caplog):
        caplog.set_level(logging.DEBUG)
        answer = post(staff, own, "make_secret")
        (secret,) = SHOWN.findall(answer.content.decode())
        assert secrets_of(own) == [secret]
        assert "no-store" in answer["Cache-Control"] and answer["HX-Retarget"] == "#dialog"
        assert not answer.cookies and not said_to(answer)
        later = [page(own), page(own, "history"), page(own, "make_secret"), page(own, "revoke"), "/admin/"]
        assert not [url for url in later if secret in staff.get(url, follow=True).content.decode()]
        kept = [str(entry.__dict__) for entry in LogEntry.objects.all()]
        kept += [str(event.__dict__) for event in own.events.all()]
        kept += [str(session.get_decoded()) for session in Session.objects.all()]
        assert not [text for text in [*kept, caplog.text] if secret in text]
        with connection.cursor() as cursor:
            cursor.execute("SELECT app_proxy_secret FROM integrations_accountshopline")
            assert secret not in cursor.fetchone()[0]

    def test_without_scripts_it_is_a_page(self, staff, own):
        answer = staff.post(page(own, "make_secret"), {"_form_submitted": "on"})
        assert len(SHOWN.findall(answer.content.decode())) == 1
        assert "no-store" in answer["Cache-Control"]

    def test_reloading_that_page_makes_no_other(self, staff, own):
        first = SHOWN.findall(post(staff, own, "make_secret").content.decode())
        again = post(staff, own, "make_secret")
        assert "press Revoke" in said_to(again)[0]
        assert secrets_of(own) == first

    def test_nothing_is_pasted_there(self, staff, own):
        assert "app_proxy_secret" not in staff.get(page(own)).context["adminform"].form.fields
        post(staff, own, "make_secret")
        before = secrets_of(own)
        answer = revoke(staff, own, pasted=NEW)  # the dialog has no such field
        assert secrets_of(own) == SHOWN.findall(answer.content.decode()) != before

    def test_revoked_it_is_another(self, staff, own):
        first = SHOWN.findall(post(staff, own, "make_secret").content.decode())
        answer = revoke(staff, own, minutes="10")
        second = SHOWN.findall(answer.content.decode())
        assert len(second) == 1 and secrets_of(own) == second + first

    def test_the_same_answer_sent_twice_revokes_once(self, staff, own):
        post(staff, own, "make_secret")
        seen = staff.get(page(own, "revoke")).context["form"]["seen"].value()
        post(staff, own, "revoke", seen=seen, minutes="0")
        before = stored(own)
        again = post(staff, own, "revoke", seen=seen, minutes="0")
        assert "changed since you opened this" in said_to(again)[0]
        assert stored(own) == before


class TestPasted:
    """Where SHOPLINE makes it, a person pastes each new one."""

    def test_the_first_goes_in_by_the_form_and_never_comes_out(self, staff, pasted):
        assert secrets_of(pasted) == [OLD]
        assert OLD not in staff.get(page(pasted)).content.decode()
        assert "paste it on the tab" not in unescape(staff.get(page(pasted)).content.decode())
        assert not save(staff, page(pasted), app_proxy_secret=NEW)  # once one is stored there is no such field
        assert secrets_of(pasted) == [OLD]

    def test_hemi_makes_none(self, staff):
        account = make()
        assert "SHOPLINE makes the secret" in said_to(post(staff, account, "make_secret"))[0]
        assert "No secret is stored yet" in said_to(post(staff, account, "revoke", minutes="0", pasted=NEW))[0]
        assert secrets_of(account) == []

    def test_revoked_at_once(self, staff, pasted):
        answer = revoke(staff, pasted, pasted=f" {NEW} ")
        assert answer["HX-Redirect"] == page(pasted)
        assert NEW not in answer.content.decode() + str(said_to(answer))
        assert secrets_of(pasted) == [NEW]
        assert stored(pasted)[1:3] == ["", None]
        event = pasted.events.get(kind="secret_revoked")
        assert "no longer" in event.text and event.actor.username == "ann"

    def test_revoked_with_a_grace(self, staff, pasted):
        before = timezone.now()
        revoke(staff, pasted, pasted=NEW, minutes="5")
        assert secrets_of(pasted) == [NEW, OLD]
        assert before + timedelta(minutes=5) <= stored(pasted)[2] <= timezone.now() + timedelta(minutes=5)
        assert "The old one is accepted until" in staff.get(page(pasted)).content.decode()

    def test_a_grace_ends_by_itself_and_the_old_secret_is_forgotten(self, staff, pasted):
        revoke(staff, pasted, pasted=NEW, minutes="5")
        assert old_secrets.forget() == 0
        AccountShopline.objects.update(previous_secret_until=timezone.now())
        assert secrets_of(pasted) == [NEW]
        assert stored(pasted)[1] == OLD
        assert (old_secrets.forget(), old_secrets.forget()) == (1, 0)
        assert stored(pasted)[1:3] == ["", None]
        assert pasted.events.first().kind == "grace_over"

    def test_a_grace_is_ended_by_a_person(self, staff, pasted):
        assert "No old secret" in said_to(post(staff, pasted, "end_grace"))[0]
        revoke(staff, pasted, pasted=NEW, minutes="5")
        assert said_to(post(staff, pasted, "end_grace"))[-1] == "Only the current secret is accepted now."
        assert stored(pasted)[1:3] == ["", None]

    def test_a_leak_ends_an_earlier_grace_too(self, staff, pasted):
        revoke(staff, pasted, pasted=NEW, minutes="60")
        revoke(staff, pasted, pasted="the-newest-secret")
        assert secrets_of(pasted) == ["the-newest-secret"]

    @pytest.mark.parametrize(
        "form, told",
        [
            ({}, "Press Revoke in SHOPLINE"),
            ({"pasted": "two words"}, "without spaces"),
            ({"pasted": NEW, "minutes": ""}, "Say how many minutes"),
            ({"pasted": NEW, "minutes": "-1"}, "greater than or equal to 0"),
            ({"pasted": NEW, "minutes": "100000"}, "less than or equal to 1440"),
        ],
    )
    def test_what_is_wrong_is_said_in_the_dialog(self, staff, pasted, form, told):
        before = stored(pasted)
        answer = revoke(staff, pasted, **form)
        assert told in unescape(answer.content.decode())
        assert NEW not in answer.content.decode()
        assert stored(pasted) == before

    def test_the_same_secret_is_no_new_one(self, staff, pasted):
        before = stored(pasted)
        assert "stored already" in said_to(revoke(staff, pasted, pasted=OLD))[0]
        assert stored(pasted) == before

    def test_somebody_else_was_faster(self, staff, pasted):
        seen = staff.get(page(pasted, "revoke")).context["form"]["seen"].value()
        revoke(staff, pasted, pasted=NEW)
        before = stored(pasted)
        late = post(staff, pasted, "revoke", seen=seen, minutes="0", pasted="a-third-secret")
        assert "changed since you opened this" in said_to(late)[-1]
        assert "changed since you opened this" in said_to(post(staff, pasted, "revoke", minutes="0", pasted="x" * 9))[0]
        with pytest.raises(Refused):
            proxy_secrets.store_first(account=pasted, wish=proxy_secrets.Wish("none", "a-third-secret"), by=None)
        assert stored(pasted) == before


@pytest.mark.parametrize("button", ["make_secret", "revoke", "end_grace"])
def test_each_needs_the_right(client, button):
    has_none = button == "make_secret"
    later = timezone.now() + timedelta(minutes=5)
    old = (
        {} if has_none else {"app_proxy_secret": NEW, "previous_app_proxy_secret": OLD, "previous_secret_until": later}
    )
    account = make(plays_storefront=True, **old)
    before = stored(account)
    form = {"seen": proxy_secrets.mark(account), "minutes": "0"}
    for rights in (["view"], ["view", "change", "approve", "preview"], ["revoke"]):
        user = User.objects.create_user("-".join(rights), is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(codename__in=[f"{right}_accountshopline" for right in rights])
        )
        client.force_login(user)
        assert post(client, account, button, **form).status_code == 403
        assert stored(account) == before
    user.user_permissions.add(Permission.objects.get(codename="view_accountshopline"))
    client.force_login(User.objects.get(pk=user.pk))
    assert post(client, account, button, **form).status_code == 200
    assert stored(account) != before


@pytest.mark.parametrize("minutes, status", [("0", 401), ("5", 200)])
def test_requests_signed_with_the_old_secret_hold_for_the_grace(staff, minutes, status):
    account = proxying.account(merchant_id="m-1", app_proxy_secret=OLD)
    old, new = ({"secret": secret} for secret in (OLD, NEW))
    assert proxying.send(proxying.signed("n=1", **old)).status_code == 200
    revoke(staff, account, pasted=NEW, minutes=minutes)
    assert proxying.send(proxying.signed("n=2", **new)).status_code == 200
    assert proxying.send(proxying.signed("n=3", **old)).status_code == status
    AccountShopline.objects.update(previous_secret_until=timezone.now())
    assert proxying.send(proxying.signed("n=4", **old)).status_code == 401
    assert proxying.send(proxying.signed("n=5", **new)).status_code == 200


def test_a_wish_never_prints_its_secret():
    assert NEW not in repr(proxy_secrets.Wish("seen", NEW, 5))
