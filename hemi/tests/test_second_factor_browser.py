"""The second factor in a real browser, on a phone: scanned, written down, asked for; nothing leaves the machine."""

from base64 import b32decode

import pytest
from django_otp.oath import totp
from playwright.sync_api import expect

from hemi.tests.test_browser import CHROMIUM, PASSWORD, away, page

__all__ = ["away", "page"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


def test_a_person_sets_it_up_and_comes_in_by_a_recovery_code(page, live_server, away):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/second-factor/")
    drawn = page.locator("#qr-code svg").bounding_box()
    assert 150 < drawn["width"] <= 390 and page.evaluate("document.documentElement.scrollWidth") <= 390
    key = b32decode(page.locator("#key").inner_text().replace(" ", ""))
    page.get_by_label("Code").fill(f"{totp(key):06d}")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    codes = page.locator("#recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/admin/orders/order/")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Type the six digits that your app shows now.")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("You came in by a recovery code; 9 are left.")).to_be_visible()
    assert page.url.endswith("/admin/orders/order/")
    assert away == []
