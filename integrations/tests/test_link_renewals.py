"""A client who comes back with an old link: what the page says, and the button that mails a new one."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from integrations import expiry, install_mails, installs
from integrations.models import AccountShopify, InstallLink, Integration, IntegrationCredentials
from integrations.services import accounts, install_links, link_renewals
from integrations.tests.installing import consent, query_for

pytestmark = pytest.mark.django_db
PATH = "/shopify/callback/"


@pytest.fixture
def person():
    """A browser that is checked for CSRF, as real ones are."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def old(account, mailbox):
    """An expired link and the address by which a client comes back with it."""
    link = install_links.get_or_make(account=account, by=None)
    query = query_for(link)
    InstallLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expiry.expire_links()
    return f"{PATH}?{query}"


def press(person, answer, **headers):
    """Press the button of a page, with what a browser sends along; None without a button."""
    text = answer.content.decode()
    action = re.search(r'<form method="post" action="([^"]+)"', text)
    if action is None:
        return None
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)[1]
    return person.post(action[1], {"csrfmiddlewaretoken": token}, headers={"Origin": "http://testserver", **headers})


def test_expired_link_offers_a_new_one_to_the_address_on_file(person, old, account, mailbox):
    answer = person.get(old)
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "This link has expired" in text and "o***@test.example" in text
    assert "owner@test.example" not in text and "<script" not in text
    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "strict-origin"
    done = press(person, answer)
    assert done.status_code == 200 and "Please look into your mail" in done.content.decode()
    install_mails.send()
    (mail,) = mailbox.wait_for("owner@test.example")
    new = InstallLink.objects.latest("pk")
    assert (new.status, new.made_by) == ("open", None)
    assert install_links.authorize_url(new) in mail.links
    assert "renewal_asked" in account.events.values_list("kind", flat=True)


def test_a_second_wish_within_the_hour_is_answered_alike_and_does_nothing(person, old, account, mailbox):
    first = press(person, person.get(old))
    InstallLink.objects.filter(status="open").delete()  # so that only the hour stands in the way
    again = press(person, person.get(old))
    assert first.content == again.content
    install_mails.send()
    assert (InstallLink.objects.count(), len(mailbox.mails)) == (1, 0)
    InstallLink.objects.update(renewal_asked_at=timezone.now() - timedelta(hours=1, seconds=1))
    press(person, person.get(old))
    install_mails.send()
    assert len(mailbox.mails) == 1


def test_without_the_token_of_the_page_nothing_is_mailed(person, old):
    link = InstallLink.objects.get()
    assert person.post(f"{PATH}{link.uuid}/renew/").status_code == 403
    assert press(person, person.get(old), Origin="https://evil.test").status_code == 403
    assert person.get(f"{PATH}{link.uuid}/renew/").status_code == 405
    assert InstallLink.objects.get().renewal_asked_at is None


def newer_link(account):
    install_links.get_or_make(account=account, by=None)


def connected(account):
    AccountShopify.objects.update(access_token="shpat_x")


def no_address(account):
    AccountShopify.objects.update(client_email="")


def inactive_app(account):
    Integration.objects.update(is_active=False)


@pytest.mark.parametrize("spoil", [newer_link, connected, no_address, inactive_app])
def test_no_button_where_it_is_not_theirs_to_ask(person, old, account, mailbox, spoil):
    page = person.get(old)
    spoil(account)
    before = list(InstallLink.objects.order_by("pk").values())
    assert press(person, person.get(old)) is None
    said = press(person, page)  # the button of before: one answer whether or not
    assert "Please look into your mail" in said.content.decode()
    install_mails.send()
    assert list(InstallLink.objects.order_by("pk").values()) == before
    assert not mailbox.mails


def test_unknown_links_get_the_same_answer(person, old):
    answer = person.get(old)
    known = press(person, answer)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.content.decode())[1]
    data = {"csrfmiddlewaretoken": token}
    stranger = person.post(f"{PATH}11111111-1111-1111-1111-111111111111/renew/", data)
    assert (stranger.status_code, stranger.content) == (known.status_code, known.content)


def test_staff_who_disconnected_a_store_have_the_last_word(person, account, mailbox):
    link = install_links.get_or_make(account=account, by=None)
    query = query_for(link)
    accounts.disconnect(account=account, reason="Over.", by=None)
    answer = person.get(f"{PATH}?{query}")
    assert "replaced" in answer.content.decode()
    assert press(person, answer) is None


def test_used_link_of_a_connected_store_says_so(person, shopify, account, mailbox):
    link, query = consent(account)
    person.get(f"{PATH}?{query}")
    installs.exchange_codes()
    answer = person.get(f"{PATH}?{query_for(link, code='another')}")
    assert answer.status_code == 403
    assert "is connected. There is nothing more for you to do" in answer.content.decode()
    assert press(person, answer) is None


def test_used_link_of_a_store_that_uninstalled_may_ask(person, shopify, account, mailbox):
    link, query = consent(account)
    person.get(f"{PATH}?{query}")
    installs.exchange_codes()
    AccountShopify.objects.update(access_token="", disconnected_at=timezone.now())  # as after app/uninstalled
    assert press(person, person.get(f"{PATH}?{query_for(link, code='another')}")).status_code == 200
    install_mails.send()
    assert len(mailbox.wait_for("owner@test.example")) == 1


def test_failed_link_may_ask_from_its_progress_page(person, shopify, account, mailbox):
    link = install_links.get_or_make(account=account, by=None)
    place = person.get(f"{PATH}?{query_for(link)}")["Location"]
    installs.exchange_codes()
    assert press(person, person.get(place)).status_code == 200
    install_mails.send()
    assert len(mailbox.wait_for("owner@test.example")) == 1


def test_link_of_an_app_that_was_exchanged_may_ask(person, account, mailbox):
    link = install_links.get_or_make(account=account, by=None)
    other = Integration.objects.create(name="Another")
    IntegrationCredentials.objects.create(integration=other, client_id="client-2", client_secret="shush")
    AccountShopify.objects.update(integration=other)
    answer = press(person, person.get(f"{PATH}?{query_for(link)}"))
    assert answer.status_code == 200
    new = InstallLink.objects.latest("pk")
    assert (new.integration, new.mail) == (other, "due")


def test_short_addresses_are_not_given_away():
    assert link_renewals.shown_address(AccountShopify(client_email="me@test.example")) == "***@test.example"


@pytest.mark.django_db(transaction=True)
def test_four_presses_at_once_make_one_mail(old, account, mailbox):
    link, start = InstallLink.objects.get(), threading.Barrier(4)

    def ask():
        start.wait()
        try:
            link_renewals.ask(InstallLink.objects.get(pk=link.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    install_mails.send()
    assert (InstallLink.objects.count(), len(mailbox.mails)) == (2, 1)
