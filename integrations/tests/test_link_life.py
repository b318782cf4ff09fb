"""What becomes of an install link, and what staff read of it on the account's timeline."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from integrations import expiry, install_mails, installs, reminders
from integrations.models import AccountEvent, AccountShopify, InstallLink
from integrations.services import accounts, callbacks, install_links
from integrations.services.refusals import Refused
from integrations.tests.clock import make_due
from integrations.tests.installing import consent, query_for, signed

pytestmark = pytest.mark.django_db
PATH = "/shopify/callback/"


def told(account):
    """Return what stands on the timeline, oldest first."""
    return list(account.events.order_by("pk").values_list("kind", flat=True))


def mail(account):
    link = install_links.mail(account=AccountShopify.objects.get(pk=account.pk), by=None)
    install_mails.send()
    link.refresh_from_db()
    return link


def days_go_by(days):
    """Move the times of all links back."""
    for link in InstallLink.objects.all():
        for name in ("created_at", "expires_at", "mailed_at", "next_reminder_at"):
            if moment := getattr(link, name):
                setattr(link, name, moment - timedelta(days=days))
        link.save(update_fields=["created_at", "expires_at", "mailed_at", "next_reminder_at"])


def remind():
    reminders.remind_clients()
    install_mails.send()


def test_the_straight_way_is_told_with_who_did_it(client, shopify, account, mailbox):
    ann = User.objects.create_user("ann")
    link = install_links.mail(account=account, by=ann)
    install_mails.send()
    _, query = consent(account)
    client.get(f"{PATH}?{query}")
    installs.exchange_codes()
    assert told(account) == ["link_made", "mailed", "code_received", "connected"]
    assert {event.link_id for event in account.events.all()} == {link.pk}
    made, mailed = account.events.order_by("pk")[:2]
    assert (made.actor, mailed.actor) == (ann, None)
    assert "owner@test.example" in mailed.text


def test_what_went_wrong_is_told(client, shopify, account, mailbox):
    AccountShopify.objects.update(access_scopes="read_orders,read_products")
    mailbox.refuse_next(550, "No such mailbox")
    mail(account)
    link, query = consent(AccountShopify.objects.get(), decision="decline")
    client.get(f"{PATH}?{query}")
    client.get(f"{PATH}?{query_for(link)}")  # a code that this Shopify never gave out
    installs.exchange_codes()
    _, query = consent(AccountShopify.objects.get(), without=["read_products"])
    client.get(f"{PATH}?{query}")
    installs.exchange_codes()
    assert told(account) == [
        *("link_made", "mail_failed", "refused_declined", "code_received", "install_failed"),
        *("link_made", "code_received", "connected", "scopes_cut"),
    ]
    texts = "\n".join(account.events.values_list("text", flat=True))
    for words in ("550 No such mailbox", "declined", "Shopify answered 400", "not granted: read_products"):
        assert words in texts


def test_a_refused_callback_is_told_once_however_often_it_comes(client, account):
    link = install_links.get_or_make(account=account, by=None)
    for _ in range(5):
        assert client.get(f"{PATH}?{query_for(link, secret='wrong')}").status_code == 403
        assert client.get(f"{PATH}?{query_for(link, shop='other.myshopify.com')}").status_code == 403
        assert client.get(f"{PATH}?{query_for(link, timestamp=1)}").status_code == 403
        assert client.get(f"{PATH}?{query_for(link, state='f' * 64)}").status_code == 403  # nobody's
    assert told(account) == ["link_made", "refused_hmac", "refused_state_of_other_shop", "refused_timestamp"]
    assert not account.events.filter(text__contains=str(link.state)).exists()


def test_nobody_without_the_state_leaves_a_row(client, account):
    install_links.get_or_make(account=account, by=None)
    client.get(f"{PATH}?error=access_denied&shop=test.myshopify.com")
    client.get(f"{PATH}?{signed(error='access_denied', state='0' * 64, shop='test.myshopify.com')}")
    assert told(account) == ["link_made"]


def test_links_expire_by_themselves(account, client):
    link = install_links.get_or_make(account=account, by=None)
    expiry.expire_links()
    link.refresh_from_db()
    assert link.status == "open"
    query = query_for(link)
    days_go_by(7)
    expiry.expire_links()
    expiry.expire_links()
    link.refresh_from_db()
    assert (link.status, link.state) == ("expired", "")
    assert link.reason.startswith("The install link expired unused on")
    assert "expired" in client.get(f"{PATH}?{query}").content.decode()
    assert told(account) == ["link_made", "link_expired", "refused_state_expired"]


def test_expired_during_consent(client, shopify, account):
    """The client opened the link in time and decided too late."""
    link, query = consent(account)
    InstallLink.objects.update(expires_at=timezone.now())
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 403
    installs.exchange_codes()
    expiry.expire_links()
    link.refresh_from_db()
    account.refresh_from_db()
    assert (link.status, link.code, account.is_authorised) == ("expired", "", False)
    assert told(account) == ["link_made", "refused_state_expired", "link_expired"]


def test_expiry_never_takes_a_code_that_came_in_time(account):
    link = install_links.get_or_make(account=account, by=None)
    stale = InstallLink.objects.get()
    callbacks.receive(query_for(link))
    assert not expiry.end(stale)
    link.refresh_from_db()
    assert (link.status, bool(link.code)) == ("code_received", True)


def test_two_reminders_and_no_third(account, mailbox):
    link = mail(account)
    remind()
    assert len(mailbox.mails) == 1
    for count in (2, 3):
        days_go_by(3)
        remind()
        remind()
        assert len(mailbox.mails) == count
    InstallLink.objects.update(expires_at=timezone.now() + timedelta(days=60))
    days_go_by(9)
    remind()
    first, second, third = mailbox.wait_for("owner@test.example", count=3)
    assert second.subject == third.subject == f"Reminder: {first.subject}"
    assert "this is a reminder" in second.text and "this is a reminder" not in first.text
    assert first.links == second.links == third.links
    link.refresh_from_db()
    assert (link.reminders, link.next_reminder_at) == (2, None)
    assert told(account) == ["link_made", *["mailed"] * 3]


def connect(client, account):
    _, query = consent(account)
    client.get(f"{PATH}?{query}")
    installs.exchange_codes()


def let_expire(client, account):
    days_go_by(7)


def replace(client, account):
    AccountShopify.objects.update(access_scopes="read_orders")
    install_links.get_or_make(account=AccountShopify.objects.get(), by=None)


def disconnect(client, account):
    accounts.disconnect(account=account, reason="Over.", by=None)


def forget_address(client, account):
    AccountShopify.objects.update(client_email="")


@pytest.mark.parametrize("stop", [connect, let_expire, replace, disconnect, forget_address])
def test_no_reminder_once_the_link_is_settled(client, shopify, account, mailbox, stop):
    mail(account)
    stop(client, account)
    days_go_by(3)
    remind()
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("days", "count"), [(0, 1), (1, 2), (5, 1)])
def test_how_long_is_a_setting(account, mailbox, settings, days, count):
    settings.INSTALL_REMINDER_DAYS = days
    mail(account)
    days_go_by(2)
    remind()
    assert len(mailbox.mails) == count


def test_a_reminder_that_the_server_refuses_is_told(account, mailbox):
    link = mail(account)
    days_go_by(3)
    mailbox.refuse_next(550, "Gone")
    remind()
    link.refresh_from_db()
    assert (link.mail, link.reminders) == ("failed", 1)
    assert told(account)[-1] == "mail_failed"
    days_go_by(3)
    remind()
    assert len(mailbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_two_staff_at_once_make_one_link_and_one_mail(account, mailbox):
    start = threading.Barrier(4)

    def press():
        start.wait()
        try:
            install_links.mail(account=AccountShopify.objects.get(pk=account.pk), by=None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    install_mails.send()
    install_mails.send()
    assert (InstallLink.objects.count(), len(mailbox.mails)) == (1, 1)
    assert told(account) == ["link_made", "mailed"]


@pytest.fixture
def lacking(client, shopify, account, mailbox):
    """A connected store that granted less than was asked."""
    AccountShopify.objects.update(access_scopes="read_orders,read_products")
    _, query = consent(AccountShopify.objects.get(), without=["read_products"])
    client.get(f"{PATH}?{query}")
    installs.exchange_codes()
    account.refresh_from_db()
    return account


def test_new_scopes_are_asked_for_by_a_fresh_link(client, lacking, mailbox):
    assert install_links.missing_scopes(lacking) == ["read_products"]
    open_link = install_links.get_or_make(account=lacking, by=None)
    link = install_links.ask_for_scopes(account=lacking, by=None)
    assert install_links.ask_for_scopes(account=lacking, by=None).pk == link.pk  # a second click while it is mailed
    install_mails.send()
    open_link.refresh_from_db()
    assert (open_link.status, link.pk != open_link.pk) == ("superseded", True)
    (sent,) = mailbox.wait_for("owner@test.example")
    assert sent.subject == "More access to test.myshopify.com for Hemi Orders"
    lines = sent.text.splitlines()
    assert lines[lines.index("This access is new:") + 1] == "read_products"
    connect(client, lacking)
    lacking.refresh_from_db()
    assert install_links.missing_scopes(lacking) == []
    with pytest.raises(Refused, match="are granted"):
        install_links.ask_for_scopes(account=lacking, by=None)


def test_new_scopes_of_a_store_that_is_not_connected(account, mailbox):
    with pytest.raises(Refused, match="not connected"):
        install_links.ask_for_scopes(account=account, by=None)
    assert not AccountEvent.objects.exists()


def test_reminders_stop_once_the_scopes_came_another_way(lacking, mailbox):
    install_links.ask_for_scopes(account=lacking, by=None)
    install_mails.send()
    AccountShopify.objects.update(granted_scopes="read_orders,read_products")
    days_go_by(3)
    remind()
    assert len(mailbox.mails) == 1
    assert InstallLink.objects.latest("pk").next_reminder_at is None


def test_uninstalled_and_installed_again_by_a_second_link(client, shopify, account):
    connect(client, account)
    AccountShopify.objects.update(access_token="", token_version=9)  # as after app/uninstalled
    first = InstallLink.objects.get()
    connect(client, AccountShopify.objects.get())
    account.refresh_from_db()
    assert account.is_authorised
    assert InstallLink.objects.latest("pk").pk != first.pk
    assert list(InstallLink.objects.values_list("status", flat=True)) == ["connected", "connected"]


def test_temporary_trouble_with_mail_leaves_the_timeline_alone(account, mailbox):
    mailbox.refuse_next(451, "Later")
    mail(account)
    assert told(account) == ["link_made"]
    make_due(InstallLink.objects)
    install_mails.send()
    assert told(account) == ["link_made", "mailed"]
