"""The buttons of an account and the actions of its list."""

import csv
import io
import time
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User

from integrations import install_mails, installs
from integrations.models import (
    AccountShopify,
    InstallLink,
    Integration,
    IntegrationCredentials,
)
from integrations.services import install_links
from integrations.tests.installing import consent, query_for
from integrations.tests.pages import act, page, press, said_to

pytestmark = pytest.mark.django_db


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


def test_an_address_is_pasted_at_its_own_account_only(staff, account):
    link = install_links.get_or_make(account=account, by=None)
    other = AccountShopify.objects.create(shop_name="other", integration=account.integration)
    _, said = press(staff, other, "paste_address", address=f"https://hemi.ai/?{query_for(link)}")
    assert "another store" in said[0]
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
