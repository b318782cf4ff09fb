"""Once a day each account is looked at, each at its own time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations import daily, subscriptions, tokens
from integrations.models import AccountShopify, Integration, StaffAlert
from integrations.shopify.oauth import TokenGrant
from integrations.tests.clock import make_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def checked(shopify, store):
    """A store whose webhooks are subscribed, and whose daily check is due."""
    AccountShopify.objects.update(webhooks="due")
    subscriptions.subscribe_webhooks()
    make_due(AccountShopify.objects, "next_check_at")
    return store


def test_webhooks_that_went_are_back_the_same_day(shopify, checked):
    shopify.drop_subscriptions("test")
    assert daily.check_accounts() == 1
    subscriptions.subscribe_webhooks()
    checked.refresh_from_db()
    assert (checked.webhooks, checked.checked_at is not None) == ("on", True)
    assert len(shopify.state.subscriptions) == checked.subscriptions.filter(is_listed=True).count() == 12
    assert "orders_create" in StaffAlert.objects.get(kind="subscriptions_gone").text


def test_it_is_due_again_tomorrow_at_the_accounts_own_time(checked):
    daily.check_accounts()
    assert daily.check_accounts() == 0
    checked.refresh_from_db()
    assert timedelta(0) < checked.next_check_at - timezone.now() <= timedelta(days=1)


def test_checks_are_spread_over_the_day():
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    hours = {daily.next_check(number, now).hour for number in range(1, 200)}
    assert hours == set(range(24))


def test_a_renamed_store_is_followed_and_its_scopes_are_kept(shopify, checked):
    AccountShopify.objects.update(shopify_shop_id=shopify.state.shops["test"].id, granted_scopes="")
    shopify.rename_shop("test", "renamed")
    daily.check_accounts()
    checked.refresh_from_db()
    assert (checked.shop_name, checked.former_names) == ("renamed", ["test"])
    assert "read_locations" in checked.granted_scopes


def test_another_api_version_is_told_and_cleared(shopify, checked):
    Integration.objects.update(api_version="2025-01")  # ended: Shopify answers in another
    daily.check_accounts()
    alert = StaffAlert.objects.get(kind="api_version")
    assert "2025-01" in alert.text
    Integration.objects.update(api_version="")
    make_due(AccountShopify.objects, "next_check_at")
    daily.check_accounts()
    alert.refresh_from_db()
    assert alert.cleared_at


def test_a_store_that_is_away_is_looked_at_within_the_hour(shopify, checked):
    shopify.stop()
    daily.check_accounts()
    checked.refresh_from_db()
    assert checked.checked_at is None
    assert checked.next_check_at - timezone.now() < timedelta(hours=1)
    assert checked.webhooks == "on"


def test_scopes_are_compared_as_soon_as_there_is_a_token(shopify, checked):
    daily.check_accounts()
    checked.refresh_from_db()
    token = shopify.issue_token("client-1", "test", ["read_products"])
    assert tokens.store(checked, TokenGrant(token, "read_products"), seen_version=1)
    daily.check_accounts()
    assert "without: read_orders" in StaffAlert.objects.get(kind="scopes", cleared_at=None).text


def test_a_refusal_that_was_shopifys_mistake_is_over_by_itself(shopify, checked):
    grant = shopify.state.tokens.pop(str(checked.access_token))
    daily.check_accounts()
    checked.refresh_from_db()
    assert checked.problem == "reauthorise"
    shopify.state.tokens[str(checked.access_token)] = grant
    make_due(AccountShopify.objects, "next_check_at")
    daily.check_accounts()
    checked.refresh_from_db()
    assert checked.problem == "" and not StaffAlert.objects.filter(kind__startswith="problem", cleared_at=None).exists()


def test_accounts_without_a_token_are_left_alone(account):
    make_due(AccountShopify.objects, "next_check_at")
    assert daily.check_accounts() == 0
