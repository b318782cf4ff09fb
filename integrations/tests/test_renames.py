"""A store that was renamed is followed, because it says so itself, and nobody else is believed."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import installs, renames, subscriptions
from integrations.models import AccountShopify, Integration, IntegrationCredentials, StaffAlert, WebhookEvent
from integrations.tests import hints
from integrations.tests.installing import consent
from integrations.tests.pages import press
from integrations.tests.webhooks import post, post_to_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(shopify, store):
    """A connected store whose shop id is known."""
    AccountShopify.objects.update(shopify_shop_id=shopify.state.shops["test"].id)
    store.refresh_from_db()
    return store


def as_new(client, account, **changes):
    return post(client, account, **{"Shop_Domain": "renamed.myshopify.com", **changes}).status_code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keeps_old_address", [True, False])
def test_the_webhook_that_shopify_sends_again_is_taken(client, shopify, known, keeps_old_address):
    shopify.rename_shop("test", "renamed", keeps_old_address)
    hints.sent()
    assert as_new(client, known) == 401
    assert not WebhookEvent.objects.exists()
    assert hints.sent() == {"integrations.follow_renames"}
    renames.follow_renames()
    known.refresh_from_db()
    assert (known.shop_name, known.former_names, known.hinted_name) == ("renamed", ["test"], "")
    assert as_new(client, known) == 200
    assert known.events.get(kind="renamed").text == "The store was renamed from test to renamed; the account follows."


@pytest.mark.django_db(transaction=True)
def test_hints_are_taken_once_a_minute(client, known):
    hints.sent()
    for _ in range(5):
        assert as_new(client, known) == 401
    assert hints.count()["integrations.follow_renames"] == 1
    assert as_new(client, known, Shop_Domain="other.myshopify.com") == 401
    known.refresh_from_db()
    assert known.hinted_name == "renamed"
    AccountShopify.objects.update(hinted_at=timezone.now() - renames.HINT_EVERY - timedelta(seconds=1))
    assert as_new(client, known, Shop_Domain="other.myshopify.com") == 401
    known.refresh_from_db()
    assert known.hinted_name == "other"


def test_what_is_not_signed_or_no_store_hints_nothing(client, known):
    assert as_new(client, known, Hmac_Sha256="wrong") == 401
    assert as_new(client, known, Shop_Domain="evil.test") == 401
    known.refresh_from_db()
    assert (known.hinted_name, known.hinted_at) == ("", None)


def test_a_hint_is_not_believed(client, shopify, known):
    shopify.add_shop("renamed")
    as_new(client, known)
    renames.follow_renames()
    known.refresh_from_db()
    assert (known.shop_name, known.former_names, known.hinted_name) == ("test", [], "")


def test_another_shop_id_is_not_followed(client, shopify, known):
    AccountShopify.objects.update(shopify_shop_id=1)
    shopify.rename_shop("test", "renamed")
    as_new(client, known)
    renames.follow_renames()
    known.refresh_from_db()
    assert known.shop_name == "test"


def test_two_renames_and_back_keep_every_name(shopify, known):
    for old, new in (("test", "second"), ("second", "third"), ("third", "test")):
        shopify.rename_shop(old, new)
        assert renames.check(known, new)
    known.refresh_from_db()
    assert (known.shop_name, known.former_names) == ("test", ["second", "third"])


def test_an_empty_account_that_came_by_itself_makes_way(shopify, known, integration):
    AccountShopify.objects.create(shop_name="renamed", integration=integration, is_unclaimed=True)
    shopify.rename_shop("test", "renamed")
    assert renames.check(known, "renamed")
    assert AccountShopify.objects.get().pk == known.pk


def test_a_name_that_another_account_has_is_told_and_nothing_mixed(shopify, known, integration):
    AccountShopify.objects.create(shop_name="renamed", integration=integration)
    shopify.rename_shop("test", "renamed")
    assert not renames.check(known, "renamed")
    known.refresh_from_db()
    assert known.shop_name == "test"
    assert "another account has that name" in StaffAlert.objects.get(kind="rename").subject


def test_a_store_that_does_not_answer_changes_nothing(client, shopify, known):
    as_new(client, known)
    shopify.stop()
    renames.follow_renames()
    known.refresh_from_db()
    assert (known.shop_name, known.hinted_name) == ("test", "")


def redaction_of(account, name="renamed", **changes):
    return json.dumps({"shop_id": account.shopify_shop_id, "shop_domain": f"{name}.myshopify.com"} | changes).encode()


def without_token(known):
    AccountShopify.objects.update(access_token="")
    known.refresh_from_db()


def test_a_store_without_a_token_is_followed_by_its_redaction(client, known, integration):
    without_token(known)
    body = redaction_of(known)
    named = {"Topic": "shop/redact", "Shop_Domain": "renamed.myshopify.com"}
    assert post_to_app(client, integration, body, **named).status_code == 200
    known.refresh_from_db()
    assert (known.shop_name, known.former_names) == ("renamed", ["test"])
    assert bytes(WebhookEvent.objects.get(account=known).body) == body


@pytest.mark.parametrize("spoil", ["unsigned", "another_id", "no_id", "huge_id", "no_json", "another_app", "connected"])
def test_no_other_body_renames_a_store(client, known, integration, spoil):
    if spoil != "connected":
        without_token(known)
    ids = {"another_id": 1, "no_id": None, "huge_id": "9" * 40}
    body = b"[]" if spoil == "no_json" else redaction_of(known, shop_id=ids.get(spoil, known.shopify_shop_id))
    more = {"Hmac_Sha256": "wrong"} if spoil == "unsigned" else {}
    if spoil == "another_app":
        integration = Integration.objects.create(name="Another")
        IntegrationCredentials.objects.create(integration=integration, client_id="client-2", client_secret="hush")
    named = {"Topic": "shop/redact", "Shop_Domain": "renamed.myshopify.com", **more}
    assert post_to_app(client, integration, body, **named).status_code == 401
    known.refresh_from_db()
    assert (known.shop_name, known.former_names) == ("test", [])
    assert known.hinted_name == ("renamed" if spoil == "connected" else "")
    assert not WebhookEvent.objects.exists()


def test_a_store_that_cannot_be_asked_is_told_once(client, shopify, known):
    without_token(known)
    for _ in range(2):
        AccountShopify.objects.update(hinted_at=None)
        assert as_new(client, known) == 401
        renames.follow_renames()
    assert "under the name renamed" in known.events.get(kind="rename_unsure").text


def told(staff, account, name):
    _, said = press(staff, account, "store_was_renamed", name=name)
    account.refresh_from_db()
    return said


def connect_again(client, account):
    _, query = consent(account)
    client.get(f"/shopify/callback/?{query}")
    installs.exchange_codes()
    subscriptions.subscribe_webhooks()
    account.refresh_from_db()


def test_staff_say_what_a_store_without_a_token_is_called(client, staff, shopify, known):
    without_token(known)
    shopify.rename_shop("test", "renamed")
    assert told(staff, known, "https://renamed.myshopify.com/admin") == ["The account follows the store."]
    assert (known.shop_name, known.former_names) == ("renamed", ["test"])
    event = known.events.get(kind="renamed")
    assert event.actor.username == "ann" and "as staff say" in event.text
    connect_again(client, known)
    assert (known.is_authorised, known.webhooks) == (True, "on")


def test_staff_who_name_another_store_are_told(client, staff, shopify, known):
    without_token(known)
    shopify.add_shop("another")
    told(staff, known, "another")
    connect_again(client, known)
    assert known.webhooks == "failed" and "another shop id" in known.webhooks_error
    assert shopify.state.subscriptions == {}
    assert "another shop id" in StaffAlert.objects.get(kind="subscriptions").text


@pytest.mark.parametrize("name", ["another", "test", "no store!", "taken"])
def test_what_cannot_be_its_name_changes_nothing(staff, shopify, known, name):
    shopify.add_shop("another")
    if name == "taken":
        AccountShopify.objects.create(shop_name="taken")
        without_token(known)
    assert told(staff, known, name) != ["The account follows the store."]
    assert (known.shop_name, known.former_names) == ("test", [])


def test_a_connected_store_is_asked_at_once(staff, shopify, known):
    shopify.rename_shop("test", "renamed")
    assert told(staff, known, "renamed") == ["The account follows the store."]
    assert known.shop_name == "renamed"
