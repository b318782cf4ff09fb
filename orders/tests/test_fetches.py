"""Orders of a range of days: by the dialog, by the command, and through every interruption."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.models import AccountEvent
from integrations.shopify import order_lists
from orders import fetch_requests, fetches
from orders.models import Order, OrderFetch
from orders.services import Refused
from orders.tests.connected import connect, later
from sandbox.shopify import ShopifySandbox

Status = OrderFetch.Status


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("integrations.shopify.client.PAUSE_SECONDS", 0.01)


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "secret-of-the-app", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings)


def place(store, days, changed_days=None):
    return store.place_order(
        "test",
        announce=False,
        created_at=later(days=-days),
        updated_at=later(days=-(days if changed_days is None else changed_days)),
    )["id"]


def ask(account, since_days, until_days=None):
    now = timezone.now()
    until = None if until_days is None else now - timedelta(days=until_days)
    wanted = fetch_requests.Range(now - timedelta(days=since_days), until)
    return fetch_requests.fetch_range(account=account, wanted=wanted, by=None)


def ids():
    return set(Order.objects.values_list("shopify_id", flat=True))


def test_placed_or_changed_since_and_placed_before(connected, store):
    place(store, 20)
    changed, inside, later_changed = place(store, 20, 5), place(store, 8), place(store, 6, 0)
    place(store, 2)
    wish = ask(connected, 10, 4)
    fetches.fetch()
    assert ids() == {changed, inside, later_changed}
    wish.refresh_from_db()
    assert (wish.status, wish.seen, wish.new, wish.changed) == (Status.DONE, 3, 3, 0)


def test_twice_is_once(connected, store):
    place(store, 3)
    ask(connected, 10)
    fetches.fetch()
    before = list(Order.objects.values())
    again = ask(connected, 10)
    fetches.fetch()
    again.refresh_from_db()
    assert (again.seen, again.new, again.changed, list(Order.objects.values())) == (1, 0, 0, before)


class Cut(Exception):
    """The process dies here."""


def test_a_killed_fetch_goes_on_where_it_was(connected, store, monkeypatch):
    wanted = {place(store, 30 - number) for number in range(30)}
    wish, original = ask(connected, 40), order_lists.changed

    def dies(*args):
        for number, page in enumerate(original(*args)):
            if number == 2:
                raise Cut
            yield page

    monkeypatch.setattr(order_lists, "changed", dies)
    with pytest.raises(Cut):
        fetches.fetch()
    asked = []
    monkeypatch.setattr(order_lists, "changed", lambda *args: asked.append(args[1]) or original(*args))
    assert fetches.fetch() == 0  # somebody may still be at it
    OrderFetch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    fetches.fetch()
    wish.refresh_from_db()
    assert (wish.status, ids()) == (Status.DONE, wanted)
    assert asked[0] > wish.since + timedelta(days=20)


def test_slices_give_others_their_turn(connected, store, monkeypatch):
    monkeypatch.setattr(fetches, "SLICE_SECONDS", 0)
    wanted = {place(store, 30 - number) for number in range(30)}
    ask(connected, 40)
    assert fetches.fetch() == 3
    assert ids() == wanted


def test_a_store_in_trouble_is_asked_again_and_then_given_up(connected, store):
    place(store, 3)
    wish = ask(connected, 10)
    store.add_fault("500", 999)
    for _ in range(fetches.TRIES):
        OrderFetch.objects.update(next_attempt_at=timezone.now())
        fetches.fetch()
    wish.refresh_from_db()
    assert (wish.status, ids()) == (Status.FAILED, set())
    assert "Shopify answered 500" in wish.last_error


def test_sixty_days_are_said_before_anything_is_asked(connected, store):
    with pytest.raises(Refused, match=r"Nothing of this range can be seen.*read_all_orders"):
        ask(connected, 100, 70)
    assert not OrderFetch.objects.exists()
    wish = ask(connected, 100, 10)
    assert "hides older ones" in wish.note


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("access_token", "", "no access token"),
        ("disconnected_at", timezone.now(), "is disconnected"),
        ("problem", "reauthorise", "must authorise again"),
    ],
)
def test_accounts_that_cannot_be_asked_are_refused(connected, column, value, sentence):
    setattr(connected, column, value)
    with pytest.raises(Refused, match=sentence):
        ask(connected, 10)
    assert not OrderFetch.objects.exists()


def test_the_dialog_asks_and_shows_how_far_it_is(connected, store, client):
    boss = User.objects.create_superuser("boss")
    client.force_login(boss)
    wanted, day = place(store, 3), (timezone.now() - timedelta(days=3)).date()
    url = f"/admin/integrations/accountshopify/{connected.pk}/fetch_orders/"
    assert "Choose the first day." in client.post(url, {"_form_submitted": "on"}).content.decode()
    answer = client.post(url, {"_form_submitted": "on", "since": f"{day}", "until": f"{day}"})
    wish = OrderFetch.objects.get()
    assert (answer.url, wish.made_by) == (f"/admin/orders/orderfetch/{wish.pk}/change/", boss)
    assert wish.until - wish.since == timedelta(days=1)
    assert "0 orders read so far" in client.get(answer.url).content.decode()
    fetches.fetch()
    assert ids() == {wanted}
    assert "1 orders read" in client.get(answer.url).content.decode()
    assert AccountEvent.objects.get(kind="orders_asked").actor == boss


def run(*words):
    out = io.StringIO()
    call_command("reconcile_orders", *words, stdout=out)
    return out.getvalue()


def test_the_command_fetches_and_says_what_was_news(connected, store):
    wanted = place(store, 3)
    since = f"{(timezone.now() - timedelta(days=5)).date()}"
    said = run("--account", "test.myshopify.com", "--since", since)
    assert (said, ids()) == ("1 orders read: 1 were new, 0 newer than here.\n", {wanted})


def test_the_command_says_what_is_wrong(connected, store):
    with pytest.raises(CommandError, match="no account of the name nobody"):
        run("--account", "nobody", "--since", "2026-11-01")
    with pytest.raises(CommandError, match="no day or time"):
        run("--account", "test", "--since", "yesterday")
    store.add_fault("401", 99)
    with pytest.raises(CommandError, match="Broken off after 0 orders"):
        run("--account", "test", "--since", "2026-11-01")
    assert not Order.objects.exists()
