import gzip
import json
import os
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_client_schema, validate_schema

from sandbox.shopify.execution import admin_schema

REPOSITORY = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("HEMI_REFERENCE_DATA", REPOSITORY.parent / "shared" / "data"))
PACKED = REFERENCE / "shopify-schema" / "admin_2026-10.json.gz"


@pytest.fixture(scope="module")
def real() -> GraphQLSchema:
    if not PACKED.exists():
        pytest.skip("needs the reference data: HEMI_REFERENCE_DATA")
    with gzip.open(PACKED) as packed:
        return build_client_schema(json.load(packed)["data"])


def _own_types() -> list[str]:
    return [name for name in admin_schema().type_map if not name.startswith("__")]


def test_part_of_the_schema_is_valid():
    assert validate_schema(admin_schema()) == []


def test_every_field_is_in_the_real_schema_with_the_same_type(real):
    compared = 0
    for name in _own_types():
        for field_name, field in getattr(admin_schema().type_map[name], "fields", {}).items():
            there = real.type_map[name].fields[field_name]
            assert str(field.type) == str(there.type), f"{name}.{field_name}"
            assert not there.deprecation_reason, f"{name}.{field_name} is deprecated"
            compared += 1
    assert compared > 300


def test_every_argument_and_enum_value_is_in_the_real_schema(real):
    for name in _own_types():
        own, there = admin_schema().type_map[name], real.type_map[name]
        assert set(getattr(own, "values", {})) <= set(getattr(there, "values", {})), name
        for field_name, field in getattr(own, "fields", {}).items():
            for argument_name, argument in getattr(field, "args", {}).items():
                real_argument = there.fields[field_name].args[argument_name]
                assert str(argument.type) == str(real_argument.type), f"{name}.{field_name}({argument_name})"
                assert argument.default_value == real_argument.default_value, f"{name}.{field_name}({argument_name})"
