"""The sandbox's SHOPLINE storefront: who is logged in, and what goes to Hemi's storefront side."""

import pytest
import requests

from sandbox.shopline import Shop, ShoplineSandbox, Shopper
from sandbox.web import Answer, Request, WebServer

MEI = Shopper("Mei Lin", "sl-7001")


@pytest.fixture
def hemi():
    """Hemi's place, where what arrives is kept and answered with a page."""
    arrivals = []

    def answer(request: Request) -> Answer:
        arrivals.append(request)
        policy = {"Content-Security-Policy": "sandbox", "Content-Language": "de", "Location": "./next"}
        return Answer(b"<p>Your orders", status=207, headers=policy)

    server = WebServer(answer).start()
    yield server.url, arrivals
    server.stop()


@pytest.fixture
def storefront(hemi):
    with ShoplineSandbox() as sandbox:
        sandbox.open(Shop("Aurora", "aurora-tw", hemi[0], "/apps/orders/", shoppers=(MEI,)))
        yield sandbox


@pytest.fixture
def browser():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_a_guest_logs_in_and_out(storefront, browser):
    page = browser.get(storefront.url).text
    assert "You are here as a guest." in page and 'href="/apps/orders/"' in page
    assert "Logged in as Mei Lin." in browser.post(f"{storefront.url}/login", data={"customer_id": "sl-7001"}).text
    assert "Logged in as Mei Lin." in browser.get(storefront.url).text
    assert "You are here as a guest." in browser.post(f"{storefront.url}/logout").text


def test_nobody_logs_in_under_a_name_of_their_own(storefront, browser, hemi):
    assert browser.post(f"{storefront.url}/login", data={"customer_id": "sl-9"}).status_code == 400
    browser.get(
        f"{storefront.url}/apps/orders/", headers={"Cookie": "sandbox_shopper=sl-9", "X-Storefront-Customer": "sl-9"}
    )
    assert hemi[1][0].headers["X-Storefront-Customer"] == ""


def test_the_proxys_path_goes_to_hemi_as_it_is_and_the_answer_comes_back(storefront, browser, hemi):
    browser.post(f"{storefront.url}/login", data={"customer_id": "sl-7001"})
    answer = browser.post(
        f"{storefront.url}/apps/orders/caf%C3%A9?a=%20&b", data={"number": "#1"}, allow_redirects=False
    )
    (arrival,) = hemi[1]
    assert (arrival.method, arrival.target) == ("POST", "/storefront/aurora-tw/apps/orders/caf%C3%A9?a=%20&b")
    assert (arrival.body, arrival.headers["X-Storefront-Customer"]) == (b"number=%231", "sl-7001")
    assert "Cookie" not in arrival.headers
    assert (answer.status_code, answer.text, answer.headers["Location"]) == (207, "<p>Your orders", "./next")
    assert answer.headers["Content-Language"] == "de"
    assert "sandbox" not in answer.headers["Content-Security-Policy"]  # that is for Hemi's own host


def test_a_shop_is_opened_by_what_the_story_tells(browser):
    with ShoplineSandbox() as sandbox:
        assert "No shop is open here yet" in browser.get(sandbox.url).text
        told = {"name": "Aurora", "merchant_id": "m", "hemi": "http://127.0.0.1:1", "link": "/apps/orders/"}
        told["shoppers"] = [{"name": "Mei", "customer_id": "7"}]
        assert browser.post(f"{sandbox.url}/control/shop", json=told).json() == {"url": sandbox.url}
        assert "Log in as Mei" in browser.get(sandbox.url).text
        assert browser.get(f"{sandbox.url}/apps/orders/").status_code == 502
        for wrong in ({"name": "x"}, [1], {**told, "shoppers": [1]}):
            assert browser.post(f"{sandbox.url}/control/shop", json=wrong).status_code == 400
        assert browser.get(f"{sandbox.url}/other").status_code == 404
