"""Where is my order, as shoppers get it through the Proxy URL: their own orders, in their language, nothing else."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from hemi.lib import colours
from hemi.tests.one_of_each import order_line
from integrations.models import AccountShopify
from orders import shoppers as who
from orders.models import Order, ShopperLink
from suppliers.models import SupplierOrder
from suppliers.tests import factories, shoppers
from suppliers.tests.shoppers import Shopper

pytestmark = pytest.mark.django_db(transaction=True)
Status = SupplierOrder.Status


@pytest.fixture
def shopline(db):
    return shoppers.storefront()


@pytest.fixture
def shop(shopline):
    return shoppers.store(shopline)


def link(shopline, customer_id="7", email="ola@example.com", **values):
    return ShopperLink.objects.create(
        shopline=shopline, customer_id=customer_id, email=email, source=ShopperLink.Source.STAFF, **values
    )


def read(page):
    """Return a page as it is read: without tags, style and surplus space."""
    assert page.status_code == 200
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def numbers(page):
    return re.findall(r"<h2>Order (\S+)</h2>", page.content.decode())


def test_a_guest_is_asked_and_shown_nothing(shopline, shop):
    shoppers.order(shop)
    page = Shopper(shopline).get()
    assert numbers(page) == []
    assert "Find your order" in read(page) and "Blümchen & Co" in read(page)


def test_a_linked_customer_sees_their_orders_newest_first(shopline, shop):
    now = timezone.now()
    for day, number in enumerate(["#1", "#2", "#3"]):
        shoppers.order(shop, number, placed_at=now - timedelta(days=9 - day), email="Ola@Example.com")
    link(shopline)
    assert numbers(Shopper(shopline, "7").get()) == ["#3", "#2", "#1"]
    assert numbers(Shopper(shopline, "7").get("orders")) == ["#3", "#2", "#1"]


def test_orders_of_the_stores_own_customer_are_seen_there_only(shopline, shop):
    other = shoppers.store(shopline, "zwei")
    shoppers.order(shop, "#1", email="else@example.com", customer_id=55)
    shoppers.order(other, "#2", email="else@example.com", customer_id=55)
    link(shopline, account=shop, shopify_customer_id=55)
    assert numbers(Shopper(shopline, "7").get()) == ["#1"]


def test_nobody_elses_orders_are_had_by_any_parameter(shopline, shop):
    rival = shoppers.storefront("m-2")
    shoppers.order(shoppers.store(rival, "rival"), "#RIVAL")
    shoppers.order(shop, "#OTHER", email="other@example.com")
    shoppers.order(shop, "#GONE", redacted_at=timezone.now(), customer_id=55)
    shoppers.order(shop, "#SAMPLE", shopify_id=-9, customer_id=55)
    shoppers.order(shop, "#CLIENTLESS", account=AccountShopify.objects.create(shop_name="nobody"))
    mine = shoppers.order(shop, "#MINE")
    link(shopline, account=shop, shopify_customer_id=55)
    link(shopline, "8", "other@example.com")
    link(rival, "9")
    tries = ["customer=8", "customerId=8", "email=other@example.com", "number=%23OTHER", "order=1", "merchant=m-2"]
    tries += [
        "client=2",
        f"account={rival.pk}",
        "page=0",
        "page=-1",
        "page[]=1",
        "page[a]=2",
        "page=%D9%A3",
        "page=1e9",
    ]
    for query in ["", *tries]:
        for path in ("", "orders", "status.json"):
            page = Shopper(shopline, "7").get(path, query)
            assert page.status_code == 200
            assert mine.number in page.content.decode()
            for word in ("RIVAL", "OTHER", "GONE", "SAMPLE", "CLIENTLESS", "other@example.com", "Łuk"):
                assert word not in page.content.decode(), (query, path)
    assert numbers(Shopper(rival, "7").get()) == []  # the same id is somebody else at another merchant
    assert numbers(Shopper(shopline, "9").get()) == []


def test_pages_are_bounded_and_lead_on(shopline, shop, monkeypatch):
    monkeypatch.setattr(who, "PAGE_SIZE", 3)
    now = timezone.now()
    for number in range(8):
        shoppers.order(shop, f"#{number}", placed_at=now - timedelta(days=number))
    link(shopline)
    shopper, found, query = Shopper(shopline, "7"), [], "lang=en"
    while True:
        page = shopper.get("", query)
        assert len(numbers(page)) <= 3
        found += numbers(page)
        older = re.search(r'href="\?([^"]*)" rel="next"', page.content.decode())
        if not older:
            break
        query = html.unescape(older[1])
        assert "lang=en" in query
    assert found == [f"#{number}" for number in range(8)]
    assert 'rel="prev"' in page.content.decode()
    assert numbers(shopper.get("", "page=9999")) == []


def test_each_part_says_how_far_it_is_and_never_who_makes_it(shopline, shop):
    shoppers.mixed(shop)
    link(shopline)
    page = Shopper(shopline, "7").get()
    text = read(page)
    assert re.findall(r"(Part \d of \d) (.+?) (?=Received \(|Received Sent|We|This|1 ×)", text) == [
        ("Part 1 of 4", "Partly shipped"),
        ("Part 2 of 4", "Shipped"),
        ("Part 3 of 4", "Cannot be supplied"),
        ("Part 4 of 4", "Received"),
    ]
    assert "Cancelled This was cancelled and will not be sent. 1 × Spoon Needs no shipping 1 × Gift card" in text
    assert "1 of 2 cannot be supplied, we are sorry." in text
    assert "We are sorry: this cannot be supplied." in text
    for word in ("Secret maker", "SUP", "HM0", "owes us", "Ola", "Łuk", "D-1"):
        assert word not in page.content.decode()


def test_what_is_not_on_its_way_is_no_part_of_its_own(shopline, shop):
    order, gone = shoppers.order(shop, "#1"), shoppers.order(shop, "#2", state=Order.State.CANCELLED)
    shoppers.given(order, factories.supplier(), order_line(order))
    order_line(order, title="Gift card", is_gift_card=True, requires_shipping=False)
    for code in ("NORTH", "SOUTH"):
        shoppers.given(gone, factories.supplier(code=code), order_line(gone, title=code))
    link(shopline)
    text = read(Shopper(shopline, "7").get())
    assert "Part" not in text and text.count("will not be sent") == 1
    told = Shopper(shopline, "7").get("status.json").json()["orders"]
    parts = {row["number"]: [(part["number"], part["state"]) for part in row["parts"]] for row in told}
    assert parts == {"#1": [(1, "sent"), (2, "not_shipped")], "#2": [(1, "cancelled")]}


@pytest.mark.parametrize(
    ("zone", "placed", "parcel"),
    [
        ("UTC", "20 Nov 2026 (UTC)", "21 Nov 2026 (UTC)"),
        ("Asia/Taipei", "21 Nov 2026", "22 Nov 2026"),
        ("America/New_York", "20 Nov 2026", "21 Nov 2026"),
        ("../etc/passwd", "20 Nov 2026 (UTC)", "21 Nov 2026 (UTC)"),
        ("Mars/North", "20 Nov 2026 (UTC)", "21 Nov 2026 (UTC)"),
    ],
)
def test_dates_are_of_the_shops_own_zone(shopline, shop, zone, placed, parcel):
    type(shopline).objects.update(time_zone=zone)
    order = shoppers.order(shop, placed_at=datetime(2026, 11, 20, 18, tzinfo=UTC))
    line = order_line(order)
    sent = shoppers.shipped(shoppers.given(order, factories.supplier(), line, status=Status.SHIPPED), line)
    type(sent).objects.update(created_at=datetime(2026, 11, 21, 18, tzinfo=UTC))
    link(shopline)
    text = read(Shopper(shopline, "7").get())
    assert f"Placed on {placed} Received" in text and f"Parcel of {parcel} · DHL Express" in text
    told = Shopper(shopline, "7").get("status.json").json()["orders"][0]
    assert told["placed_at"] == "2026-11-20T18:00:00+00:00"


def test_a_title_is_shown_without_control_characters(shopline, shop):
    order_line(shoppers.order(shop), title="Lamp\x07 with\x1b a\u3000bell 👩\u200d🍳\x01", variant_title="\x0bL")
    link(shopline)
    assert "1 × Lamp with a bell 👩\u200d🍳 (L)" in read(Shopper(shopline, "7").get())
    (item,) = Shopper(shopline, "7").get("status.json").json()["orders"][0]["parts"][0]["items"]
    assert (item["title"], item["variant"]) == ("Lamp  with  a\u3000bell 👩\u200d🍳", "L")


def test_only_web_addresses_become_links(shopline, shop):
    order = shoppers.order(shop)
    lines = [order_line(order) for _ in range(2)]
    part = shoppers.given(order, factories.supplier(), *lines, status=Status.SHIPPED)
    urls = ["javascript:alert(1)", "https://track.example/a?b=1&c=2", 'https://x.example/"onclick=', "data:text/html,x"]
    shoppers.shipped(part, *lines, numbers=["N1", "N2", "N3", "<b>N4"], urls=urls)
    link(shopline)
    text = Shopper(shopline, "7").get().content.decode()
    assert re.findall(r'<a href="(http[^"]*)"([^>]*)>', text) == [
        ("https://track.example/a?b=1&amp;c=2", ' rel="noopener noreferrer"')
    ]
    assert "javascript:" not in text and "data:" not in text and "onclick" not in text
    for number in ("N1", "N3", "&lt;b&gt;N4"):
        assert f"Tracking number: {number}" in text


def test_what_was_said_to_the_former_file_holds_until_the_newer_one_is_sent(shopline, shop):
    order = shoppers.order(shop)
    line = order_line(order)
    supplier = factories.supplier()
    former = shoppers.given(order, supplier, line, status=Status.ACCEPTED)
    former.lines.update(reply_status=Status.ACCEPTED, confirmed=1, is_live=False)
    newer = shoppers.given(order, supplier, line, status=Status.READY, revision=2, replaces=former)
    link(shopline)
    shopper = Shopper(shopline, "7")
    assert here(shopper.get()) == ["Confirmed by the maker"]
    SupplierOrder.objects.filter(pk=newer.pk).update(status=Status.SENT)
    SupplierOrder.objects.filter(pk=former.pk).update(status=Status.REPLACED)
    assert here(shopper.get()) == ["Sent to the maker"]


def here(page):
    """Return the step at which each part is."""
    return re.findall(r'aria-current="step">([^<]*)<', page.content.decode())


def test_an_order_that_the_store_cancelled_or_sent_by_itself(shopline, shop):
    gone, done = shoppers.order(shop, "#1", state=Order.State.CANCELLED), shoppers.order(shop, "#2")
    shoppers.given(gone, factories.supplier(), order_line(gone))
    order_line(done, sendable=0)
    link(shopline)
    text = read(Shopper(shopline, "7").get())
    assert "Order #1 Cancelled" in text and "This was cancelled and will not be sent." in text
    assert "Order #2 Shipped" in text


@pytest.mark.parametrize(
    ("wanted", "query", "title", "tag"),
    [
        ("en-GB", "", "Where is my order?", "en"),
        ("zh-TW,zh;q=0.9", "", "我的訂單到哪裡了？", "zh-Hant"),
        ("zh-Hant-HK", "", "我的訂單到哪裡了？", "zh-Hant"),
        ("de-AT", "", "Wo ist meine Bestellung?", "de"),
        ("fr", "", "Where is my order?", "en"),
        ("fr", "lang=de", "Wo ist meine Bestellung?", "de"),
        ("de", "locale=zh_TW", "我的訂單到哪裡了？", "zh-Hant"),
        ("de", "lang[]=en", "Wo ist meine Bestellung?", "de"),
    ],
)
def test_the_page_speaks_the_shoppers_language(shopline, wanted, query, title, tag):
    page = Shopper(shopline, language=wanted).get("", query)
    assert title in read(page)
    assert f'<html lang="{tag}">' in page.content.decode()
    assert page["Content-Language"] == tag


@pytest.mark.parametrize("colour", ["#ffd166", "#ffffff", "#000000", "#1f6feb", "#777777", "#00ff00"])
def test_the_shops_colour_can_always_be_read(colour):
    assert colours.contrast(colours.ink_on(colour), colour) >= 4.5
    assert colours.contrast(colours.readable(colour), "#ffffff") >= 4.5
    assert colours.readable("#14532d") == "#14532d"


def test_the_page_runs_nothing_sets_nothing_and_is_kept_nowhere(shopline, shop):
    shoppers.mixed(shop)
    link(shopline)
    page = Shopper(shopline, "7").get()
    text = page.content.decode()
    assert not page.cookies and "Set-Cookie" not in page.headers
    assert "default-src 'none'" in page["Content-Security-Policy"] and "script" not in text
    assert page["Cache-Control"] == "private, no-store"
    assert not re.search(r"\s(src|srcset|on\w+)=", text)
    assert re.findall(r'<label for="(\w+)"', text) == re.findall(r'<input id="(\w+)"', text) == ["number", "email"]


def test_a_colour_that_is_none_spoils_nothing(shopline):
    type(shopline).objects.update(brand_colour="red;}b{")
    assert "red;}" not in Shopper(shopline).get().content.decode()


def test_other_methods_are_refused(shopline):
    shopper = Shopper(shopline)
    for path in ("", "status.json"):
        assert shopper.browser.delete(shopper.address(path)).status_code == 405
    assert shoppers.post(shopper.browser, shopper.address("status.json"), {}).status_code == 405
    assert shopper.browser.head(shopper.address()).status_code == 200
