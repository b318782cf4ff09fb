"""Every document that Hemi sends against Shopify's own schema."""

import gzip
import json
import os
from pathlib import Path

import pytest
from django.conf import settings
from graphql import NoDeprecatedCustomRule, build_client_schema, parse, specified_rules, validate

from integrations.shopify import collection_queries, order_queries, queries

DATA = Path(os.environ.get("HEMI_REFERENCE_DATA", settings.BASE_DIR.parent / "shared" / "data"))
SCHEMA = DATA / "shopify-schema" / "admin_2026-10.json.gz"
DOCUMENTS = {
    name: text
    for module in (collection_queries, queries, order_queries)
    for name, text in vars(module).items()
    if name.isupper() and not name.startswith("_")
}


@pytest.fixture(scope="module")
def schema():
    if not SCHEMA.exists():
        pytest.skip("needs reference data: shopify-schema")
    return build_client_schema(json.loads(gzip.decompress(SCHEMA.read_bytes()))["data"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_is_valid_and_uses_nothing_deprecated(schema, name):
    assert not validate(schema, parse(DOCUMENTS[name]), [*specified_rules, NoDeprecatedCustomRule])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_is_named_for_shopifys_logs(name):
    assert all(definition.name.value.startswith("Hemi") for definition in parse(DOCUMENTS[name]).definitions)
