"""Where is my order, from a shop's page: sandbox storefront, storefront side, Proxy URL, and suppliers that move."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from hemi.tests.test_browser import ARGUMENTS, CHROMIUM
from hemi.tests.test_flow import collect_replies, deliver, send, servers, take_in  # noqa: F401 - a fixture
from integrations import previews
from integrations.models import AccountShopline
from integrations.tests.backend import Backend, Reply
from orders.models import ShopperLink
from orders.tests import bodies
from sandbox.shopline import Shop, ShoplineSandbox, Shopper
from sandbox.supplier_documents import Despatch
from suppliers.models import SupplierOrder

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
MEI = Shopper("Mei Lin", "64f0c1-mei")  # SHOPLINE's id; Shopify's is a number
EMAIL = "ola@example.com"


@pytest.fixture
def account(account):
    """A store whose orders go out, however old they are."""
    account.orders_from = datetime(2010, 1, 1, tzinfo=UTC)
    account.save()
    return account


@pytest.fixture
def shopline(account, live_server, settings):
    """The client's SHOPLINE store, its proxy in force and leading to Hemi's own pages."""
    settings.HEMI_BASE_URL = live_server.url
    live = {"live_prefix": "apps", "live_subpath": "orders", "state": AccountShopline.State.APPROVED}
    return AccountShopline.objects.create(
        client=account.client,
        merchant_id="aurora-tw",
        shop_name="Aurora Goods Taiwan",
        brand_colour="#0f766e",
        app_proxy_secret="storefront-secret",  # noqa: S106
        proxy_enabled=True,
        plays_storefront=True,
        app_id="app1",
        seo_slug="orders",
        **live,
    )


@pytest.fixture
def storefront(shopline, live_server):
    """The shop that people visit."""
    with ShoplineSandbox() as sandbox:
        sandbox.open(Shop("Aurora Goods Taiwan", "aurora-tw", live_server.url, "/apps/orders/", shoppers=(MEI,)))
        yield sandbox


@pytest.fixture
def browser(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright runs a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def wrong():
    """What browsers complained about, and cookies that somebody other than the shop set."""
    return []


def visit(browser, size, wrong):
    """Return a page of a browser of its own."""
    page = browser.new_page(viewport=size)
    page.on("console", lambda message: message.type == "error" and wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"page: {error}"))
    return page


def ask(page, number, email=EMAIL):
    page.get_by_label("Order number").fill(number)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Show my order").click()


def look(page, tmp_path, name):
    """Keep a picture, and check that nothing is cut off at the side."""
    folder = Path(os.environ.get("HEMI_TEST_PICTURES") or tmp_path)
    page.screenshot(path=folder / f"{name}-{page.viewport_size['width']}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def ship(servers):  # noqa: F811
    """Let each supplier send its parcel."""
    for code, server in servers.items():
        (order,) = server.wait_for_orders(1)
        tracking = f"{code}-77"
        server.ship(order.reference, Despatch(f"{code}-P1", "DHL", (tracking,), (f"https://track.example/{tracking}",)))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_guest_and_customer_see_their_order_move(
    account,
    servers,  # noqa: F811
    storefront,
    browser,
    wrong,
    tmp_path,
    size,  # noqa: F811
):
    body = bodies.order(name="#1001")
    assert send(account, body) == 200
    take_in()
    guest, customer = visit(browser, size, wrong), visit(browser, size, wrong)

    guest.goto(storefront.url)
    expect(guest.get_by_text("You are here as a guest.")).to_be_visible()
    look(guest, tmp_path, "shop")
    guest.get_by_role("link", name="Where is my order").click()
    assert guest.url == f"{storefront.url}/apps/orders/"
    look(guest, tmp_path, "guest-asks")
    ask(guest, "#1001", "somebody@else.example")
    expect(guest.get_by_role("heading", name="We could not find this order")).to_be_visible()
    look(guest, tmp_path, "guest-not-found")
    ask(guest, "#1001")
    expect(guest.locator("li.here").first).to_have_text("Received")
    look(guest, tmp_path, "guest-received")

    deliver()
    customer.goto(storefront.url)
    customer.get_by_role("button", name="Log in as Mei Lin").click()
    expect(customer.get_by_text("Logged in as Mei Lin.")).to_be_visible()
    customer.get_by_role("link", name="Where is my order").click()
    ask(customer, "#1001")
    expect(customer.locator("li.here").first).to_have_text("Sent to the maker")
    look(customer, tmp_path, "customer-sent")
    link = ShopperLink.objects.get()
    assert (link.customer_id, link.email) == (MEI.customer_id, EMAIL)

    collect_replies(2)
    customer.goto(f"{storefront.url}/apps/orders/")
    expect(customer.get_by_role("heading", name="Order #1001")).to_be_visible()
    expect(customer.locator("li.here").first).to_have_text("Confirmed by the maker")
    look(customer, tmp_path, "customer-confirmed")
    guest.goto(f"{storefront.url}/apps/orders/")
    expect(guest.get_by_text("Order #1001")).to_have_count(0)
    ask(guest, "#1001")
    expect(guest.locator("li.here").first).to_have_text("Confirmed by the maker")

    ship(servers)
    collect_replies(4)
    assert set(SupplierOrder.objects.values_list("status", flat=True)) == {SupplierOrder.Status.SHIPPED}
    customer.reload()
    expect(customer.locator("li.here").first).to_have_text("Shipped")
    tracking = customer.get_by_role("link", name="Track NORTH-77")
    assert tracking.get_attribute("href") == "https://track.example/NORTH-77"
    look(customer, tmp_path, "customer-shipped")
    guest.goto(f"{storefront.url}/apps/orders/")
    ask(guest, "#1001")
    expect(guest.get_by_role("link", name="Track SUED-77")).to_be_visible()
    look(guest, tmp_path, "guest-shipped")
    cookies = {cookie["name"] for context in browser.contexts for cookie in context.cookies()}
    assert cookies == {"sandbox_shopper"}
    assert wrong == []


@pytest.mark.parametrize("passes_posts", [True, False])
def test_a_preview_link_shows_the_same_pages(account, shopline, browser, wrong, tmp_path, passes_posts):
    AccountShopline.objects.update(passes_posts=passes_posts)
    shopline.refresh_from_db()
    assert send(account, bodies.order(name="#1001")) == 200
    take_in()
    page = visit(browser, PHONE, wrong)
    page.goto(previews.link(shopline, "", is_development=True))
    expect(page.get_by_role("heading", name="Find your order")).to_be_visible()
    ask(page, "#1001")
    expect(page.get_by_role("heading", name="Order #1001")).to_be_visible()
    look(page, tmp_path, f"preview-{passes_posts}")
    if passes_posts:
        assert "/storefront/aurora-tw~" in page.url
        page.get_by_role("link", name="Look for another order").click()
        expect(page.get_by_role("heading", name="Find your order")).to_be_visible()
    assert page.context.cookies() == [] and wrong == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_refusal_reads_well(shopline, browser, tmp_path, size):
    AccountShopline.objects.update(live_subpath="")
    page = browser.new_page(viewport=size)
    page.goto(previews.link(shopline, "", is_development=False))
    expect(page.get_by_role("heading", name="Nothing to show")).to_be_visible()
    expect(page.get_by_text("its settings not approved yet")).to_be_visible()
    look(page, tmp_path, "refused")


def test_a_shops_script_does_not_run_beside_the_admin(shopline, browser, live_server):
    """A shop's own backend, whose page tries to read and to send what the admin's cookie would open."""
    script = f"<title>no</title><body><script>document.title = 'ran'; fetch('{live_server.url}/admin/')</script>"
    with Backend() as backend:
        AccountShopline.objects.update(proxy_url=backend.url)
        shopline.refresh_from_db()
        form = f'<form method="post" action="{live_server.url}/admin/login/"><button>Go</button></form>'
        backend.reply = Reply(body=f"{script}<a href='javascript:document.title=1'>Link</a>{form}".encode())
        page = browser.new_page()
        page.context.add_cookies([{"name": "sessionid", "value": "staff", "url": live_server.url, "sameSite": "Lax"}])
        asked = []
        page.on("request", lambda request: asked.append((request.url, request.headers.get("cookie", ""))))
        page.goto(previews.link(shopline, "", is_development=True))
        page.get_by_role("link", name="Link").click()
        assert page.title() == "no" and len(asked) == 1
        assert page.evaluate("self.origin") == "null"
        page.get_by_role("button", name="Go").click()
        expect(page.get_by_text("CSRF")).to_be_visible()
        assert "cookie" not in backend.arrivals[0].headers and "Cookie" not in backend.arrivals[0].headers
