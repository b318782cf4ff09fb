"""The forms of accounts and integrations: what is typed, and what is never shown."""

import pytest
from django.urls import reverse

from integrations import scopes
from integrations.models import (
    AccountShopify,
    Integration,
    IntegrationCredentials,
    Location,
)
from integrations.services import accounts
from integrations.tests.pages import form_of, page, save

pytestmark = pytest.mark.django_db
TOKEN = "shpat_0123456789abcdef"


def test_new_account_has_all_scopes_and_a_normal_name(staff, integration):
    url = reverse("admin:integrations_accountshopify_add")
    assert not save(staff, url, shop_name="https://Test.myshopify.com/admin", integration=integration.pk)
    account = AccountShopify.objects.get()
    assert account.shop_name == "test"
    assert account.access_scopes == scopes.DEFAULT
    errors = save(staff, url, shop_name="test.myshopify.com")
    assert "already exists" in str(errors["shop_name"])
    assert "is not the name of a Shopify store" in str(save(staff, url, shop_name="test.example.com")["shop_name"])
    assert "“orders!”" in str(save(staff, url, shop_name="b", access_scopes="read orders!")["access_scopes"])
    assert AccountShopify.objects.count() == 1


def test_only_active_shopify_apps_and_own_locations_can_be_chosen(staff, account):
    Integration.objects.create(name="Old", is_active=False)
    Integration.objects.create(name="Line", platform="shopline")
    Location.objects.create(account=account, shopify_id=1, name="Mine")
    Location.objects.create(account=AccountShopify.objects.create(shop_name="other"), shopify_id=1, name="Theirs")
    form = staff.get(page(account)).context["adminform"].form
    assert [str(row) for row in form.fields["integration"].queryset] == ["Hemi Orders"]
    assert [str(row) for row in form.fields["location"].queryset] == ["Mine"]


def test_pasted_token_authorises_and_is_never_shown(staff, shopify, account):
    token = shopify.issue_token("client-1", "test", ["read_orders", "write_products"])
    assert not save(staff, page(account), access_token=f" {token} ")
    account.refresh_from_db()
    assert (account.access_token, account.token_version, account.webhooks) == (token, 1, "due")
    assert account.granted_scopes == "read_orders,write_products"
    assert account.authorised_at == account.orders_from
    assert token not in staff.get(page(account)).content.decode()
    assert token not in staff.get(reverse("admin:integrations_accountshopify_changelist")).content.decode()
    assert token not in staff.get(page(account, "history")).content.decode()


def test_blank_keeps_the_token_and_a_tick_clears_it(staff, account):
    accounts.store_token(account=account, token=TOKEN, by=None)
    assert not save(staff, page(account), client_email="new@test.example")
    account.refresh_from_db()
    assert (account.access_token, account.client_email) == (TOKEN, "new@test.example")
    assert "not both" in str(save(staff, page(account), access_token="x", clear_access_token="on")["access_token"])
    assert "no spaces" in str(save(staff, page(account), access_token="a b")["access_token"])
    assert not save(staff, page(account), clear_access_token="on")
    account.refresh_from_db()
    assert (account.access_token, account.token_version, account.webhooks) == ("", 2, "off")


def test_form_that_was_open_during_an_install_does_not_undo_it(staff, account, monkeypatch):
    form = form_of(staff, page(account))
    accounts.store_token(account=account, token=TOKEN, by=None)
    assert staff.post(page(account), form | {"client_email": "x@test.example"}).status_code == 302
    account.refresh_from_db()
    assert (account.access_token, account.token_version) == (TOKEN, 1)


def test_name_is_fixed_once_the_store_is_connected(staff, account):
    accounts.store_token(account=account, token=TOKEN, by=None)
    save(staff, page(account), shop_name="another")
    account.refresh_from_db()
    assert account.shop_name == "test"


def test_secrets_of_an_integration_are_write_only(staff, integration):
    IntegrationCredentials.objects.update(client_secret="very-secret", previous_client_secret="older-secret")
    text = staff.get(page(integration)).content.decode()
    assert "very-secret" not in text
    assert "older-secret" not in text
    assert "One is stored; it is never shown." in text
    assert not save(staff, page(integration), **{"credentials-0-client_id": "client-2"})
    credentials = IntegrationCredentials.objects.get()
    assert (credentials.client_id, credentials.client_secret) == ("client-2", "very-secret")
    assert not save(
        staff,
        page(integration),
        **{"credentials-0-client_secret": "newer", "credentials-0-clear_previous_client_secret": "on"},
    )
    credentials.refresh_from_db()
    assert credentials.secrets == ["newer"]
