"""The admin of accounts, integrations, links and webhooks, as staff use it."""

import csv
import io
import re
import time
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from hemi.lib.fields import MASK
from integrations import inbox, install_mails, installs, scopes
from integrations.models import (
    AccountShopify,
    Client,
    InstallLink,
    Integration,
    IntegrationCredentials,
    Location,
    WebhookEvent,
)
from integrations.services import accounts, install_links
from integrations.tests.installing import consent, query_for
from integrations.tests.webhooks import post

pytestmark = pytest.mark.django_db
TOKEN = "shpat_0123456789abcdef"


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("ann", password="a long password"))
    return client


def page(obj, name="change"):
    kind = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{name}"
    return reverse(kind, args=[obj.pk])


def press(browser, obj, button, **form):
    """Press a button that opens a dialog, and send the dialog; return what is then said."""
    answer = browser.post(page(obj, button), {"_form_submitted": "on", **form}, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.status_code
    return answer.headers.get("HX-Redirect", ""), said_to(answer)


def act(browser, model, name, *rows):
    """Run a list action."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answer = browser.post(url, {"action": name, "_selected_action": [row.pk for row in rows]})
    return answer, said_to(answer)


def said_to(answer):
    """Return what the person is told next, and forget what was said before."""
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    answer.client.cookies.pop("messages", None)
    return said


def form_of(browser, url):
    """Return the fields of a page's form as a browser would send them."""
    context = browser.get(url).context
    data = {}
    for form in [
        context["adminform"].form,
        *[form for inline in context["inline_admin_formsets"] for form in inline.formset.forms],
    ]:
        for name in form.fields:
            bound = form[name]
            value = bound.value()
            if hasattr(bound.field.widget, "decompress"):
                for number, part in enumerate(bound.field.widget.decompress(value)):
                    data[f"{bound.html_name}_{number}"] = part or ""
            elif value is not False:  # a box that is not ticked is not sent
                data[bound.html_name] = "" if value is None else getattr(value, "pk", value)
    for inline in context["inline_admin_formsets"]:
        management = inline.formset.management_form
        data |= {management[name].html_name: management[name].value() for name in management.fields}
    return data


def save(browser, url, **changes):
    """Send a page's form with changes; return the errors, if any."""
    answer = browser.post(url, form_of(browser, url) | changes)
    if answer.status_code == 302:
        return {}
    errors = dict(answer.context["adminform"].form.errors)
    for inline in answer.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            errors |= form.errors
    return errors


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


BUTTONS = [
    "generate_install_link",
    "send_install_email",
    "paste_address",
    "refresh_locations",
    "get_collections",
    "subscribe_webhooks",
    "pause",
    "resume",
]


@pytest.mark.parametrize("button", BUTTONS)
def test_buttons_need_their_permission_and_act_on_post_only(client, account, button):
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_accountshopify"))
    client.force_login(user)
    before = AccountShopify.objects.values().get()
    assert client.get(page(account, button)).status_code == 403
    assert client.post(page(account, button), {"_form_submitted": "on"}).status_code == 403
    client.force_login(User.objects.create_superuser("root"))
    client.get(page(account, button))
    assert AccountShopify.objects.values().get() == before
    assert not InstallLink.objects.exists()


def test_generated_link_is_shown_ready_to_copy(staff, account):
    where, _ = press(staff, account, "generate_install_link")
    link = InstallLink.objects.get()
    assert where == page(link)
    text = unescape(staff.get(where).content.decode())
    assert f'value="{install_links.authorize_url(link)}"' in text
    assert link.made_by.username == "ann"
    assert press(staff, account, "generate_install_link")[0] == where


def test_links_of_many_accounts_from_the_list(staff, account):
    other = AccountShopify.objects.create(shop_name="other", integration=account.integration)
    lost = AccountShopify.objects.create(shop_name="lost")
    answer, said = act(staff, AccountShopify, "generate_install_links", account, other, lost)
    assert any("2 ready to copy" in line for line in said)
    assert any("lost: Choose an Integration App" in line for line in said)
    text = unescape(staff.get(answer["Location"]).content.decode())
    for link in InstallLink.objects.all():
        assert install_links.authorize_url(link) in text
    assert InstallLink.objects.count() == 2


def test_mails_from_the_page_and_from_the_list(staff, account, mailbox):
    _, said = press(staff, account, "send_install_email")
    assert "mailed within seconds" in said[0]
    install_mails.send()
    other = AccountShopify.objects.create(shop_name="other", integration=account.integration)
    _, said = act(staff, AccountShopify, "send_install_emails", account, other)
    install_mails.send()
    assert any("other: Enter the Client Email" in line for line in said)
    assert len(mailbox.wait_for("owner@test.example", count=2)) == 2


def test_refused_button_is_greyed_with_its_reason_and_refuses_with_the_same(staff, account, settings):
    settings.IS_MAIL_SET = False
    reason = install_links.why_not_mail(account)
    text = unescape(staff.get(page(account)).content.decode())
    assert text.count(reason) >= 2
    where, said = press(staff, account, "send_install_email")
    assert (where, said) == (page(account), [reason])
    assert not InstallLink.objects.exists()


def test_redirected_address_can_be_pasted(staff, shopify, account):
    Integration.objects.update(redirect_uri="https://hemi.ai/")
    shopify.add_app("client-1", "hush", ["https://hemi.ai/"])
    account.refresh_from_db()
    _, query = consent(account)
    _, said = press(staff, account, "paste_address", address="https://hemi.ai/?code=1")
    assert "not complete" in said[0]
    where, said = press(staff, account, "paste_address", address=f" https://hemi.ai/?{query}#top \n")
    assert (where, "test is being connected" in said[0]) == (page(account), True)
    installs.exchange_codes()
    account.refresh_from_db()
    assert account.is_authorised


def test_pasted_address_is_checked_like_the_callback(staff, account):
    link = install_links.get_or_make(account=account, by=None)
    for query, rule in [
        (query_for(link, "bad"), "hmac"),
        (query_for(link, timestamp=int(time.time()) - 100), "timestamp"),
        (query_for(link, state="0" * 64), "state unknown"),
    ]:
        _, said = press(staff, account, "paste_address", address=f"https://hemi.ai/?{query}")
        assert f"({rule})" in said[0]
    link.refresh_from_db()
    assert link.status == "open"


def test_locations_fill_the_list(staff, shopify, store):
    _, said = press(staff, store, "refresh_locations")
    assert "were read" in said[0]
    assert "Main warehouse" in staff.get(page(store)).content.decode()


def test_collections_are_downloaded(staff, shopify, store):
    answer = staff.get(page(store, "get_collections"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="collections-test.csv"' in answer["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len(rows) == 31


def test_collections_that_cannot_be_read_are_a_message(staff, shopify, store):
    shopify.add_fault("access_denied")
    answer = staff.get(page(store, "get_collections"))
    assert (answer.status_code, answer["Location"]) == (302, page(store))
    (said,) = said_to(answer)
    assert said.startswith("The collections could not be read, so there is no file. Shopify refused: ")


def test_pause_and_resume(staff, account):
    press(staff, account, "pause", reason="Stocktaking")
    account.refresh_from_db()
    assert account.paused_at
    assert account.pause_reason == "Stocktaking"
    assert "Stocktaking" in staff.get(page(account)).content.decode()
    assert press(staff, account, "pause", reason="again")[1] == ["The account is paused already."]
    press(staff, account, "resume")
    account.refresh_from_db()
    assert account.paused_at is None


def test_webhooks_again_asks_only_where_they_can_come(staff, shopify, store):
    press(staff, store, "subscribe_webhooks")
    store.refresh_from_db()
    assert store.webhooks == "due"
    AccountShopify.objects.update(webhooks="off")
    IntegrationCredentials.objects.update(client_secret="")
    _, said = press(staff, store, "subscribe_webhooks")
    assert said[0].startswith("Webhooks are off: ")
    assert said[0] in unescape(staff.get(page(store)).content.decode())
    store.refresh_from_db()
    assert store.webhooks == "off"


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
