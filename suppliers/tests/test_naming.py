"""What files are called: always with the reference, always safe, never too long."""

import pytest

from suppliers import naming
from suppliers.models import Delivery
from suppliers.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def part():
    return factories.part(factories.supplier(), order=factories.order(number="#1001/ä"), reference="HM000007-NORTH-2")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("ORDER_{reference}", "ORDER_HM000007-NORTH-2.csv"),
        ("{order}-{reference}.{supplier}", "1001-HM000007-NORTH-2.{code}.csv"),
        ("{date}_{reference}", "{date}_HM000007-NORTH-2.csv"),
    ],
)
def test_a_template_is_filled_with_safe_characters_only(part, template, name):
    endpoint = factories.endpoint(name_template=template)
    filled = name.format(code=part.supplier.code, date=f"{part.created_at:%Y%m%d}")
    assert naming.final_name(endpoint, part, "csv") == filled


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"name_template": "ORDER"}, "must contain {reference}"),
        ({"name_template": "{reference}{order}"}, "go on with a dot"),
        ({"name_template": "../{reference}"}, "contains “/”"),
        ({"name_template": "Bestellung ü {reference}"}, "contains “ ”"),
        ({"name_template": ".{reference}"}, "begin with a dot"),
        ({"name_template": "{reference"}, "brace"),
        ({"name_template": "{reference.supplier.endpoint.password}"}, "but not"),
        ({"name_template": "{reference!r}"}, "but not"),
        ({"name_template": "{password}-{reference}"}, "but not {password}"),
        ({"name_template": "x" * 101 + "{reference}_{order}", "temporary_mark": "p" * 100}, "too long"),
        ({"temporary_mark": "/../"}, "mark of a temporary name"),
        ({"temporary_mark": ""}, "mark of a temporary name"),
        ({"temporary_style": "folder", "temporary_mark": "in/../out"}, "temporary folder is a path"),
        ({"temporary_style": "folder", "temporary_mark": "/in/"}, "another one"),
        ({"done_suffix": "/x"}, "done-file"),
    ],
)
def test_what_makes_no_safe_name_is_refused_with_words(part, values, word):
    endpoint = factories.endpoint(**values)
    with pytest.raises(naming.InvalidName, match=word):
        naming.check(endpoint)
    with pytest.raises(naming.InvalidName, match=word):
        naming.final_name(endpoint, part, "xml")


@pytest.mark.parametrize(
    ("style", "mark", "path"),
    [
        ("suffix", ".part", "in/ORDER_1.xml.0123456789ab.part"),
        ("prefix", ".hemi-", "in/.hemi-0123456789ab.ORDER_1.xml"),
        ("folder", "in/tmp/", "in/tmp/ORDER_1.xml.0123456789ab"),
    ],
)
def test_a_temporary_name_always_bears_its_claim(style, mark, path):
    endpoint = factories.endpoint(temporary_style=style, temporary_mark=mark)
    name = naming.temporary_name(endpoint, "ORDER_1.xml", "0123456789abcdef")
    assert naming.temporary_path(Delivery(folder="in", temporary_name=name)) == path
