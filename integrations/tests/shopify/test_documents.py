"""Every GraphQL document of the wire, found by itself, against Shopify's own schema and its table of scopes."""

import gzip
import importlib
import json
import os
import pkgutil
import re
from pathlib import Path

import pytest
from django.conf import settings
from graphql import (
    NoDeprecatedCustomRule,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
    visit,
)

from integrations import scopes, shopify

DATA = Path(os.environ.get("HEMI_REFERENCE_DATA", settings.BASE_DIR.parent / "shared" / "data"))
SCHEMA = DATA / "shopify-schema" / "admin_2026-10.json.gz"

# Where the table is empty for a field at the root: the scopes that its documentation names, as alternatives.
# https://shopify.dev/docs/api/admin-graphql/2026-10/queries/<field> and …/mutations/<field>
DOCUMENTED = {
    "order": {"read_orders", "read_marketplace_orders"},
    "orders": {"read_orders", "read_marketplace_orders"},
    "location": {"read_locations"},
    "locations": {"read_locations"},
    "collection": {"read_products"},
    "collections": {"read_products"},
    "fulfillmentOrder": {
        "read_assigned_fulfillment_orders",
        "read_merchant_managed_fulfillment_orders",
        "read_third_party_fulfillment_orders",
        "read_marketplace_fulfillment_orders",
    },
    "fulfillment": {"read_orders", "read_marketplace_orders"},
    "webhookSubscriptionCreate": {"read_orders", "read_marketplace_orders"},  # that of the topics: Hemi's are orders
}
# What any token may see or change, for it is about the app itself or open to all.
OPEN = {
    "shop",
    "currentAppInstallation",
    "publicApiVersions",
    "webhookSubscription",
    "webhookSubscriptions",
    "webhookSubscriptionUpdate",
    "webhookSubscriptionDelete",
}
_STARTS = re.compile(r"\s*(?:#[^\n]*\n\s*)*(query|mutation)\s")


def _modules():
    return [
        importlib.import_module(info.name) for info in pkgutil.walk_packages(shopify.__path__, "integrations.shopify.")
    ]


def _documents():
    """Return each document once, by module and name."""
    found = {}
    for module in _modules():
        for name, value in vars(module).items():
            if isinstance(value, str) and _STARTS.match(value):
                found.setdefault(value, f"{module.__name__.rpartition('.')[2]}.{name}")
    return [pytest.param(parse(text), id=name) for text, name in found.items()]


DOCUMENTS = _documents()


@pytest.fixture(scope="module")
def published():
    if not SCHEMA.exists():
        pytest.skip("needs reference data: shopify-schema")
    return json.loads(gzip.decompress(SCHEMA.read_bytes()))


@pytest.fixture(scope="module")
def schema(published):
    return build_client_schema(published["data"])


@pytest.fixture(scope="module")
def table(published):
    """The alternatives of each type, "Order", and of each field, "Order.customer"."""
    rows = published["offline_scopes"]["items"]
    return {
        ".".join(filter(None, [row["typeName"], row.get("fieldName")])): set(row["offlineScopes"])
        for row in rows
        if row["offlineScopes"]
    }


def requirements(document, schema, table):
    """Return (where, alternatives) of every type and field that the document touches."""
    info, found = TypeInfo(schema), {}

    class Walk(Visitor):
        def enter_field(self, node, *_):
            parent, returned = info.get_parent_type(), get_named_type(info.get_type())
            names = [parent.name, f"{parent.name}.{node.name.value}", returned.name if returned else ""]
            found.update({name: table[name] for name in names if name in table})
            if parent in (schema.query_type, schema.mutation_type) and names[1] not in table:
                found[names[1]] = DOCUMENTED.get(node.name.value, set())

        def enter_inline_fragment(self, node, *_):
            name = node.type_condition.name.value
            found.update({name: table[name]} if name in table else {})

    visit(document, TypeInfoVisitor(info, Walk()))
    return found


def test_all_documents_are_found():
    sources = "\n".join(Path(module.__file__).read_text() for module in _modules())
    written = set(re.findall(r"\b(?:query|mutation) (Hemi\w+)", sources))
    parsed = [get_operation_ast(param.values[0]).name.value for param in DOCUMENTS]
    assert set(parsed) == written and len(parsed) == len(written) >= 8


@pytest.mark.parametrize("document", DOCUMENTS)
class TestEachDocument:
    """Valid, named, and within the scopes that a new account asks for."""

    def test_is_valid_and_uses_nothing_deprecated(self, document, schema):
        assert not validate(schema, document, [*specified_rules, NoDeprecatedCustomRule])

    def test_is_named_for_shopifys_logs(self, document):
        assert all(definition.name.value.startswith("Hemi") for definition in document.definitions)

    def test_its_scopes_are_asked_for_and_known_to_be_needed(self, document, schema, table):
        for wanted in (scopes.DEFAULT.split(","), scopes.NEEDED):
            has = scopes.expand(list(wanted))
            lacking = {
                where: alternatives
                for where, alternatives in requirements(document, schema, table).items()
                if not alternatives & has and where.partition(".")[2] not in OPEN
            }
            assert lacking == {}


def test_nothing_is_needed_that_no_document_needs(schema, table):
    wanted = [needs for param in DOCUMENTS for needs in requirements(param.values[0], schema, table).values() if needs]
    for scope in scopes.NEEDED:
        rest = scopes.expand([other for other in scopes.NEEDED if other != scope])
        assert any(not needs & rest for needs in wanted), scope


def test_the_walk_sees_what_is_missing(schema, table):
    document = parse(
        "query HemiNothing { orders(first: 1) { nodes { customer { id } } } giftCards(first: 1) { nodes { id } } }"
    )
    found = requirements(document, schema, table)
    assert {"QueryRoot.orders", "Order", "Customer", "GiftCard"} <= set(found)
    assert found["Customer"] == {"read_customers"}
