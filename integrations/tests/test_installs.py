"""From a code to a token, against a Shopify that sometimes fails."""

import threading

import pytest
from django.db import connection, connections
from django.utils import timezone

from integrations import installs, scopes
from integrations.models import AccountShopify, InstallLink, IntegrationCredentials, StaffAlert
from integrations.services import accounts, callbacks
from integrations.tests import hints
from integrations.tests.clock import make_due
from integrations.tests.installing import consent, query_for
from integrations.tests.meanwhile import held
from integrations.tests.test_install_links import make

pytestmark = pytest.mark.django_db


def install(account, **choices):
    link, query = consent(account, **choices)
    callbacks.receive(query)
    return link


@pytest.mark.django_db(transaction=True)
def test_token_is_stored_encrypted_and_all_else_is_wiped(shopify, account):
    hints.sent()
    link = install(account)
    installs.exchange_codes()
    account.refresh_from_db()
    link.refresh_from_db()
    assert account.access_token in shopify.state.tokens
    assert (account.token_version, account.webhooks) == (1, "due")
    assert account.authorised_at == account.orders_from
    assert account.is_authorised
    assert (link.status, link.code, link.state, link.reason) == ("connected", "", "", "")
    assert link.missing_scopes == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM integrations_accountshopify")
        assert cursor.fetchone()[0] not in ("", account.access_token)
    assert "integrations.subscribe_webhooks" in hints.sent()
    assert not StaffAlert.objects.exists()


def test_cut_over_that_staff_set_stays(shopify, account):
    moment = timezone.now()
    AccountShopify.objects.update(orders_from=moment)
    install(account)
    installs.exchange_codes()
    account.refresh_from_db()
    assert account.orders_from == moment


def test_scopes_that_were_not_granted_are_told(shopify, account):
    AccountShopify.objects.update(access_scopes=",".join([*scopes.NEEDED, "write_orders"]))
    account.refresh_from_db()
    link = install(account, without=["read_products"])
    installs.exchange_codes()
    link.refresh_from_db()
    account.refresh_from_db()
    assert account.is_authorised
    assert link.status == "connected"
    assert link.missing_scopes == ["read_products"]  # read_orders is implied by write_orders
    assert "read_products" in link.reason
    assert "read_products" in StaffAlert.objects.get(kind="scopes").text
    install(account)
    installs.exchange_codes()
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize("kind", ["429", "500", "502"])
def test_trouble_on_the_way_only_delays(shopify, account, kind):
    shopify.add_fault(kind, place="token")
    link = install(account)
    installs.exchange_codes()
    installs.exchange_codes()  # not due yet
    link.refresh_from_db()
    assert (link.status, link.attempts) == ("code_received", 1)
    assert kind in link.last_error
    make_due(InstallLink.objects)
    installs.exchange_codes()
    link.refresh_from_db()
    assert link.status == "connected"


def test_shopify_that_is_away_is_given_up_in_the_end(shopify, account):
    link = install(account)
    shopify.stop()
    for _ in range(installs.MAX_ATTEMPTS):
        make_due(InstallLink.objects)
        installs.exchange_codes()
    link.refresh_from_db()
    assert (link.status, link.code) == ("failed", "")
    assert "could not be reached" in link.reason
    assert StaffAlert.objects.get().kind == "install"


def test_refused_code_fails_at_once_and_staff_are_told(shopify, account):
    link = make(account)
    callbacks.receive(query_for(link))
    installs.exchange_codes()
    link.refresh_from_db()
    account.refresh_from_db()
    assert (link.status, link.attempts, link.code) == ("failed", 1, "")
    assert not account.is_authorised
    assert StaffAlert.objects.get().kind == "install"
    install(account)
    installs.exchange_codes()
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_wrong_secret_is_a_refusal_that_does_not_show_it(shopify, account, caplog):
    link = install(account)
    IntegrationCredentials.objects.update(client_secret="not-this-one")
    installs.exchange_codes()
    link.refresh_from_db()
    assert link.status == "failed"
    assert "not-this-one" not in link.reason + caplog.text


def test_credentials_that_went_away(shopify, account):
    link = install(account)
    IntegrationCredentials.objects.all().delete()
    installs.exchange_codes()
    link.refresh_from_db()
    assert (link.status, link.reason) == ("failed", "The integration has no credentials any more.")


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_one_exchange(shopify, account):
    install(account)
    start = threading.Barrier(4)

    def work():
        start.wait()
        try:
            installs.exchange_codes()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account.refresh_from_db()
    assert (len(shopify.state.tokens), account.token_version) == (1, 1)
    assert InstallLink.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
def test_token_pasted_meanwhile_is_kept(shopify, account):
    link = install(account)
    with held(shopify, installs.exchange_codes):
        accounts.store_token(account=account, token="pasted", by=None)
    account.refresh_from_db()
    link.refresh_from_db()
    assert (account.access_token, account.token_version) == ("pasted", 1)
    assert (link.status, link.reason) == (
        "connected",
        "Another token was stored at the same time; that one was kept.",
    )


def test_nothing_to_exchange_asks_nobody(account):
    make(account)
    installs.exchange_codes()  # no Shopify runs: a call would fail
    assert InstallLink.objects.get().status == "open"
