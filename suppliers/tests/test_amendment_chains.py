"""Changes after sending that meet something else: another change, a person, a reply, a resend, a run at work."""

import csv

import pytest

from suppliers.models import Mapping, Supplier
from suppliers.tests.changes import LATER, agree, changed, document, part_of

Change = Supplier.Amendments.CHANGE
AS_AN_ORDER = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
 xmlns:h="urn:hemi:order:1.0" exclude-result-prefixes="h"><xsl:template match="/h:Order">
 <Job id="{h:Reference}"><xsl:for-each select="h:Lines/h:Line"><Item n="{h:Quantity}"/></xsl:for-each></Job>
 </xsl:template></xsl:stylesheet>"""
BY_KIND = AS_AN_ORDER.replace('<Job id="{h:Reference}">', '<Job id="{h:Reference}" for="{h:Replaces}" as="{@kind}">')


def own_format(supplier, xslt):
    supplier.format = Supplier.Format.OWN
    supplier.save(update_fields=["format"])
    return Mapping.objects.create(supplier=supplier, version=1, xslt=xslt, is_live=True)


@pytest.mark.parametrize("cancelled", [True, False])
def test_an_own_mapping_that_writes_it_like_a_new_order_sends_nothing(take, sends, north, body, cancelled):
    agree(north, Change)
    own_format(north, AS_AN_ORDER)
    order = take(body)
    assert len(sends()) == 1
    body["line_items"][0].update(current_quantity=1, fulfillable_quantity=1)
    take(changed(body, cancelled_at=LATER if cancelled else None))
    assert len(sends()) == 1
    later = part_of(order, 2)
    assert later.status == "blocked"
    assert "@kind" in later.attention
    assert part_of(order, 1).status == "sent"


def test_an_own_mapping_that_heeds_the_kind_goes_out(take, sends, server, north, body):
    agree(north, Change)
    own_format(north, BY_KIND)
    order = take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 2
    text = document(server, f"ORDER_{part_of(order, 2).reference}.xml")
    assert b'as="cancellation"' in text and part_of(order, 1).reference.encode() in text


@pytest.mark.parametrize("form", ["hemi-1.0", "csv"])
def test_a_cancellation_asks_for_no_piece(take, sends, server, north, body, form):
    agree(north, Change)
    Supplier.objects.filter(pk=north.pk).update(format=form)
    order = take(body)
    sends()
    take(changed(body, cancelled_at=LATER))
    assert len(sends()) == 2
    second = part_of(order, 2)
    text = document(server, second.delivery.final_name).decode()
    if form == "csv":
        rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
        said = {(row["kind"], row["change"], row["quantity"]) for row in rows}
        assert said == {("cancellation", "cancelled", "0")}
    else:
        assert 'kind="cancellation"' in text
        assert text.count('change="cancelled"') == text.count("<Quantity>0<") == 2
