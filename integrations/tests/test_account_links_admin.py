"""The admin around an install link: scopes as a table, timeline, disconnecting, stores that came by themselves."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import install_mails, installs, scopes
from integrations.models import AccountShopify, Client, Disconnection, InstallLink, Integration
from integrations.services import install_links
from integrations.services.arrivals import UNCLAIMED
from integrations.tests.installing import consent, query_for
from integrations.tests.pages import form_of, page, press, said_to

pytestmark = pytest.mark.django_db


def save(browser, account, **changes):
    url = page(account)
    answer = browser.post(url, {**form_of(browser, url), **changes})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    account.refresh_from_db()
    return said_to(answer)


def test_scopes_are_a_table_with_words(staff, account):
    text = staff.get(page(account)).content.decode()
    assert text.count('type="checkbox" name="access_scopes"') == len(scopes.DEFAULT.split(","))
    assert "Read orders older than 60 days, too." in text
    assert ">Granted<" not in text
    AccountShopify.objects.update(granted_scopes="write_orders", access_scopes="read_orders,read_markets")
    text = staff.get(page(account)).content.decode()
    assert 'value="read_orders" id="id_access_scopes_read_orders" checked' in text
    assert 'value="write_orders" id="id_access_scopes_write_orders">' in text
    assert ">Granted<" in text and ">read_markets</textarea>" in text


def test_ticked_and_typed_scopes_are_saved_in_the_order_of_the_list(staff, account):
    said = save(staff, account, access_scopes=["write_orders", "read_assigned_fulfillment_orders", "read_markets"])
    assert account.access_scopes == "read_assigned_fulfillment_orders,write_orders,read_markets"
    assert not [line for line in said if "does not know" in line]  # Shopify's schema names it


def test_unknown_scopes_only_warn_and_odd_ones_are_refused(staff, account):
    said = save(staff, account, access_scopes=["read_orders", "read_moon  read_stars"])
    assert account.access_scopes == "read_orders,read_moon,read_stars"
    assert [line for line in said if line.startswith("Hemi does not know read_moon, read_stars.")]
    url = page(account)
    answer = staff.post(url, {**form_of(staff, url), "access_scopes": ["read_orders", "no scope!"]})
    assert "is not an access scope" in answer.content.decode()
    account.refresh_from_db()
    assert account.access_scopes == "read_orders,read_moon,read_stars"


def test_timeline_is_newest_first_with_who(staff, account, mailbox):
    press(staff, account, "send_install_email")
    install_mails.send()
    rows = staff.get(page(account)).content.decode()
    assert rows.index("was mailed to owner@test.example") < rows.index("An install link was made")


def test_ask_for_new_scopes_names_what_is_missing(staff, shopify, account, mailbox):
    assert "not connected" in press(staff, account, "ask_for_scopes")[1][0]
    AccountShopify.objects.update(access_scopes="read_orders,read_products")
    _, query = consent(AccountShopify.objects.get(), without=["read_products"])
    staff.get(f"/shopify/callback/?{query}")
    installs.exchange_codes()
    said = press(staff, account, "ask_for_scopes")[1]
    assert said == ["A fresh link is mailed within seconds. It asks for what is missing: read_products."]
    install_mails.send()
    assert len(mailbox.wait_for("owner@test.example")) == 1


def test_disconnect_asks_why_and_says_so(staff, account):
    assert "no link is open" in press(staff, account, "disconnect", reason="Over.")[1][0]
    install_links.get_or_make(account=account, by=None)
    assert press(staff, account, "disconnect", reason="")[1] == []
    assert not Disconnection.objects.exists()
    assert press(staff, account, "disconnect", reason="The contract ended.")[1] == ["The store is disconnected."]
    text = staff.get(page(account)).content.decode()
    assert "Disconnected since" in text and "The contract ended." in text
    assert account.events.get(kind="disconnected").actor.username == "ann"


def test_a_store_that_came_by_itself_is_listed_and_claimed(staff, account):
    now = timezone.now()
    AccountShopify.objects.update(is_unclaimed=True, client=None, paused_at=now, pause_reason=UNCLAIMED)
    front = staff.get("/admin/").content.decode()
    assert "Stores that came by themselves" in front and "is_unclaimed__exact=1" in front
    assert (
        staff.get(reverse("admin:integrations_accountshopify_changelist") + "?is_unclaimed__exact=1")
        .context["cl"]
        .result_list.get()
    )
    save(staff, account, client=Client.objects.create(name="Its owner").pk)
    assert (account.is_unclaimed, account.paused_at) == (False, None)
    assert "Stores that came by themselves" not in staff.get("/admin/").content.decode()


def test_a_pause_of_its_own_reason_outlives_the_claim(staff, account):
    AccountShopify.objects.update(is_unclaimed=True, paused_at=timezone.now(), pause_reason="Stock-taking")
    save(staff, account, send_shipping_confirmation="on")
    assert (account.is_unclaimed, account.pause_reason) == (False, "Stock-taking")


def test_expired_links_need_attention_until_a_newer_one_is_made(staff, account):
    InstallLink.objects.filter(pk=install_links.get_or_make(account=account, by=None).pk).update(status="expired")
    assert "Install links that expired unused" in staff.get("/admin/").content.decode()
    install_links.get_or_make(account=account, by=None)
    assert "Install links that expired unused" not in staff.get("/admin/").content.decode()


def test_link_to_copy_is_shopifys_where_there_is_one(staff, account):
    Integration.objects.update(install_url="https://admin.shopify.com/oauth/install_custom_app?client_id=1")
    link = install_links.get_or_make(account=account, by=None)
    text = staff.get(page(link)).content.decode()
    assert "https://admin.shopify.com/oauth/install_custom_app?client_id=1" in text
    assert str(link.state) not in text
    assert (
        f"https://hemi.test/shopify/install/{account.integration.uuid}/"
        in staff.get(page(account.integration)).content.decode()
    )


def test_pasted_address_is_refused_with_its_rule_and_told(staff, account):
    link = install_links.get_or_make(account=account, by=None)
    address = f"https://hemi.ai/?{query_for(link, secret='wrong')}"
    assert "(hmac)" in press(staff, account, "paste_address", address=address)[1][0]
    assert account.events.filter(kind="refused_hmac").count() == 1
