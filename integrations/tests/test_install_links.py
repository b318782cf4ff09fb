"""Making and mailing install links."""

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone

from integrations import install_mails
from integrations.models import AccountShopify, InstallLink, Integration, IntegrationCredentials, StaffAlert
from integrations.services import install_links
from integrations.services.refusals import Refused
from integrations.tests.clock import make_due

pytestmark = pytest.mark.django_db


def make(account):
    account.refresh_from_db()
    return install_links.get_or_make(account=AccountShopify.objects.get(pk=account.pk), by=None)


def test_address_is_shopifys_with_the_four_parameters(account):
    AccountShopify.objects.update(access_scopes="read_orders, write_orders\nread_orders")
    link = make(account)
    assert install_links.authorize_url(link) == (
        "https://test.myshopify.com/admin/oauth/authorize?client_id=client-1&scope=read_orders,write_orders"
        f"&redirect_uri=https%3A%2F%2Fhemi.test%2Fshopify%2Fcallback%2F&state={link.state}"
    )


def test_state_is_32_random_bytes_and_only_its_hash_can_be_read(account):
    link = make(account)
    assert len(bytes.fromhex(link.state)) == 32
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, state_hash FROM integrations_installlink")
        state, state_hash = cursor.fetchone()
    assert link.state not in (state, state_hash)
    assert str(link.state) not in repr(InstallLink.objects.values("state").get())


def test_link_says_who_made_it_what_it_asks_and_until_when(account, settings):
    settings.INSTALL_LINK_DAYS = 3
    user = User.objects.create_user("ann")
    link = install_links.get_or_make(account=account, by=user)
    assert (link.made_by, link.scopes) == (user, account.access_scopes)
    assert abs(link.expires_at - timezone.now() - timedelta(days=3)) < timedelta(minutes=1)


def test_again_is_the_same_link(account):
    first, second = make(account), make(account)
    assert first.pk == second.pk
    assert install_links.authorize_url(first) == install_links.authorize_url(second)


def change_scopes(account):
    AccountShopify.objects.update(access_scopes="read_orders")


def change_redirect(account):
    Integration.objects.update(redirect_uri="https://hemi.ai/")


def change_app(account):
    other = Integration.objects.create(name="Another app")
    IntegrationCredentials.objects.create(integration=other, client_id="client-2", client_secret="hush")
    AccountShopify.objects.update(integration=other)


def let_expire(account):
    InstallLink.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize("change", [change_scopes, change_redirect, change_app, let_expire])
def test_what_asks_for_something_else_is_replaced(account, change):
    first = make(account)
    change(account)
    second = make(account)
    first.refresh_from_db()
    assert (first.status, first.state) == ("expired" if change is let_expire else "superseded", "")
    assert first.reason
    assert second.pk != first.pk
    assert second.state_hash != first.state_hash


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_link(account):
    start, made = threading.Barrier(4), []

    def click():
        start.wait()
        try:
            made.append(make(account).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == InstallLink.objects.count() == 1


def no_integration(settings):
    AccountShopify.objects.update(integration=None)


def internal_app(settings):
    Integration.objects.update(app_type="internal")


def shopline_app(settings):
    Integration.objects.update(platform="shopline")


def inactive_app(settings):
    Integration.objects.update(is_active=False)


def no_credentials(settings):
    IntegrationCredentials.objects.all().delete()


def no_client_id(settings):
    IntegrationCredentials.objects.update(client_id="")


def no_secret(settings):
    IntegrationCredentials.objects.update(client_secret="")


def no_base_url(settings):
    settings.HEMI_BASE_URL = ""


def no_scopes(settings):
    AccountShopify.objects.update(access_scopes=" ")


def odd_scopes(settings):
    AccountShopify.objects.update(access_scopes="read orders!")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (no_integration, "Integration App"),
        (internal_app, "internal app"),
        (shopline_app, "not a Shopify"),
        (inactive_app, "not active"),
        (no_credentials, "client id"),
        (no_client_id, "client id"),
        (no_secret, "client secret"),
        (no_base_url, "HEMI_BASE_URL"),
        (no_scopes, "access scopes"),
        (odd_scopes, "orders!"),
    ],
)
def test_refused_with_a_sentence(account, settings, mailbox, spoil, word):
    spoil(settings)
    account = AccountShopify.objects.get()
    for service in (install_links.get_or_make, install_links.mail):
        with pytest.raises(Refused, match=word):
            service(account=account, by=None)
    if spoil is not odd_scopes:
        assert word in install_links.why_not(account)
        assert install_links.why_not_mail(account) == install_links.why_not(account)
    assert not InstallLink.objects.exists()


def test_only_mailing_needs_an_address_and_a_mail_server(account, settings):
    settings.IS_MAIL_SET = False
    assert "EMAIL_URL" in install_links.why_not_mail(account)
    account.client_email = ""
    assert "Client Email" in install_links.why_not_mail(account)
    assert not install_links.why_not(account)
    with pytest.raises(Refused, match="Client Email"):
        install_links.mail(account=account, by=None)
    assert not InstallLink.objects.exists()


def test_mail_says_who_asks_for_what_and_until_when(account, mailbox):
    link = install_links.mail(account=account, by=None)
    install_mails.send()
    (mail,) = mailbox.wait_for("owner@test.example")
    link.refresh_from_db()
    assert (link.mail, link.mailed_to) == ("sent", "owner@test.example")
    assert link.mailed_at
    assert mail.subject == "Connect test.myshopify.com to Hemi Orders"
    for part in (mail.text, mail.html):
        for word in (
            "Hemi Orders",
            "Test Ltd",
            "test.myshopify.com",
            f"{link.expires_at:%B %Y}",
            "owner",
            "install apps",
            "read_orders, write_orders",
        ):
            assert word in part
    url = install_links.authorize_url(link)
    assert url in mail.text.splitlines()
    assert url in mail.links
    assert parse_qs(urlsplit(url).query)["state"] == [link.state]


def test_reminder_repeats_the_same_link(account, mailbox):
    for _ in range(2):
        install_links.mail(account=account, by=None)
        install_mails.send()
    first, second = mailbox.wait_for("owner@test.example", count=2)
    assert first.links == second.links


def test_two_clicks_make_one_mail(account, mailbox):
    install_links.mail(account=account, by=None)
    install_links.mail(account=account, by=None)
    install_mails.send()
    install_mails.send()
    assert len(mailbox.mails) == 1


def test_temporary_refusal_waits_with_what_the_server_said(account, mailbox):
    mailbox.refuse_next(451, "Greylisted, come back")
    link = install_links.mail(account=account, by=None)
    install_mails.send()
    install_mails.send()  # not due yet
    link.refresh_from_db()
    assert (link.mail, link.attempts, link.mail_error) == ("due", 1, "451 Greylisted, come back")
    make_due(InstallLink.objects)
    install_mails.send()
    link.refresh_from_db()
    assert (link.mail, link.mail_error) == ("sent", "")
    assert len(mailbox.wait_for()) == 1


def test_mail_that_cannot_be_written_waits_and_says_why(account, mailbox, settings):
    link = install_links.mail(account=account, by=None)
    settings.EMAIL_HOST = "mail..hemi.test"
    install_mails.send()
    link.refresh_from_db()
    assert (link.mail, link.lease_until) == ("due", None) and "EMAIL_URL" in link.mail_error


def test_permanent_refusal_is_told_at_once(account, mailbox):
    mailbox.refuse_next(550, "No such mailbox")
    link = install_links.mail(account=account, by=None)
    install_mails.send()
    link.refresh_from_db()
    assert (link.mail, link.mail_error) == ("failed", "550 No such mailbox")
    assert "No such mailbox" in StaffAlert.objects.get(kind="install_mail").text
    make_due(InstallLink.objects)
    install_mails.send()
    assert not mailbox.mails
    install_links.mail(account=account, by=None)  # the address was mended
    install_mails.send()
    assert len(mailbox.wait_for()) == 1
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize("end", [change_scopes, let_expire])
def test_alert_about_a_mail_is_over_once_the_link_is(account, mailbox, end):
    mailbox.refuse_next(550, "No such mailbox")
    install_links.mail(account=account, by=None)
    install_mails.send()
    end(account)
    make(account)
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_mail_server_that_is_away_is_waited_for(account, mailbox):
    mailbox.smtp.stop()
    link = install_links.mail(account=account, by=None)
    install_mails.send()
    link.refresh_from_db()
    assert (link.mail, link.attempts) == ("due", 1)
    assert "could not be reached" in link.mail_error


def test_replaced_link_is_not_mailed(account, mailbox):
    install_links.mail(account=account, by=None)
    change_scopes(account)
    make(account)
    install_mails.send()
    assert not mailbox.mails


def test_expired_link_is_not_mailed(account, mailbox):
    link = install_links.mail(account=account, by=None)
    let_expire(account)
    install_mails.send()
    link.refresh_from_db()
    assert link.mail == "failed"
    assert not mailbox.mails
