"""Who may look at a page, and not change it, sees no secret on it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from integrations.models import AccountShopify, AccountShopline, Client, Integration, IntegrationCredentials
from suppliers.models import Endpoint

SECRET = "a-very-secret-word"
pytestmark = pytest.mark.django_db


@pytest.fixture
def pages():
    integration = Integration.objects.create(name="App")
    IntegrationCredentials.objects.create(
        integration=integration, client_id="client-7", client_secret=SECRET, previous_client_secret=SECRET
    )
    rows = [
        AccountShopify.objects.create(shop_name="test", access_token=SECRET),
        integration,
        Endpoint.objects.create(name="North", host="127.0.0.1", username="hemi", password=SECRET),
        AccountShopline.objects.create(
            client=Client.objects.create(name="A client"),
            merchant_id="m-1",
            shop_name="A shop",
            app_proxy_secret=SECRET,
            previous_app_proxy_secret=SECRET,
        ),
    ]
    names = [f"admin:{row._meta.app_label}_{row._meta.model_name}_change" for row in rows]
    return [reverse(name, args=[row.pk]) for name, row in zip(names, rows, strict=True)]


def test_viewers_and_editors_alike(client, pages):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    for person in (viewer, User.objects.create_superuser("root")):
        client.force_login(person)
        texts = [client.get(page).content.decode() for page in pages]
        assert "client-7" in texts[1]
        assert not [text for text in texts if SECRET in text]


def _ticks(client, page):
    answer = client.get(page)
    fieldsets = list(answer.context["adminform"])
    for inline in answer.context["inline_admin_formsets"]:
        fieldsets += [fieldset for form in inline for fieldset in form]
    shown = [field.field.name for fieldset in fieldsets for line in fieldset for field in line if not field.is_readonly]
    return sorted({name for name in shown if name.startswith("clear_")})


def test_nothing_offers_to_clear_a_secret_that_is_not_stored(admin_client, pages):
    rows = ("integrations_accountshopify", "integrations_integration", "suppliers_endpoint")
    added = [_ticks(admin_client, reverse(f"admin:{row}_add")) for row in rows]
    assert added == [[], [], []]
    stored = [_ticks(admin_client, page) for page in pages]
    assert stored == [
        ["clear_access_token"],
        ["clear_client_secret", "clear_previous_client_secret"],
        ["clear_password"],
        [],  # an App Proxy Secret is revoked, never cleared
    ]
    IntegrationCredentials.objects.update(previous_client_secret="")
    AccountShopify.objects.update(access_token="")
    assert [_ticks(admin_client, page) for page in pages[:2]] == [[], ["clear_client_secret"]]


def test_what_was_typed_into_a_form_with_a_fault_cannot_be_cleared_yet(admin_client, pages):
    Endpoint.objects.update(password="")
    answer = admin_client.post(pages[2], {"password": "typed", "protocol": "ftps", "host": ""})
    assert answer.status_code == 200
    assert "Clear the password" not in answer.content.decode()
