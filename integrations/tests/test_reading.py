"""What a person reads from a store: locations and collections."""

import csv
import io

import pytest

from integrations import collection_csv
from integrations.models import AccountShopify, Location
from integrations.services import collections, locations
from integrations.shopify.errors import Kind, ShopifyError

pytestmark = pytest.mark.django_db


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_locations_are_read_and_what_vanished_is_inactive(shopify, store):
    assert locations.refresh(account=store, by=None) == 2
    main = Location.objects.get(name="Main warehouse")
    assert (main.account, main.is_active) == (store, True)
    assert main.address.startswith("Lagerstraße 7, ")
    assert not Location.objects.get(name="Old depot").is_active
    first, *_ = shopify.state.shops["test"].locations
    first["name"], first["id"] = "Moved", first["id"] + 1000
    locations.refresh(account=store, by=None)
    main.refresh_from_db()
    assert not main.is_active
    assert Location.objects.get(name="Moved").is_active
    assert Location.objects.count() == 4


def test_locations_of_other_accounts_are_left_alone(shopify, store):
    other = AccountShopify.objects.create(shop_name="other")
    Location.objects.create(account=other, shopify_id=1, name="Theirs")
    locations.refresh(account=store, by=None)
    assert Location.objects.get(name="Theirs").is_active


def test_refused_locations_change_nothing(shopify, store):
    locations.refresh(account=store, by=None)
    before = list(Location.objects.values())
    shopify.add_fault("access_denied")
    with pytest.raises(ShopifyError) as caught:
        locations.refresh(account=store, by=None)
    assert caught.value.kind == Kind.FORBIDDEN
    assert list(Location.objects.values()) == before


def test_collections_are_complete(shopify, store):
    shopify.add_shop("test", collections=230)
    rows = rows_of(collections.as_csv(store))
    wanted = shopify.state.shops["test"].collections
    assert [int(row["id"]) for row in rows] == [row["id"] for row in wanted]
    assert [row["kind"] == "smart" for row in rows] == [row["is_smart"] for row in wanted]
    assert [int(row["products"]) for row in rows] == [len(row["product_ids"]) for row in wanted]
    assert rows[0]["URL"] == f"https://test.myshopify.com/collections/{wanted[0]['handle']}"
    assert rows[0]["updated"].startswith("2024-03-0")


def test_cells_are_safe_in_a_spreadsheet_and_otherwise_unchanged(shopify, store):
    titles = [row["title"] for row in rows_of(collections.as_csv(store))]
    wanted = [row["title"] for row in shopify.state.shops["test"].collections]
    assert "'=cmd()" in titles
    assert [title for title in titles if title.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert [title.removeprefix("'") for title in titles] == wanted
    assert "夏のコレクション" in titles


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_live_cells_are_quoted(cell):
    assert collection_csv.safe([cell, "Chairs = fine"]) == [f"'{cell}", "Chairs = fine"]


@pytest.mark.parametrize(("kind", "count"), [("access_denied", 1), ("401", 1), ("500", 4)])
def test_collections_that_cannot_be_read_are_an_error(shopify, store, kind, count):
    shopify.add_fault(kind, count=count)
    with pytest.raises(ShopifyError):
        collections.as_csv(store)


def test_list_that_breaks_off_is_an_error_and_no_short_file(shopify, store, monkeypatch):
    shopify.add_shop("test", collections=230)
    calls = []
    original = type(shopify.faults).take

    def take(self, place, shop, body=b""):
        calls.append(place)
        return "401" if len(calls) == 3 else original(self, place, shop, body)

    monkeypatch.setattr(type(shopify.faults), "take", take)  # the sandbox's fault on the third page
    with pytest.raises(ShopifyError):
        collections.as_csv(store)
    assert len(calls) == 3


def test_nothing_is_asked_without_a_token(account):
    for read in (lambda: collections.as_csv(account), lambda: locations.refresh(account=account, by=None)):
        with pytest.raises(ShopifyError, match="no access token"):
            read()
