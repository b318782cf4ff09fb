"""Rules before a document is made: what they replace, cut, stop, and where that is told."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from orders.models import OrderEvent
from orders.tests import bodies
from suppliers import presend, rendering
from suppliers.documents import formats, spelling
from suppliers.models import Delivery, PreSendRule, SupplierOrder
from suppliers.services import parts
from suppliers.tests.changes import LATER
from suppliers.tests.test_samples import CONTENT


def rule(field, demand, value="", remedy="replace"):
    return PreSendRule(field=field, demand=demand, value=value, remedy=remedy)


def check(*rules, content=CONTENT, table=""):
    return presend.check(content, rules, table)


@pytest.mark.parametrize(
    ("value", "text", "written"),
    [
        ("a-z A-Z", "Łódź", "Lodz"),
        ("ascii", "Größe “ø” €5…", 'Grosse "o" EUR5...'),
        ("latin-1", "Łódź é", "Lódz é"),
        ("A-Z", "Ł1", "L"),
        ("a-z", "o\u0308", "o"),
        ("ascii", "東京 ok", " ok"),
        ("a-z", "a\nb", "a b"),
    ],
)
def test_characters_are_replaced_by_letters_that_are_allowed(value, text, written):
    content, findings = check(rule("note", "characters", value), content=replace(CONTENT, note=text))
    assert content.note == written
    assert [finding.remedy for finding in findings] == ["replace"]


def test_the_suppliers_own_table_comes_first():
    content, _ = check(rule("note", "characters", "a-z"), content=replace(CONTENT, note="ü ø"), table="ü ue\nø oe")
    assert content.note == "ue oe"
    assert check(rule("note", "characters", "a-z"), content=replace(CONTENT, note="ü"))[0].note == "u"


def test_a_table_with_a_fault_names_its_line():
    assert spelling.table("ł l\n\nß ss\n#") == {"ł": "l", "ß": "ss", "#": ""}
    with pytest.raises(ValueError, match="Line 2"):
        spelling.table("ł l\nstrasse str")


def test_a_long_text_is_cut_and_said():
    content, (finding,) = check(rule("ship_to.name", "length", "3"))
    assert content.ship_to["name"] == "Ola"
    assert finding.text == "Delivery name has 7 characters, and 3 are allowed. The rest was cut off."


def test_a_warning_changes_nothing():
    content, (finding,) = check(rule("ship_to.name", "length", "3", "warn"))
    assert (content, finding.remedy) == (CONTENT, "warn")


def test_each_line_is_looked_at_and_named():
    two = replace(CONTENT, lines=(CONTENT.lines[0], replace(CONTENT.lines[0], number=2, sku="")))
    _, (finding,) = check(rule("line.sku", "required", remedy="stop"), content=two)
    assert finding.text == "Line: SKU (line 2) is blank. It must be given."


@pytest.mark.parametrize(("code", "count"), [("PL", 0), ("XK", 1), ("SH", 0)])
def test_codes_are_asked_of_the_standard_where_the_rule_names_none(code, count):
    content = replace(CONTENT, ship_to={**CONTENT.ship_to, "country_code": code})
    assert len(check(rule("ship_to.country_code", "one_of", remedy="stop"), content=content)[1]) == count


@pytest.mark.parametrize(("value", "count"), [("EUR, PLN", 0), ("USD", 1)])
def test_codes_are_asked_of_the_rules_own_list(value, count):
    assert len(check(rule("currency", "one_of", value, "stop"))[1]) == count


def test_letters_with_accents_apart_are_made_whole_and_are_no_finding():
    content, findings = check(
        rule("note", "characters", "latin-1", "stop"), content=replace(CONTENT, note="Cafe\u0301")
    )
    assert (content.note, findings) == ("Caf\u00e9", [])


def test_rules_for_properties_see_their_names_and_that_there_are_none():
    none = replace(CONTENT, lines=(replace(CONTENT.lines[0], properties=()),))
    assert len(check(rule("line.properties", "required", remedy="stop"), content=none)[1]) == 1
    some = replace(CONTENT, lines=(replace(CONTENT.lines[0], properties=(("Größe", "ü"), ("東", "x"))),))
    content, findings = check(rule("line.property_names", "characters", "ascii"), content=some)
    assert content.lines[0].properties == (("Grosse", "ü"), ("property", "x"))
    assert [finding.remedy for finding in findings] == ["replace"] * 2


def test_a_title_of_which_a_rule_leaves_nothing_stops_no_order():
    foreign = replace(CONTENT, lines=(replace(CONTENT.lines[0], title="東京 東京"),))
    content, (finding,) = check(rule("line.title", "characters", "ascii"), content=foreign)
    assert content.lines[0].title.strip() == "" and "left out" in finding.text
    for format in ("hemi-1.0", "ubl-2.1", "csv"):
        formats.render(content, formats.FileSettings(format=format))
    assert b"<Title>(no title)</Title>" in formats.render(content, formats.FileSettings()).document


def test_rules_follow_one_another():
    long = replace(CONTENT, note="ßß")
    content, findings = check(rule("note", "characters", "a-z"), rule("note", "length", "3"), content=long)
    assert content.note == "sss" and len(findings) == 2


@pytest.mark.parametrize(
    ("made", "name", "remedy", "told"),
    [
        (rule("ship_to.name", "length", "3", "stop"), "Ola", "replace", "The rest was cut off."),
        (rule("ship_to.name", "characters", "ascii", "stop"), "Ola Luk", "replace", "Written: Ł as L."),
        (
            rule("note", "required", "", "stop"),
            "Ola Łuk",
            "warn",
            "must be given. A cancellation goes out all the same.",
        ),
        (rule("currency", "one_of", "PLN", "stop"), "Ola Łuk", "warn", "A cancellation goes out all the same."),
        (rule("order_number", "length", "2", "stop"), "Ola Łuk", "warn", "A cancellation goes out all the same."),
    ],
)
def test_nothing_stops_a_cancellation(made, name, remedy, told):
    blank = replace(CONTENT, note="")
    assert presend.stops(check(made, content=blank)[1])
    content, (finding,) = check(made, content=replace(blank, kind="cancellation"))
    assert (content.ship_to["name"], finding.remedy) == (name, remedy) and told in finding.text
    assert (content.order_number, content.currency) == (CONTENT.order_number, CONTENT.currency)


@pytest.mark.django_db
class TestOnTheOrder:
    """What rules find, where staff see it."""

    def test_a_stop_blocks_the_part_until_somebody_mends_it(self, take, north, client):
        PreSendRule.objects.create(supplier=north, field="ship_to.zip", demand="required", remedy="stop")
        part = take(shipping_address=bodies.address(zip="")).supplier_orders.get()
        assert part.status == SupplierOrder.Status.BLOCKED
        told = "Delivery postal code is blank. It must be given."
        assert told in part.attention and "Mend the order in the store, or the rule at Northwind" in part.attention
        assert [finding["text"] for finding in part.findings] == [told]
        assert not Delivery.objects.exists()
        client.force_login(User.objects.create_superuser("boss"))
        for page in (f"suppliers/supplierorder/{part.pk}/change/", f"orders/order/{part.order_id}/change/"):
            assert told in client.get(f"/admin/{page}").content.decode()
        assert told in client.get(f"/admin/suppliers/supplierorder/{part.pk}/preview/").content.decode()
        PreSendRule.objects.all().delete()
        parts.make_document_again(supplier_order=part, by=None)
        rendering.render()
        part.refresh_from_db()
        assert (part.status, part.attention, part.findings) == (SupplierOrder.Status.READY, "", [])

    def test_what_was_replaced_is_a_remark_of_the_document(self, take, north):
        PreSendRule.objects.create(
            supplier=north, field="ship_to.city", demand="characters", value="ascii", remedy="replace"
        )
        part = take().supplier_orders.get()
        assert "<City>Lodz</City>" in bytes(part.delivery.document).decode()
        assert "Ł as L" in part.delivery.remarks
        assert "Ł as L" in OrderEvent.objects.get(kind="document_made").text

    def test_a_cancellation_goes_out_with_a_remark(self, take, north, sends, body):
        north.amendments = "change"
        north.save()
        take(body)
        sends()
        for field, demand, value in (("ship_to.city", "characters", "ascii"), ("note", "required", "")):
            PreSendRule.objects.create(supplier=north, field=field, demand=demand, value=value, remedy="stop")
        take({**body, "updated_at": LATER, "cancelled_at": LATER})
        sends()
        part = SupplierOrder.objects.get(kind="cancellation")
        assert (part.status, part.replaces.status) == ("sent", "cancelled")
        assert "Ł as L" in part.delivery.remarks and "goes out all the same" in part.delivery.remarks
        assert [finding["remedy"] for finding in part.findings] == ["replace", "warn"]

    def test_a_document_with_rules_does_not_look_changed(self, take, north):
        PreSendRule.objects.create(
            supplier=north, field="ship_to.city", demand="characters", value="ascii", remedy="replace"
        )
        part = take().supplier_orders.get()
        assert not rendering.has_changed(part)
        part.order.note = "Something else"
        assert rendering.has_changed(part)


@pytest.mark.django_db
class TestForm:
    """Rules and codes are checked while somebody can mend them."""

    def _post(self, client, north, rules=(), **changes):
        files = {"encoding": "utf-8", "format": "hemi-1.0", "csv_delimiter": ";", "unit_code": "C62"}
        data = {"name": north.name, "endpoint": north.endpoint_id, "amendments": "person", **files, **changes}
        data.update({"pre_send_rules-TOTAL_FORMS": len(rules), "pre_send_rules-INITIAL_FORMS": 0})
        for number, values in enumerate(rules):
            data.update({f"pre_send_rules-{number}-{key}": value for key, value in values.items()})
        return client.post(f"/admin/suppliers/supplier/{north.pk}/change/", data)

    @pytest.fixture
    def boss(self, client):
        client.force_login(User.objects.create_superuser("boss"))
        return client

    def test_a_rule_is_stored(self, boss, north):
        values = {"field": "ship_to.zip", "demand": "length", "value": "10", "remedy": "replace"}
        assert self._post(boss, north, [values]).status_code == 302
        assert north.pre_send_rules.get().value == "10"

    @pytest.mark.parametrize(
        ("values", "told"),
        [
            ({"demand": "length", "value": "many", "remedy": "stop"}, "Give a number"),
            ({"demand": "characters", "value": "", "remedy": "stop"}, "Give the characters"),
            ({"demand": "one_of", "value": "", "remedy": "stop"}, "Give the values"),
            ({"demand": "required", "value": "", "remedy": "replace"}, "There is nothing that it could be replaced by"),
        ],
    )
    def test_a_rule_that_cannot_be_carried_out_is_refused(self, boss, north, values, told):
        assert told in self._post(boss, north, [{"field": "note", **values}]).content.decode()
        assert not PreSendRule.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"unit_code": "XXX"}, "not a unit of UN/ECE Recommendation 20"),
            ({"replacements": "strasse str"}, "Line 1 is not one character"),
        ],
    )
    def test_a_code_or_table_with_a_fault_is_refused(self, boss, north, changes, told):
        assert told in self._post(boss, north, **changes).content.decode()
        north.refresh_from_db()
        assert (north.unit_code, north.replacements) == ("C62", "")
