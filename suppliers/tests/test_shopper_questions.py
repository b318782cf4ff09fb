"""Who asks by number and e-mail: one answer for wrong, unknown and too often, nothing of it in an address or log."""

import html
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import signing
from django.db import OperationalError, connection, connections
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from hemi.tests import searching
from orders import lookup_limits, lookup_tickets, lookups
from orders.models import LookupCount, ShopperLink, UsedTicket
from suppliers.tests import shoppers
from suppliers.tests.shoppers import Shopper

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER, EMAIL = "#1001", "ola@example.com"


@pytest.fixture
def shopline(db):
    return shoppers.storefront()


@pytest.fixture
def order(shopline):
    return shoppers.order(shoppers.store(shopline), NUMBER, EMAIL.title())


@pytest.fixture
def direct(shopline):
    """The storefront, where forms do not pass the proxy."""
    type(shopline).objects.update(passes_posts=False)
    shopline.refresh_from_db()
    return shopline


def is_found(page):
    assert page.status_code == 200
    return "<h2>Order #1001</h2>" in page.content.decode()


def plain(page):
    """Return an answer without what is fresh in each."""
    text = re.sub(r'action="\?form=[^"]*"|name="ticket" value="[^"]*"', "", page.content.decode())
    return page.status_code, sorted(page.headers.items()), text


@pytest.mark.parametrize("number", ["#1001", "1001", " 1001 ", "＃１００１"])
@pytest.mark.parametrize("email", [EMAIL, " OLA@Example.COM "])
def test_a_guest_finds_an_order(shopline, order, number, email):
    assert is_found(Shopper(shopline).ask(number, email))
    assert not ShopperLink.objects.exists()


def test_a_customer_who_knows_an_order_is_linked_and_sees_all_of_that_address(shopline, order):
    order.customer_id = 8_112_233
    order.save(update_fields=["customer_id"])
    shoppers.order(order.account, "#1002", EMAIL)
    customer = Shopper(shopline, "shopper-7")
    assert "Order #1001" not in customer.get().content.decode()
    assert is_found(customer.ask(NUMBER, EMAIL))
    listed = customer.get().content.decode()
    assert "Order #1001" in listed and "Order #1002" in listed
    link = ShopperLink.objects.get()
    assert (link.customer_id, link.email, link.account, link.shopify_customer_id) == (
        "shopper-7",
        EMAIL,
        order.account,
        8_112_233,
    )
    assert is_found(customer.ask(NUMBER, EMAIL)) and ShopperLink.objects.count() == 1
    assert "Order #1001" not in Shopper(shopline, "shopper-8").get().content.decode()


def test_wrong_unknown_and_too_often_are_one_answer(shopline, order, monkeypatch):
    other = shoppers.storefront("m-2")
    shoppers.order(shoppers.store(other, "rival"), "#9", "rival@example.com")
    gone = shoppers.order(order.account, "#8", "gone@example.com", redacted_at=timezone.now())
    shoppers.order(order.account, "#7", "sample@example.com", shopify_id=-7)
    tries = [
        (NUMBER, "other@example.com"),
        ("#1", EMAIL),
        ("#1", "nobody@example.com"),
        ("#9", "rival@example.com"),
        (gone.number, gone.email),
        ("#7", "sample@example.com"),
        ("", EMAIL),
        (NUMBER, ""),
        ("%", "%"),
        (NUMBER, "%@example.com"),
        ("x" * 5000, EMAIL),
        (NUMBER, "\ud800@x".encode("utf-8", "replace").decode()),
        ("' OR 1=1 --", EMAIL),
        ("10\x7f01", EMAIL),
    ]
    customer = Shopper(shopline, "7")
    answers = [plain(customer.ask(number, email)) for number, email in tries]
    monkeypatch.setitem(lookup_limits.MOST, "order", 0)
    answers.append(plain(customer.ask(NUMBER, EMAIL)))
    assert len({repr(answer) for answer in answers}) == 1
    assert "We could not find this order" in answers[0][2]
    assert not ShopperLink.objects.exists()


@pytest.mark.parametrize("kind", ["order", "email", "customer", "merchant"])
def test_each_limit_holds_and_ends_with_its_window(shopline, order, monkeypatch, kind):
    monkeypatch.setattr(lookup_limits, "MOST", dict.fromkeys(lookup_limits.MOST, 1000) | {kind: 3})
    customer = Shopper(shopline, "7")
    for word in range(4):
        number = NUMBER if kind == "order" else f"#{word}"
        email = EMAIL if kind == "email" else f"{word}@example.com"
        assert not is_found(customer.ask(number, email))
    assert not is_found(customer.ask(NUMBER, EMAIL)) and not ShopperLink.objects.exists()
    if kind != "merchant":
        assert is_found(Shopper(shopline).ask(NUMBER, EMAIL)) == (kind == "customer")
    later = timezone.now() + lookup_limits.WINDOW
    with monkeypatch.context() as clock:
        clock.setattr(lookup_limits.timezone, "now", lambda: later)
        question = lookups.Question(shopline, "7", NUMBER, EMAIL, may_link=False)
        assert lookups.ask(question).orders == [order]


def test_each_spelling_of_a_number_counts_as_the_same(shopline, order, monkeypatch):
    monkeypatch.setitem(lookup_limits.MOST, "order", 6)
    shoppers.order(order.account, "#EC-1a", EMAIL)
    guest = Shopper(shopline)
    for word, number in enumerate(["ec-1A", "#EC-1A", "##ec-1a", "->EC-1a", "# ec-1A", "＃ＥＣ-１ａ"]):
        guest.ask(number, f"{word}@example.com")
    assert "EC-1a</h2>" not in guest.ask("EC-1a", EMAIL).content.decode()
    monkeypatch.setitem(lookup_limits.MOST, "order", 9)
    assert "EC-1a</h2>" in guest.ask("##EC-1a", EMAIL).content.decode()


def test_a_letter_that_is_only_alike_in_capitals_counts_as_the_same(shopline, order, monkeypatch):
    monkeypatch.setitem(lookup_limits.MOST, "order", 2)
    shoppers.order(order.account, "#INV-1", EMAIL)
    guest = Shopper(shopline)
    for word in range(2):
        guest.ask("INV-1", f"{word}@example.com")
    assert "INV-1</h2>" not in guest.ask("\u0131nv-1", EMAIL).content.decode()  # an i without a dot


def test_one_merchants_questions_are_not_counted_at_another(shopline, order, monkeypatch):
    monkeypatch.setitem(lookup_limits.MOST, "email", 2)
    rival = Shopper(shoppers.storefront("m-2"))
    for word in range(4):
        rival.ask(f"#{word}", EMAIL)
    assert is_found(Shopper(shopline).ask(NUMBER, EMAIL))


def test_who_is_told_may_look_as_often_as_they_like(shopline, order, monkeypatch):
    monkeypatch.setattr(lookup_limits, "MOST", dict.fromkeys(lookup_limits.MOST, 2))
    guest = Shopper(shopline)
    assert all(is_found(guest.ask(NUMBER, EMAIL)) for _ in range(5))


def test_number_and_address_stand_in_no_address_log_or_table(shopline, order, caplog):
    caplog.set_level(logging.DEBUG)
    customer = Shopper(shopline, "7")
    secret = "very.private@example.net"  # noqa: S105 - a mail address
    pages = [customer.ask("#77712345", secret), customer.ask("#77712345", EMAIL), customer.get()]
    for page in pages:
        assert "Location" not in page.headers
        for word in ("77712345", secret):
            assert word not in page.content.decode() and word not in str(page.headers)
    assert "77712345" not in caplog.text and secret not in caplog.text and EMAIL not in caplog.text
    assert searching.in_rows(["77712345", secret]) == []
    found = customer.ask(NUMBER, EMAIL)
    assert is_found(found) and EMAIL not in found.content.decode().lower() and EMAIL not in caplog.text


def test_a_form_is_sent_once(shopline, order):
    shopper = Shopper(shopline)
    page = shopper.get()
    address = shopper.address("", shoppers.form_of(page)[0].lstrip("?"))
    assert is_found(shopper.send(address, NUMBER, EMAIL))
    assert shopper.send(address, NUMBER, EMAIL).status_code == 401


def test_what_another_site_sends_in_a_customers_name_links_nobody(shopline, order):
    customer = Shopper(shopline, "7")
    tickets = ["", "x", shoppers.form_of(Shopper(shopline, "8").get())[1], shoppers.form_of(Shopper(shopline).get())[1]]
    tickets.append(shoppers.form_of(Shopper(shoppers.storefront("m-2"), "7").get())[1])
    for number, ticket in enumerate(tickets):
        assert is_found(customer.send(customer.address("", f"form={number}"), NUMBER, EMAIL, ticket=ticket))
    assert not ShopperLink.objects.exists()
    assert is_found(customer.ask(NUMBER, EMAIL)) and ShopperLink.objects.get().customer_id == "7"


def test_many_at_once_are_counted_each(shopline, order):
    def guess(number):
        try:
            return is_found(Shopper(shopline).ask(NUMBER, f"{number}@example.com"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        assert not any(threads.map(guess, range(12)))
    assert sorted(LookupCount.objects.values_list("count", flat=True)) == [*[1] * 12, 12, 12]
    assert not is_found(Shopper(shopline).ask(NUMBER, EMAIL))


def test_a_script_may_ask_as_well(shopline, order):
    said = Shopper(shopline, "7").ask(NUMBER, EMAIL, accept="application/json").json()
    assert [found["number"] for found in said["orders"]] == [NUMBER] and said["is_linked"]
    said = Shopper(shopline).ask(NUMBER, "no@example.com", accept="application/json").json()
    assert said["orders"] == [] and not said["is_linked"]


def test_where_forms_do_not_pass_the_proxy_they_go_to_hemi_once(direct, order):
    page = Shopper(direct, "7", "de").get()
    action, ticket = shoppers.form_of(page)
    assert action == f"https://hemi.test{reverse('shopline-ask')}" and ticket
    assert "form-action 'self' https://hemi.test" in page["Content-Security-Policy"]
    browser = Browser(enforce_csrf_checks=True)
    fields = {"ticket": ticket, "number": NUMBER, "email": EMAIL}
    answer = shoppers.post(browser, reverse("shopline-ask"), fields)
    assert "Bestellung #1001" in html.unescape(answer.content.decode())
    assert not answer.cookies and answer["Cache-Control"] == "private, no-store"
    assert ShopperLink.objects.get().customer_id == "7"
    again = shoppers.post(browser, reverse("shopline-ask"), fields, headers={"accept-language": "zh-TW"})
    assert again.status_code == 410 and "這份表單已經送出過，或已過期" in again.content.decode()
    assert "1001" not in again.content.decode()
    assert browser.get(reverse("shopline-ask")).status_code == 405


def test_a_database_that_is_away_is_told_there_too_and_the_form_can_be_sent_again(direct, order):
    fields = {"ticket": shoppers.form_of(Shopper(direct).get())[1], "number": NUMBER, "email": EMAIL}

    def away(*_):
        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        answer = shoppers.post(Browser(), reverse("shopline-ask"), fields)
    assert answer.status_code == 503 and "Please try again in a minute" in answer.content.decode()
    assert is_found(shoppers.post(Browser(), reverse("shopline-ask"), fields))


def test_the_answer_is_the_same_there(direct, order):
    answers = []
    for number, email in ((NUMBER, "other@example.com"), ("#1", EMAIL)):
        ticket = shoppers.form_of(Shopper(direct).get())[1]
        answers.append(
            plain(
                shoppers.post(Browser(), reverse("shopline-ask"), {"ticket": ticket, "number": number, "email": email})
            )
        )
    assert answers[0] == answers[1] and "We could not find this order" in answers[0][2]


def test_a_ticket_that_is_old_altered_or_foreign_finds_nothing(direct, order, monkeypatch):
    good = lookup_tickets.Ticket(direct.merchant_id, "7", "en", False)
    with monkeypatch.context() as clock:
        past = (timezone.now() - lookup_tickets.LIFE - timedelta(seconds=1)).timestamp()
        clock.setattr(signing.time, "time", lambda: past)
        old = lookup_tickets.issue(good)
    fresh = lookup_tickets.issue(good)
    foreign = signing.dumps([direct.merchant_id, "7", "en", False, "x"], salt="another")
    for ticket in ("", "x", old, fresh[:-1], fresh[1:], f"x{fresh}", foreign, "\ufffd", "a" * 5000):
        answer = shoppers.post(Browser(), reverse("shopline-ask"), {"ticket": ticket, "number": NUMBER, "email": EMAIL})
        assert answer.status_code == 410 and "1001" not in answer.content.decode()
    assert not ShopperLink.objects.exists() and not UsedTicket.objects.exists() and not LookupCount.objects.exists()
    assert (
        shoppers.post(Browser(), reverse("shopline-ask"), {"ticket": fresh, "number": "x" * 20_000}).status_code == 413
    )


@pytest.mark.parametrize("change", [{"proxy_enabled": False}, {"live_subpath": ""}])
def test_a_ticket_of_a_store_that_shoppers_do_not_reach_finds_nothing(direct, order, change):
    ticket = shoppers.form_of(Shopper(direct).get())[1]
    type(direct).objects.update(**change)
    answer = shoppers.post(Browser(), reverse("shopline-ask"), {"ticket": ticket, "number": NUMBER, "email": EMAIL})
    assert answer.status_code == 410 and "1001" not in answer.content.decode()


def test_what_is_over_is_swept(shopline):
    past, coming = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(hours=1)
    for ends_at in (past, coming):
        LookupCount.objects.create(key=str(ends_at), ends_at=ends_at)
        UsedTicket.objects.create(digest=str(ends_at), expires_at=ends_at)
    lookups.expire()
    assert LookupCount.objects.get().ends_at == UsedTicket.objects.get().expires_at == coming
