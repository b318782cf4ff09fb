"""What clients see, in a real browser as wide as a phone: it reads well, loads nothing, and its button works."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from hemi.tests.test_browser import ARGUMENTS, CHROMIUM, _watch
from integrations import expiry, install_mails, installs
from integrations.models import AccountShopify, InstallLink, Integration
from integrations.services import install_links
from integrations.tests.conftest import mailbox, shopify  # noqa: F401 - fixtures
from integrations.tests.installing import consent, query_for, signed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


@pytest.fixture
def away():
    return []


@pytest.fixture
def phone(monkeypatch, live_server, away):
    """A page as wide as a phone."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright runs a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        _watch(page, live_server.url, away)
        yield page
        browser.close()


def look(page, tmp_path, name):
    """Keep a picture, and check that nothing is cut off at the side."""
    page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_an_old_link_is_explained_and_renewed(phone, live_server, away, account, mailbox, tmp_path):  # noqa: F811
    link = install_links.get_or_make(account=account, by=None)
    query = query_for(link)
    InstallLink.objects.update(expires_at=timezone.now() - timedelta(days=1))
    expiry.expire_links()
    phone.goto(f"{live_server.url}/shopify/callback/?{query}")
    expect(phone.get_by_role("heading", name="Your store was not connected")).to_be_visible()
    expect(phone.get_by_text("o***@test.example")).to_be_visible()
    look(phone, tmp_path, "expired")
    phone.get_by_role("button", name="Mail me a new link").click()
    expect(phone.get_by_role("heading", name="Please look into your mail")).to_be_visible()
    look(phone, tmp_path, "renewed")
    install_mails.send()
    assert len(mailbox.wait_for("owner@test.example")) == 1
    assert re.fullmatch(rf"{live_server.url}/shopify/callback/{link.uuid}/renew/", phone.url)
    assert not [line for line in away if "403" not in line]  # the refusal's own status


def test_a_refusal_and_a_success_read_well(phone, live_server, away, account, shopify, tmp_path):  # noqa: F811
    Integration.objects.update(landing_url=f"{live_server.url}/healthz")
    AccountShopify.objects.update(shop_name="a-shop-with-a-name-that-is-as-long-as-shopify-will-ever-let-it")
    shopify.add_shop("a-shop-with-a-name-that-is-as-long-as-shopify-will-ever-let-it")
    account.refresh_from_db()
    link, query = consent(account)
    phone.goto(f"{live_server.url}/shopify/callback/?{query_for(link, secret='wrong')}")
    expect(phone.get_by_text("We could not verify that this request comes from Shopify.")).to_be_visible()
    look(phone, tmp_path, "refused")
    phone.goto(f"{live_server.url}/shopify/callback/?{query}")
    expect(phone.get_by_role("heading", name="Connecting…")).to_be_visible()
    look(phone, tmp_path, "connecting")
    installs.exchange_codes()
    expect(phone.get_by_role("heading", name="Connected", exact=True)).to_be_visible(timeout=10_000)
    look(phone, tmp_path, "connected")
    visit = signed(shop=account.domain, timestamp=int(timezone.now().timestamp()))
    phone.goto(f"{live_server.url}/shopify/install/{account.integration.uuid}/?{visit}")
    expect(phone.get_by_role("heading", name="Connected already")).to_be_visible()
    look(phone, tmp_path, "connected-already")
    assert not [line for line in away if "403" not in line]


def test_the_mail_reads_well(phone, account, mailbox, tmp_path):  # noqa: F811
    install_links.mail(account=account, by=None)
    install_mails.send()
    (mail,) = mailbox.wait_for("owner@test.example")
    phone.set_content(mail.html)
    expect(phone.get_by_role("link", name="Connect test.myshopify.com")).to_be_visible()
    look(phone, tmp_path, "mail")
    assert "src=" not in mail.html
