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
