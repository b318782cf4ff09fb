"""Webhooks about the app itself and about locations: what they may change, and what they may not."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations import inbox, subscriptions, tokens
from integrations.models import AccountShopify, Integration, Location, StaffAlert, WebhookEvent
from integrations.shopify.oauth import TokenGrant
from integrations.tests.clock import make_due
from integrations.tests.conftest import SCOPES
from integrations.tests.meanwhile import held
from integrations.tests.webhooks import post
from sandbox.shopify.grants import issue_pair

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(shopify, store):
    """A store that was authorised an hour ago, with its webhooks."""
    AccountShopify.objects.update(webhooks="due")
    subscriptions.subscribe_webhooks()
    AccountShopify.objects.update(authorised_at=timezone.now() - timedelta(hours=1))
    store.refresh_from_db()
    return store


def send(client, account, topic, body, **headers):
    number = WebhookEvent.objects.count()
    fields = {"Triggered_At": timezone.now().isoformat(), "Webhook_Id": f"w-{number}", **headers}
    assert post(client, account, json.dumps(body).encode(), Topic=topic, **fields).status_code == 200
    inbox.process_events()
    return WebhookEvent.objects.get(webhook_id=f"w-{number}")


def shop_body(shopify, **changes):
    return {"id": shopify.state.shops["test"].id, "myshopify_domain": "test.myshopify.com", **changes}


def unchanged(account):
    before = (account.access_token, account.webhooks, account.disconnected_at)
    account.refresh_from_db()
    assert (account.access_token, account.webhooks, account.disconnected_at) == before
    assert not StaffAlert.objects.filter(kind="uninstalled").exists()


def revoke(shopify):
    shopify.state.tokens.clear()


def test_uninstall_drops_the_token_and_keeps_the_history(client, shopify, connected, settings, live_server):
    settings.HEMI_BASE_URL = live_server.url
    AccountShopify.objects.update(**tokens.due_webhooks())
    subscriptions.subscribe_webhooks()
    shopify.uninstall("test", "client-1")
    assert shopify.wait_idle(10)
    inbox.process_events()
    connected.refresh_from_db()
    assert (connected.access_token, connected.webhooks) == ("", "off")
    assert connected.disconnected_at and connected.disconnect_reason == "The client uninstalled the app."
    assert StaffAlert.objects.get(kind="uninstalled").key == str(connected.pk)
    assert connected.events.filter(kind="uninstalled").exists()
    assert WebhookEvent.objects.get().note.endswith("the account was disconnected.")
    assert not connected.subscriptions.filter(is_listed=True).exists()


def test_uninstall_and_install_again(client, shopify, connected):
    revoke(shopify)
    send(client, connected, "app/uninstalled", shop_body(shopify))
    shopify.state.subscriptions.clear()
    connected.refresh_from_db()
    token = shopify.issue_token("client-1", "test", SCOPES.split(","))
    assert tokens.store(connected, TokenGrant(token, SCOPES), seen_version=connected.token_version)
    subscriptions.subscribe_webhooks()
    connected.refresh_from_db()
    assert (connected.webhooks, connected.disconnected_at) == ("on", None)
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_uninstall_of_an_app_that_gets_its_tokens_by_id_and_secret(client, shopify, connected):
    Integration.objects.update(app_type=Integration.AppType.ORGANISATION)
    AccountShopify.objects.update(token_expires_at=timezone.now() + timedelta(hours=20))
    revoke(shopify)  # and the app, of no organisation with this store, is given no other token
    event = send(client, connected, "app/uninstalled", shop_body(shopify))
    connected.refresh_from_db()
    assert (event.status, connected.access_token, connected.webhooks) == ("done", "", "off")
    assert connected.disconnected_at
    assert {alert.kind for alert in StaffAlert.objects.filter(cleared_at=None)} == {"uninstalled"}


@pytest.mark.parametrize("refused", [True, False])
def test_uninstall_of_an_app_with_expiring_tokens(client, shopify, connected, refused):
    pair = issue_pair(shopify, "client-1", "test", SCOPES.split(","))
    ends = timezone.now() + timedelta(hours=1)
    AccountShopify.objects.update(
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        token_expires_at=ends,
        refresh_expires_at=ends + timedelta(days=80),
    )
    revoke(shopify)  # of both: the app is gone; of one: it ran out
    if refused:
        shopify.state.refresh_tokens.clear()
    event = send(client, connected, "app/uninstalled", shop_body(shopify))
    connected.refresh_from_db()
    assert (event.status, bool(connected.access_token)) == ("done", not refused)
    assert {alert.kind for alert in StaffAlert.objects.filter(cleared_at=None)} == (
        {"uninstalled"} if refused else set()
    )


def test_uninstall_while_the_token_works_is_only_noted(client, shopify, connected):
    event = send(client, connected, "app/uninstalled", shop_body(shopify))
    assert (event.status, "still works" in event.note) == ("done", True)
    unchanged(connected)


def test_uninstall_from_before_the_token_is_only_noted(client, shopify, connected):
    revoke(shopify)
    early = (timezone.now() - timedelta(hours=2)).isoformat()
    event = send(client, connected, "app/uninstalled", shop_body(shopify), Triggered_At=early)
    assert "installed again since" in event.note
    unchanged(connected)


@pytest.mark.parametrize(
    "changes", [{"myshopify_domain": "other.myshopify.com"}, {"myshopify_domain": None}, {"id": 7}, {"id": None}]
)
def test_uninstall_that_its_body_does_not_bear_out_is_refused(client, shopify, connected, changes):
    revoke(shopify)
    event = send(client, connected, "app/uninstalled", shop_body(shopify, **changes))
    assert event.status == "failed" and event.note
    unchanged(connected)


def test_uninstall_while_shopify_is_away_is_asked_again(client, shopify, connected):
    shopify.stop()
    event = send(client, connected, "app/uninstalled", shop_body(shopify))
    assert event.status == "new"
    unchanged(connected)
    shopify.start()
    revoke(shopify)
    make_due(WebhookEvent.objects)
    inbox.process_events()
    connected.refresh_from_db()
    assert connected.access_token == ""


def test_reinstall_that_races_the_uninstall_keeps_its_token(client, shopify, connected):
    revoke(shopify)
    fresh = shopify.issue_token("client-1", "test", SCOPES.split(","))
    # The refresh token died with the app; while Shopify says so, the new token is stored.
    AccountShopify.objects.update(refresh_token="shprt_dead")
    with held(shopify, lambda: send(client, connected, "app/uninstalled", shop_body(shopify))) as results:
        assert tokens.store(connected, TokenGrant(fresh, SCOPES), seen_version=connected.token_version)
    connected.refresh_from_db()
    assert (connected.access_token, connected.disconnected_at) == (fresh, None)
    assert "Another token" in results[0].note
    assert not StaffAlert.objects.filter(kind="uninstalled").exists()


def test_two_uninstalls_at_once_disconnect_once(client, shopify, connected):
    revoke(shopify)
    for number in (1, 2):
        body = json.dumps(shop_body(shopify)).encode()
        fields = {"Topic": "app/uninstalled", "Webhook_Id": f"w-{number}", "Triggered_At": timezone.now().isoformat()}
        assert post(client, connected, body, **fields).status_code == 200
    barrier = threading.Barrier(2)

    def worker():
        barrier.wait()
        inbox.process_events()
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"done"}
    assert connected.events.filter(kind="uninstalled").count() == 1
    assert StaffAlert.objects.filter(kind="uninstalled").count() == 1


def test_scopes_are_compared_when_they_change(client, shopify, connected):
    event = send(client, connected, "app/scopes_update", {"id": 1, "previous": [], "current": ["read_orders"]})
    connected.refresh_from_db()
    assert event.status == "done"
    assert "read_locations" in connected.granted_scopes


def test_a_bulk_operation_is_noted(client, connected):
    body = {"admin_graphql_api_id": "gid://shopify/BulkOperation/147595010", "status": "completed"}
    event = send(client, connected, "bulk_operations/finish", body)
    assert event.note == "Bulk operation 147595010 ended: completed."


def location(**changes):
    body = {"id": 905684977, "name": "Lager", "address1": "Weg 1", "zip": "20357", "city": "Hamburg", "active": True}
    return {**body, "address2": None, "province": None, "country_name": "Germany", **changes}


def test_locations_follow_their_webhooks(client, connected):
    send(client, connected, "locations/create", location())
    row = Location.objects.get()
    assert (row.shopify_id, row.name, row.address) == (905684977, "Lager", "Weg 1, 20357, Hamburg, Germany")
    send(client, connected, "locations/update", location(name="Depot"))
    assert Location.objects.get().name == "Depot"
    send(client, connected, "locations/deactivate", location(active=False))
    row = Location.objects.get()
    assert (row.name, row.is_active) == ("Depot", False)


def test_a_deleted_location_stays_and_is_inactive(client, connected):
    send(client, connected, "locations/create", location())
    send(client, connected, "locations/delete", {"id": 905684977})
    assert not Location.objects.get().is_active


def test_an_older_word_about_a_location_changes_nothing(client, connected):
    send(client, connected, "locations/create", location())
    early = (timezone.now() - timedelta(hours=2)).isoformat()
    event = send(client, connected, "locations/update", location(name="Old"), Triggered_At=early)
    assert Location.objects.get().name == "Lager"
    assert event.note.startswith("Older")


@pytest.mark.parametrize("body", [{}, {"id": "x"}, {"id": 1}, [], {"id": 1, "name": 5}])
def test_what_is_no_location_is_refused(client, connected, body):
    event = send(client, connected, "locations/update", body)
    assert (event.status, Location.objects.count()) == ("failed", 0)


def test_when_a_topic_came_last_is_shown_with_its_subscription(client, connected, admin_client):
    send(client, connected, "locations/create", location())
    row = connected.subscriptions.get(topic="LOCATIONS_CREATE")
    assert row.received_at == WebhookEvent.objects.get().received_at
    page = admin_client.get(f"/admin/integrations/accountshopify/{connected.pk}/change/").content.decode()
    assert "locations create" in page and "Not subscribed" in page
