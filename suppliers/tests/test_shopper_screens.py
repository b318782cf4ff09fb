"""The pages in a real browser, on a phone and on a desk, in each language: nothing is cut off, all can be read."""

import pytest
from django.test import Client as Browser
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from hemi.tests.one_of_each import order_line
from hemi.tests.test_browser import ARGUMENTS, CHROMIUM
from orders.models import ShopperLink
from suppliers.tests import factories, shoppers
from suppliers.tests.shoppers import Shopper

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]
WIDTHS = {"phone": 390, "desk": 1280, "small phone": 320}
BUTTONS = {"en": "Show my order", "de": "Bestellung anzeigen", "zh-TW": "顯示我的訂單"}
# The words of the steps that are broken within.
BROKEN = """() => [...document.querySelectorAll(".steps li")].flatMap(step => {
  const text = step.firstChild, words = [...text.data.matchAll(/[A-Za-zÀ-ÿ]+/g)];
  return words.filter(word => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }).map(word => word[0]);
})"""
# A text of which the contrast to what lies behind it is too low, as a browser draws it.
FAINT = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = text => parts(text).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.body.querySelectorAll("*")]
    .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
    .filter(node => {
      const [dark, bright] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
      return (bright + 0.05) / (dark + 0.05) < 4.5;
    }).map(node => node.outerHTML);
}"""


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright runs a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser.new_page()
        browser.close()


@pytest.fixture
def shopline(db):
    account = shoppers.storefront(brand_colour="#ffd166", shop_name="Blümchen & Töchter, Geschirr und Wohnen")
    shop = shoppers.store(account)
    shoppers.mixed(shop)
    for number in range(10):
        older = shoppers.order(shop, f"#1{number:03d}")
        order_line(older, title="Donaudampfschifffahrtsgesellschaftskapitänsmützenhalterung" * 2)
    sent = shoppers.order(shop, "#3001")
    shoppers.given(sent, factories.supplier(), order_line(sent, title="白瓷茶杯"))
    ShopperLink.objects.create(shopline=account, customer_id="7", email="ola@example.com", source="staff")
    return account


def pages(shopline, language):
    """Return every page that a shopper can come to."""
    guest, customer = Shopper(shopline, language=language), Shopper(shopline, "7", language)
    ended = shoppers.post(Browser(), reverse("shopline-ask"), {}, headers={"accept-language": language})
    return {
        "guest": guest.get(),
        "orders": customer.get(),
        "not-found": guest.ask("#1", "x@example.com"),
        "found": Shopper(shopline, "new", language).ask("#2001", "ola@example.com"),
        "unlinked": Shopper(shopline, "8", language).get(),
        "ended": ended,
        "nothing": guest.get("nothing-here"),
    }


@pytest.mark.parametrize("language", BUTTONS)
def test_every_page_fits_and_can_be_read(page, shopline, language):
    for name, answer in pages(shopline, language).items():
        page.set_content(answer.content.decode())
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 844})
            fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            assert page.evaluate(fits), (name, device)
            assert page.evaluate(BROKEN) == [], (name, device)
        assert page.evaluate(FAINT) == [], name
        if name in ("guest", "orders", "not-found", "unlinked"):
            expect(page.get_by_role("button", name=BUTTONS[language])).to_be_visible()
            assert [page.get_by_label(label).count() for label in ("E-", "電子郵件")].count(1) == 1
