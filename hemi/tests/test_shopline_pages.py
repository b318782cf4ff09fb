"""A SHOPLINE account in a real browser: its secret is seen once, and its settings are approved as they were seen."""

import re

import pytest
from playwright.sync_api import expect

from hemi.tests.test_browser import CHROMIUM, away, page  # noqa: F401 - fixtures
from integrations.models import AccountShopline, Client
from integrations.services import proxy_settings

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def shop():
    owner = Client.objects.create(name="Tea & Co")
    return AccountShopline.objects.create(
        client=owner, merchant_id="m-1", shop_name="Teehaus", app_id="hemiapp", plays_storefront=True
    )


@pytest.fixture
def opened(page, live_server, shop):  # noqa: F811 - a fixture
    page.goto(f"{live_server.url}/admin/integrations/accountshopline/{shop.pk}/change/")
    return page


def test_the_secret_is_seen_once(opened, shop, away):  # noqa: F811
    opened.set_viewport_size(PHONE)
    opened.get_by_role("link", name="more_horiz").click()
    opened.locator("a:visible", has_text=re.compile(r"^\s*More\b")).click()
    opened.locator("a", has_text="Make secret").locator("visible=true").first.click()
    opened.get_by_role("button", name="Make").click()
    shown = opened.get_by_label("App Proxy Secret", exact=True).locator("visible=true")
    expect(shown).to_have_count(1)
    secret = shown.input_value()
    shop.refresh_from_db()
    assert secret == shop.app_proxy_secret and len(secret) == 64
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    opened.get_by_role("link", name="Back to the account").click()
    opened.get_by_text("App Proxy", exact=True).first.click()
    expect(opened.get_by_text("It is never shown")).to_be_visible()
    assert secret not in opened.content()
    assert secret not in str(opened.context.cookies())
    opened.reload()
    assert secret not in opened.content()
    assert away == []


def test_settings_are_approved_as_they_were_seen(opened, shop, away):  # noqa: F811
    opened.get_by_text("Submit for approval").locator("visible=true").first.click()
    expect(opened.locator("#dialog").get_by_text("hemiapp", exact=True)).to_be_visible()
    opened.get_by_role("button", name="Submit").click()
    expect(opened.get_by_text("The settings wait for approval.")).to_be_visible()
    opened.locator("a", has_text="Approve").locator("visible=true").first.click()
    expect(opened.get_by_text("Approve exactly these settings?")).to_be_visible()

    shop.refresh_from_db()  # meanwhile, at another desk
    shop.seo_slug = "other"
    proxy_settings.save(account=shop, fields={"seo_slug"}, by=None)
    proxy_settings.submit(account=shop, by=None)

    opened.get_by_role("button", name="Approve").click()
    expect(opened.get_by_text("The settings were changed or submitted again")).to_be_visible()
    shop.refresh_from_db()
    assert shop.live_subpath == ""

    opened.locator("a", has_text="Approve").locator("visible=true").first.click()
    opened.get_by_role("button", name="Approve").click()
    expect(opened.get_by_text("The settings are in force.", exact=True)).to_be_visible()
    shop.refresh_from_db()
    assert shop.live_subpath == "other"
    assert away == []
