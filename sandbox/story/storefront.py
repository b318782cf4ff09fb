"""From the shop's own page to where an order is, through the App Proxy."""

import requests

from sandbox.browser import Browser, Page
from sandbox.story.stage import SHOP, Stage, expect, until

MERCHANT, SHOP_NAME, COLOUR = "aurora-tw", "Aurora Goods Taiwan", "#0f766e"
APP_ID, SLUG, LINK = "hemi-orders", "orders", "/apps/orders/"
NAME, CUSTOMER_ID = "Mei Lin", "64f0c1d2-mei"  # SHOPLINE's id; in the other store the same person has a number
_CONFIRMED, _SHIPPED = "Confirmed by the maker", "Shipped"


def open_shop(stage: Stage) -> str:
    """Enter the SHOPLINE store, make its secret, have its App Proxy approved, and open the shop."""
    page = stage.pages["shopline"] = stage.staff.add(
        "integrations/accountshopline",
        client=stage.key("client"),
        merchant_id=MERCHANT,
        shop_name=SHOP_NAME,
        brand_colour=COLOUR,
        time_zone="Asia/Taipei",
        proxy_enabled="on",
        plays_storefront="on",
        app_id=APP_ID,
        seo_slug=SLUG,
    )
    for button in ("Make secret", "Submit for approval", "Approve"):
        stage.staff.press(page, button)
    expect("Approved" in stage.staff.open(page).text, "The settings of the App Proxy are not approved.")
    url = _open_at_the_sandbox(stage)
    return f"{MERCHANT} is approved, {url}{LINK} leads to Hemi: {page}"


def ask_as_guest(stage: Stage) -> str:
    """As a guest, ask in the shop where an order is, and read that its makers have confirmed it."""
    order = stage.orders[0]
    with Browser() as guest:
        page = _where_is_my_order(stage, guest)
        wrong = _ask(guest, page, order["name"], "somebody@else.example")
        expect("We could not find this order" in wrong.text, f"A stranger was told: {wrong.text[:300]}")
        until("the shop's page to say that it is confirmed", lambda: _CONFIRMED in _state(guest, page, order))
        expect(not guest.session.cookies, "A guest was given a cookie.")
    return f"{page.url} says of {order['name']}: {_CONFIRMED}; to another e-mail it says nothing"


def ask_as_shopper(stage: Stage) -> str:
    """Log in to the shop, tell one order once, and see it listed as shipped, with its tracking, by itself."""
    order = stage.orders[0]
    sold = stage.see(f"shops/{SHOP}/orders")["orders"]
    parcels = next(row for row in sold if row["id"] == order["id"])["fulfillments"]
    with Browser() as shopper:
        page = shopper.open(f"{stage.world['shopline']['url']}/")
        page = shopper.submit(page, page.form("login"), {})
        expect(f"Logged in as {NAME}" in page.text, f"The shop says: {page.text[:300]}")
        page = _where_is_my_order(stage, shopper)
        expect(f"Order {order['name']}" not in page.text, "Somebody's order is shown to whom nobody knows yet.")
        _ask(shopper, page, order["name"], order["email"])
        shipped = until("the order to be listed as shipped", lambda: _shipped(shopper, page.url, order["name"]))
        told = [link for link in shipped if link.startswith("https://track.example/")]
        expect(len(told) == len(parcels), f"The page has {len(told)} tracking links for {len(parcels)} parcels.")
        status = shopper.open(f"{page.url}status.json").content.decode()
        expect(order["name"] in status and "shipped" in status, f"status.json says: {status[:300]}")
    return (
        f"{page.url} lists {order['name']} for {NAME} as {_SHIPPED}, with {len(told)} tracking links; status.json too"
    )


def _open_at_the_sandbox(stage: Stage) -> str:
    shoppers = [{"name": NAME, "customer_id": CUSTOMER_ID}]
    told = {"name": SHOP_NAME, "merchant_id": MERCHANT, "hemi": stage.hemi, "link": LINK, "colour": COLOUR}
    url = stage.world["shopline"]["url"]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{url}/control/shop", json={**told, "shoppers": shoppers}, timeout=10)
    expect(answer.ok, f"The sandbox's shop did not open: {answer.text[:200]}")
    return url


def _where_is_my_order(stage: Stage, browser: Browser) -> Page:
    """Follow the link on the shop's front page."""
    front = browser.open(f"{stage.world['shopline']['url']}/")
    (link,) = front.root.xpath("//nav/a/@href")
    return browser.open(f"{front.url.rstrip('/')}{link}")


def _ask(browser: Browser, page: Page, number: str, email: str) -> Page:
    page = browser.open(page.url)  # each form is signed, and so sent, once
    return browser.submit(page, page.form(), {"number": number, "email": email})


def _state(browser: Browser, page: Page, order: dict) -> str:
    return _ask(browser, page, order["name"], order["email"]).text


def _shipped(browser: Browser, url: str, number: str) -> list[str]:
    """Return the links of the listed order; none before all of it is shipped."""
    articles = browser.open(url).root.xpath(f"//article[.//h2[normalize-space()='Order {number}']]")
    states = {state.text_content().strip() for one in articles for state in one.xpath(".//*[@class='state']")}
    return articles[0].xpath(".//a/@href") if states == {_SHIPPED} else []
