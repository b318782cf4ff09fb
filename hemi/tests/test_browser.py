"""The admin in a real browser, as a person uses it: nothing leaves the machine, nothing breaks on the page."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from hemi.tests.one_of_each import order_line
from integrations.tests import webhooks
from orders import completeness
from orders.models import CompletenessDay
from suppliers.models import Delivery, SupplierOrder
from suppliers.tests import factories

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
PASSWORD = "browser-password-1"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


@pytest.fixture
def away():
    """The addresses outside that were asked for, and what the browser complained about."""
    return []


@pytest.fixture
def page(monkeypatch, live_server, away):
    """A desktop page, logged in."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright runs a loop in this thread
    User.objects.create_superuser("boss", password=PASSWORD)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        _watch(page, live_server.url, away)
        page.goto(f"{live_server.url}/admin/")
        page.get_by_label("Username").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
        yield page
        browser.close()


def _watch(page: Page, home: str, away: list[str]) -> None:
    page.on("request", lambda request: _note(request.url, home, away))
    page.on("console", lambda message: message.type == "error" and away.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: away.append(f"page: {error}"))


def _note(url: str, home: str, away: list[str]) -> None:
    if not url.startswith((home, "data:", "blob:")):
        away.append(url)


def test_an_order_is_put_on_hold_with_a_reason(page, live_server, away):
    delivery = factories.delivery(factories.supplier())
    order = delivery.supplier_order.order
    order_line(order)
    page.get_by_role("listitem").get_by_text("Orders", exact=True).click()
    page.get_by_role("link", name=order.number).click()
    page.get_by_text("Hold", exact=True).click()
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("Give a reason; whoever looks next will want to know.")).to_be_visible()
    page.get_by_label("Reason").fill("The customer asked to wait")
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("The order is on hold.", exact=True)).to_be_visible()
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_text("Put on hold: The customer asked to wait")).to_be_visible()
    assert Delivery.objects.get().is_held
    assert away == []


def test_a_greyed_button_says_why_on_a_phone_too(page, live_server, away):
    order = factories.order()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/orders/order/{order.pk}/change/")
    page.get_by_text("Why some buttons are off").click()
    expect(page.get_by_text("Release: The order is not on hold.")).to_be_visible()
    page.get_by_role("link", name="more_horiz").click()
    page.locator("a", has_text="Release").first.click(force=True)  # a person does press what is greyed
    expect(page.get_by_text("The order is not on hold.", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    order.refresh_from_db()
    assert order.held_at is None and not order.events.exists()
    assert away == []


def test_the_days_of_a_store_fit_a_phone(page, live_server, account, away):
    days = [completeness.first_day() + timedelta(days=number) for number in range(completeness.DAYS)]
    gap = {"in_store": 2, "stored": 1, "missing": [{"id": 7, "number": "#1007"}], "checked_at": timezone.now()}
    CompletenessDay.objects.bulk_create(CompletenessDay(account=account, day=day, **gap) for day in days)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/integrations/accountshopify/{account.pk}/change/")
    page.get_by_role("link", name="Completeness").click()
    expect(page.get_by_text("#1007 (7)").first).to_be_visible()
    expect(page.get_by_text("50 %").first).to_be_visible()
    table = page.locator("#completeness-data").bounding_box()
    assert table["height"] < len(days) * 150 and table["width"] <= 390
    assert away == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_webhook_is_pasted_into_the_signature_bench(page, live_server, integration, away, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{live_server.url}/admin/integrations/integration/signature-bench/")
    expect(page.get_by_label("Headers")).to_be_hidden()
    page.get_by_label("What is it?").select_option(label="Shopify webhook")
    page.get_by_label("Whose secret should it be?").select_option(label=integration.name)
    expect(page.get_by_label("Full address")).to_be_hidden()
    sent = webhooks.headers(b'{"id":1,"note":"two words"}')
    page.get_by_label("Headers").fill("\n".join(f"{name}: {value}" for name, value in sent.items()))
    page.get_by_label("Body").fill('{"id": 1, "note": "two words"}')
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Body: It was read as JSON and written anew.")).to_be_visible()
    expect(page.get_by_label("Body")).to_be_visible()
    page.wait_for_function("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert away == []


def test_a_servers_long_words_fit_a_phone(page, live_server, away):
    words = f"It shows another key (SHA256:{'A' * 43}): 553 {'x' * 300}"
    endpoint = factories.endpoint(stopped_at=timezone.now(), stop_reason=words, last_error=words)
    delivery = factories.delivery(factories.supplier(endpoint=endpoint), last_error=words, status=Delivery.Status.DEAD)
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (f"endpoint/{endpoint.pk}", f"delivery/{delivery.pk}"):
        page.goto(f"{live_server.url}/admin/suppliers/{address}/change/")
        expect(page.get_by_text(words).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
    assert away == []


def test_dialogs_with_long_words_fit_a_phone(page, live_server, away):
    shown = "SHA256:" + ":".join(["AB"] * 32)
    endpoint = factories.endpoint(protocol="ftps", offered_identity=shown)
    sent = factories.delivery(factories.supplier(), status="sent", sent_at=timezone.now())
    SupplierOrder.objects.update(status="sent")
    page.set_viewport_size({"width": 390, "height": 844})
    for row, button in ((endpoint, "Confirm identity"), (sent, "Send again…")):
        page.goto(f"{live_server.url}/admin/suppliers/{row._meta.model_name}/{row.pk}/change/")
        page.get_by_role("link", name="more_horiz").click()
        page.locator("a:visible", has_text=button).first.click()
        expect(page.locator("#dialog-form")).to_be_visible()
        box = page.locator("#dialog").bounding_box()
        assert box["x"] >= 24 and box["x"] + box["width"] <= 366, (button, box)  # its padding is around it
    assert away == []
