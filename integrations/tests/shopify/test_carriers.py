"""Carriers are matched loosely and told in Shopify's own spelling."""

import gzip
import json
import re

import pytest

from integrations.shopify import carriers
from integrations.tests.shopify.test_documents import SCHEMA


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("dhl express", "DHL Express"),
        ("DHL-EXPRESS", "DHL Express"),
        (" Dhl  Paket ", "DHL"),
        ("österreichische post", "Österreichische Post"),
        ("osterreichische post", "Österreichische Post"),
        ("colis prive", "Colis Privé"),
        ("BRT (Italy)", "BRT"),
        ("post nl", "PostNL"),
        ("Deutsche Post (DE)", "Deutsche Post (DE)"),
        ("United Parcel Service", "UPS"),
        ("r + l carriers", "R+L Carriers"),
        ("日本通運", "日本通運"),
        ("Kurier  Nord", "Kurier Nord"),
        ("DHL Expresso", "DHL Expresso"),
        ("", ""),
    ],
)
def test_a_carrier_is_told_as_shopify_spells_it_or_as_it_was_typed(typed, told):
    assert carriers.spelling(typed) == told
    assert carriers.is_known(typed) == (told in carriers.NAMES)


def test_no_two_carriers_are_taken_for_one():
    assert {carriers.spelling(name) for name in carriers.NAMES} == set(carriers.NAMES)


def test_the_table_is_the_one_that_shopify_publishes():
    if not SCHEMA.exists():
        pytest.skip("needs reference data: shopify-schema")
    types = json.loads(gzip.decompress(SCHEMA.read_bytes()))["data"]["__schema"]["types"]
    fields = next(kind["fields"] for kind in types if kind["name"] == "FulfillmentTrackingInfo")
    said = next(field["description"] for field in fields if field["name"] == "company")
    everywhere, countries = said.split("### Supported")[1].split("specific countries:")
    names = set(re.findall(r"\* (.+)", everywhere))
    for row in re.findall(r"\*\*: (.+(?:\n\S.+)*)", countries):
        names |= {name.strip().rstrip(".") for name in row.replace("\n", " ").split(",")}
    assert names == set(carriers.NAMES)
