"""What Hemi reads, prints and signs is what node and every version of its parsers do."""

from random import Random

import pytest

from integrations.shopline import canonical, queries, signatures
from integrations.tests.shopline import nasty, node

pytestmark = node.needed
HOW_MANY = 6000


@pytest.fixture(scope="module")
def compared():
    """Nasty queries, each with what node's parsers make of it."""
    random = Random(20261121)
    made = [nasty.query(random) for _ in range(HOW_MANY)]
    return list(zip(made, node.read(made), strict=True))


def _ours(read, query):
    try:
        values = read(query)
    except queries.QueryRefused:
        return None
    unsigned = {name: value for name, value in values.items() if name != "signature"}
    return [canonical.message(unsigned), signatures.sign(values, "hush"), []]


def test_extended_reading_is_that_of_every_version(compared):
    accepted = 0
    for query, (extended, _) in compared:
        ours = _ours(queries.read_extended, query)
        if ours is not None:
            accepted += 1
            assert extended == [ours], query
    assert accepted > HOW_MANY / 4  # refusing all would be no reading


def test_simple_reading_is_that_of_node(compared):
    accepted = 0
    for query, (_, simple) in compared:
        ours = _ours(queries.read_simple, query)
        if ours is not None:
            accepted += 1
            assert simple == [ours], query
    assert accepted > HOW_MANY / 4


def test_what_parsers_read_differently_is_refused(compared):
    differing = [query for query, (extended, _) in compared if len(extended) > 1]
    assert len(differing) > 100
    assert not [query for query in differing if _ours(queries.read_extended, query)]
