"""Who sees and deletes what; webhooks again; lists without a query a row."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from hemi.lib.fields import MASK
from integrations import inbox
from integrations.models import (
    AccountShopify,
    Client,
    Integration,
    Location,
    WebhookEvent,
)
from integrations.services import accounts, install_links
from integrations.tests.pages import act, page, press, said_to
from integrations.tests.webhooks import post

pytestmark = pytest.mark.django_db
TOKEN = "shpat_0123456789abcdef"


def test_who_may_only_look_sees_no_secret(client, account):
    accounts.store_token(account=account, token=TOKEN, by=None)
    user = User.objects.create_user("bob", is_staff=True)
    codes = ["view_accountshopify", "view_integration", "view_integrationcredentials", "view_installlink"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client.force_login(user)
    link = install_links.get_or_make(account=account, by=None)
    for obj in (account, account.integration, link):
        answer = client.get(page(obj))
        assert answer.status_code == 200
        text = answer.content.decode()
        for secret in (TOKEN, ">hush<", str(link.state)):
            assert secret not in text
    listed = client.get(reverse("admin:integrations_installlink_changelist")).content.decode()
    assert str(link.state) not in listed


@pytest.mark.django_db(transaction=True)
def test_nothing_with_orders_or_webhooks_is_deleted(staff, client, account):
    post(client, account)
    client_row = account.client
    for obj in (account, account.integration, client_row):
        answer = staff.post(page(obj, "delete"), {"post": "yes"})
        assert (answer.status_code, answer["Location"]) == (302, page(obj))
        said = said_to(answer)
        assert "cannot be deleted" in said[0]
        obj.refresh_from_db()


def test_what_was_made_by_mistake_can_be_deleted(staff, account):
    install_links.get_or_make(account=account, by=None)
    Location.objects.create(account=account, shopify_id=1, name="Mine")
    integration, client_row = account.integration, account.client
    for obj in (account, integration, client_row):
        answer = staff.post(page(obj, "delete"), {"post": "yes"})
        assert answer.status_code == 302
    assert not AccountShopify.objects.exists()
    assert not Integration.objects.exists()
    assert not Client.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_failed_webhook_is_processed_again(staff, client, account, settings):
    settings.WEBHOOK_HANDLERS = {"orders/create": ["integrations.tests.test_inbox.take"]}
    post(client, account)
    event = WebhookEvent.objects.get()
    assert press(staff, event, "replay")[1] == ["Only a webhook that failed or was ignored can be processed again."]
    WebhookEvent.objects.update(status="failed", attempts=10, next_attempt_at=timezone.now())
    press(staff, event, "replay")
    event.refresh_from_db()
    assert (event.status, event.attempts) == ("new", 0)
    inbox.process_events()
    event.refresh_from_db()
    assert event.status == "done"
    WebhookEvent.objects.update(status="failed")
    act(staff, WebhookEvent, "replay_events", event)
    event.refresh_from_db()
    assert event.status == "new"


@pytest.mark.django_db(transaction=True)
def test_payload_is_for_those_who_may_read_it(client, account):
    post(client, account, b'{"email": "<b>anna@example.com</b>"}')
    event = WebhookEvent.objects.get()
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_webhookevent"))
    client.force_login(user)
    assert "anna@" not in client.get(page(event)).content.decode()
    user.user_permissions.add(Permission.objects.get(codename="read_webhookevent_payload"))
    text = client.get(page(event)).content.decode()
    assert "&lt;b&gt;anna@example.com" in text


@pytest.mark.parametrize("name", ["client", "integration", "accountshopify", "installlink", "location", "webhookevent"])
def test_lists_do_not_ask_once_a_row(staff, client, account, name, django_assert_max_num_queries):
    for number in range(10):
        other = AccountShopify.objects.create(
            shop_name=f"s{number}", integration=account.integration, client=account.client
        )
        install_links.get_or_make(account=other, by=None)
        Location.objects.create(account=other, shopify_id=1, name="Here")
        WebhookEvent.objects.create(account=other, webhook_id="1", topic="orders/create", body=b"{}")
    with django_assert_max_num_queries(14):
        text = staff.get(reverse(f"admin:integrations_{name}_changelist")).content.decode()
    assert not re.search(r"hush|gAAAA", text)
    assert MASK not in text
