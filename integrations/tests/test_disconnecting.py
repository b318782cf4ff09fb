"""Disconnect: the token and the subscriptions go, the history stays, and late webhooks are answered and ignored."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from integrations import disconnections, inbox, installs, renewals, subscriptions
from integrations.models import AccountShopify, Disconnection, InstallLink, Integration, WebhookEvent
from integrations.services import accounts, callbacks, install_links
from integrations.services.refusals import Refused
from integrations.tests.clock import make_due
from integrations.tests.installing import consent, query_for
from integrations.tests.webhooks import post

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscribed(client, shopify, account):
    """A store that was installed and sends its webhooks."""
    _, query = consent(account)
    client.get(f"/shopify/callback/?{query}")
    installs.exchange_codes()
    subscriptions.subscribe_webhooks()
    account.refresh_from_db()
    assert len(shopify.state.subscriptions) >= 4
    return account


def disconnect(account, by=None):
    accounts.disconnect(account=account, reason="The contract ended.", by=by)
    account.refresh_from_db()


def test_token_and_subscriptions_go_and_the_history_stays(shopify, subscribed):
    ann = User.objects.create_user("ann")
    other = shopify.subscribe("test", "orders/create", "https://else.test/", client_id="client-1")
    links = InstallLink.objects.count()
    disconnect(subscribed, by=ann)
    assert (str(subscribed.access_token), str(subscribed.refresh_token), subscribed.webhooks) == ("", "", "off")
    assert (subscribed.disconnect_reason, subscribed.authorised_at is not None) == ("The contract ended.", True)
    disconnections.finish()
    assert [row.id for row in shopify.state.subscriptions.values()] == [other.id]
    row = Disconnection.objects.get()
    assert (row.status, str(row.token)) == ("done", "")
    event = subscribed.events.get(kind="disconnected")
    assert (event.actor, event.text) == (ann, "Disconnected: The contract ended.")
    assert subscribed.events.filter(kind="unsubscribed", text__contains="were deleted at Shopify").exists()
    assert InstallLink.objects.count() == links


@pytest.mark.parametrize("was_connected", [True, False])
def test_a_code_that_is_being_exchanged_connects_nothing_any_more(client, shopify, account, was_connected):
    if was_connected:
        token = shopify.issue_token("client-1", "test", ["read_orders"])
        AccountShopify.objects.update(access_token=token, token_version=1)
        account.refresh_from_db()
    link, query = consent(account)
    client.get(f"/shopify/callback/?{query}")
    assert accounts.why_not_disconnect(account) == ""
    disconnect(account)
    installs.exchange_codes()
    account.refresh_from_db()
    link.refresh_from_db()
    assert (str(account.access_token), account.is_authorised) == ("", False)
    assert (link.status, str(link.code), link.reason) == ("failed", "", "The account was disconnected.")


def test_the_token_waits_encrypted_and_never_in_sight(subscribed):
    token = str(subscribed.access_token)
    disconnect(subscribed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM integrations_disconnection")
        assert token not in cursor.fetchone()[0]
    assert token not in repr(Disconnection.objects.values().get())


def test_shopify_that_is_away_is_tried_again_and_given_up(shopify, subscribed):
    disconnect(subscribed)
    shopify.stop()
    disconnections.finish()
    assert Disconnection.objects.get().status == "waiting"
    disconnections.finish()  # not due yet
    assert Disconnection.objects.get().attempts == 1
    for _ in range(disconnections.MAX_ATTEMPTS):
        make_due(Disconnection.objects)
        disconnections.finish()
    row = Disconnection.objects.get()
    assert (row.status, str(row.token), row.attempts) == ("done", "", disconnections.MAX_ATTEMPTS)
    assert "could not be deleted" in subscribed.events.get(kind="unsubscribed").text


def test_trouble_on_the_way_only_delays(shopify, subscribed):
    disconnect(subscribed)
    shopify.add_fault("500", count=4)
    disconnections.finish()
    assert shopify.state.subscriptions
    make_due(Disconnection.objects)
    disconnections.finish()
    assert not shopify.state.subscriptions


def test_token_that_is_dead_already(shopify, subscribed):
    shopify.revoke_token(str(subscribed.access_token))
    disconnect(subscribed)
    disconnections.finish()
    row = Disconnection.objects.get()
    assert (row.status, row.attempts) == ("done", 1)


@pytest.mark.parametrize("app_type", [Integration.AppType.PUBLIC, Integration.AppType.ORGANISATION])
def test_a_token_that_has_ended_is_renewed_to_delete_the_subscriptions(shopify, account, app_type):
    Integration.objects.update(app_type=app_type)
    app = shopify.state.apps["client-1"]
    app.organisation_shops, app.released_scopes = {"test"}, ["read_orders"]
    account.refresh_from_db()
    if app_type == Integration.AppType.PUBLIC:
        callbacks.receive(consent(account)[1])
        installs.exchange_codes()
    renewals.renew_tokens()
    subscriptions.subscribe_webhooks()
    assert shopify.state.subscriptions
    account.refresh_from_db()
    assert account.token_expires_at
    shopify.clock.advance(2 * 86_400)
    disconnect(account)
    disconnections.finish()
    assert not shopify.state.subscriptions
    assert account.events.filter(kind="unsubscribed", text__contains="were deleted at Shopify").exists()
    row = Disconnection.objects.get()
    assert (row.status, str(row.token), str(row.refresh_token)) == ("done", "", "")
    account.refresh_from_db()
    assert not account.is_authorised


def test_connected_again_before_the_subscriptions_were_deleted(client, shopify, subscribed):
    disconnect(subscribed)
    count = len(shopify.state.subscriptions)
    _, query = consent(subscribed)
    client.get(f"/shopify/callback/?{query}")
    installs.exchange_codes()
    subscribed.refresh_from_db()
    assert subscribed.is_authorised and subscribed.disconnected_at is None
    disconnections.finish()
    assert len(shopify.state.subscriptions) == count
    assert Disconnection.objects.get().status == "done"


def test_an_open_link_ends_with_it(client, account):
    link = install_links.get_or_make(account=account, by=None)
    query = query_for(link)
    disconnect(account)
    link.refresh_from_db()
    assert (link.status, link.reason) == ("superseded", "The account was disconnected.")
    assert client.get(f"/shopify/callback/?{query}").status_code == 403
    disconnections.finish()
    assert Disconnection.objects.get().status == "done"


def test_refused_where_there_is_nothing_or_no_reason(account, subscribed):
    with pytest.raises(Refused, match="reason"):
        accounts.disconnect(account=subscribed, reason=" ", by=None)
    assert AccountShopify.objects.get().is_authorised
    disconnect(subscribed)
    with pytest.raises(Refused, match="already"):
        accounts.disconnect(account=subscribed, reason="Again", by=None)
    assert Disconnection.objects.count() == 1


def test_webhooks_of_a_disconnected_store_are_stored_and_ignored(client, subscribed):
    before = timezone.now()
    disconnect(subscribed)
    assert post(client, subscribed, Triggered_At=timezone.now().isoformat()).status_code == 200
    inbox.process_events()
    event = WebhookEvent.objects.get()
    assert (event.status, event.note) == ("ignored", "The account is disconnected.")
    # What happened before is taken: it was only slow.
    assert post(client, subscribed, Webhook_Id="late", Triggered_At=before.isoformat()).status_code == 200
    inbox.process_events()
    assert WebhookEvent.objects.get(webhook_id="late").status != "ignored"
