"""Reply files of every kind, read from their bytes alone; what cannot be read is refused with the reason."""

import os
from pathlib import Path

import pytest

from sandbox.supplier_documents import Verdict, reply_document
from suppliers.reply_formats import reading
from suppliers.reply_formats.statements import LineStatement, Statement, Unreadable
from suppliers.tests.test_replies import document

EXAMPLES = Path(os.environ.get("HEMI_REFERENCE_DATA", "../shared/data")) / "ubl-2.1" / "xml"
SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
URN = "urn:oasis:names:specification:ubl:schema:xsd:"


def read(content):
    return reading.read(content, None)[1]


class TestHemi:
    def test_what_a_reply_says(self):
        more = "<SupplierReference> NO  1 </SupplierReference><Reason>Größe &amp; 日本</Reason>"
        [said] = read(document(status="rejected", more=more))
        assert said == Statement("HM1-NORTH-1", "rejected", (), "NO 1", "Größe & 日本")

    @pytest.mark.parametrize("verdict", [Verdict(), Verdict("taken"), Verdict("rejected", "Sold out")])
    def test_the_sandbox_speaks_the_same_format(self, verdict):
        [said] = read(reply_document("HM1-NORTH-1", "NO-1", verdict))
        assert (said.reference, said.status, said.reason) == ("HM1-NORTH-1", verdict.status, verdict.reason)

    @pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
    def test_the_declared_encoding_is_believed(self, encoding):
        text = document(more="<Reason>Größe</Reason>").decode()
        content = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
        assert read(content)[0].reason == "Größe"

    def test_a_shipment_of_some_lines_says_nothing_of_the_others(self):
        shipment = "<Shipment><Number>D-1</Number><Carrier>DHL</Carrier><TrackingNumber>JJ1</TrackingNumber>"
        shipment += "<TrackingNumber>JJ2</TrackingNumber><TrackingUrl>https://t.example/JJ1</TrackingUrl></Shipment>"
        lines = '<Lines><Line number="2"><Status>shipped</Status><Quantity>3</Quantity></Line></Lines>'
        [said] = read(_with(document(status="shipped"), shipment + lines))
        assert said.status == ""
        assert said.lines == (LineStatement("2", "", "shipped", 3),)
        assert (said.despatch, said.carrier, said.numbers) == ("D-1", "DHL", ("JJ1", "JJ2"))
        assert said.urls == ("https://t.example/JJ1",)

    @pytest.mark.parametrize("name", ["lines", "shipped"])
    def test_the_samples_of_the_documentation_are_read(self, name):
        [said] = read((SAMPLES / f"reply-{name}.xml").read_bytes())
        assert said.reference == "HM000042-NORTH-1"
        assert said.kind == {"lines": "rejected"}.get(name, name)

    def test_lines_may_fare_otherwise_than_the_rest(self):
        line = "<Line><Sku>MUG</Sku><Status>rejected</Status><Reason>Sold out</Reason></Line>"
        [said] = read(_with(document(status="accepted"), f"<Lines>{line}</Lines>"))
        assert (said.status, said.lines) == ("accepted", (LineStatement("", "MUG", "rejected", None, "Sold out"),))
        assert said.kind == "rejected"


def _with(content, more):
    return content.replace(b"</Reply>", f"{more}</Reply>".encode())


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="needs the reference data")
class TestStandardsOwnExamples:
    def test_order_response(self):
        [said] = read((EXAMPLES / "UBL-OrderResponse-2.1-Example.xml").read_bytes())
        assert (said.reference, said.status) == ("34", "taken")
        assert said.lines == (LineStatement("1"), LineStatement("2", "", "disputed", None, "Disputed"))

    def test_order_response_simple(self):
        [said] = read((EXAMPLES / "UBL-OrderResponseSimple-2.1-Example.xml").read_bytes())
        assert said == Statement("34", "accepted")

    def test_despatch_advice(self):
        [said] = read((EXAMPLES / "UBL-DespatchAdvice-2.0-Example.xml").read_bytes())
        assert (said.reference, said.supplier_reference, said.despatch) == ("AEG012345", "CON0095678", "565899")
        [line] = said.lines
        assert (line.line, line.sku, line.status, line.quantity) == ("1", "17589683", "shipped", 90)
        assert line.reason == "10 to follow: lack of stock as explained on telephone today"

    @pytest.mark.parametrize("name", ["Order", "OrderChange", "OrderCancellation"])
    def test_documents_of_the_other_direction_are_no_replies(self, name):
        with pytest.raises(Unreadable, match="root element"):
            read((EXAMPLES / f"UBL-{name}-2.1-Example.xml").read_bytes())


def ubl(name, inner):
    spaces = f'xmlns="{URN}{name}-2" xmlns:a="{URN}CommonAggregateComponents-2" xmlns:b="{URN}CommonBasicComponents-2"'
    return f"<{name} {spaces}>{inner}</{name}>".encode()


ABOUT = "<a:OrderReference><b:ID>HM1-NORTH-1</b:ID><b:SalesOrderID>S-7</b:SalesOrderID></a:OrderReference>"


class TestUbl:
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("AP", "accepted"),
            ("RE", "rejected"),
            ("AB", "taken"),
            ("29", "accepted"),
            ("27", "rejected"),
            ("", "taken"),
        ],
    )
    def test_codes_of_the_order(self, code, status):
        [said] = read(ubl("OrderResponse", f"<b:OrderResponseCode>{code}</b:OrderResponseCode>{ABOUT}"))
        assert (said.status, said.supplier_reference) == (status, "S-7")

    @pytest.mark.parametrize(
        ("code", "status", "quantity"),
        [("5", "accepted", 2), ("3", "accepted", 2), ("7", "rejected", None), ("Cancelled", "rejected", None)],
    )
    def test_codes_of_a_line(self, code, status, quantity):
        line = f"<b:ID>9</b:ID><b:LineStatusCode>{code}</b:LineStatusCode><b:Quantity>2.0</b:Quantity>"
        line += "<a:OrderLineReference><b:LineID>1</b:LineID></a:OrderLineReference>"
        [said] = read(ubl("OrderResponse", f"{ABOUT}<a:OrderLine><a:LineItem>{line}</a:LineItem></a:OrderLine>"))
        assert said.lines == (LineStatement("1", "", status, quantity),)

    def test_a_line_may_be_named_beside_its_item(self):
        line = "<a:LineItem><b:ID>9</b:ID><b:LineStatusCode>5</b:LineStatusCode></a:LineItem>"
        line += "<a:OrderLineReference><b:LineID>1</b:LineID></a:OrderLineReference>"
        [said] = read(ubl("OrderResponse", f"{ABOUT}<a:OrderLine>{line}</a:OrderLine>"))
        assert said.lines == (LineStatement("1", "", "accepted"),)

    @pytest.mark.parametrize("kind", ["SellerSubstitutedLineItem", "SellerProposedSubstituteLineItem"])
    def test_another_article_instead_is_for_a_person(self, kind):
        other = f"<a:{kind}><b:ID>1</b:ID><a:Item><b:Name>Red mug</b:Name></a:Item></a:{kind}>"
        line = f"<a:LineItem><b:ID>1</b:ID><b:LineStatusCode>3</b:LineStatusCode></a:LineItem>{other}"
        [said] = read(ubl("OrderResponse", f"{ABOUT}<a:OrderLine>{line}</a:OrderLine>"))
        assert [(row.status, row.reason) for row in said.lines] == [("disputed", "another article instead: Red mug")]

    def test_a_despatch_that_is_cancelled_is_none(self):
        inner = f"<b:ID>D-1</b:ID><b:DocumentStatusCode>Cancelled</b:DocumentStatusCode>{ABOUT}{_despatched('A', 1)}"
        with pytest.raises(Unreadable, match="takes shipment D-1 back"):
            read(ubl("DespatchAdvice", inner))

    def test_a_simple_rejection_has_its_note(self):
        inner = f"<b:AcceptedIndicator>false</b:AcceptedIndicator><b:RejectionNote>Sold out</b:RejectionNote>{ABOUT}"
        [said] = read(ubl("OrderResponseSimple", inner))
        assert (said.status, said.reason) == ("rejected", "Sold out")

    def test_a_despatch_of_two_orders_with_carrier_and_tracking(self):
        carrier = "<a:CarrierParty><a:PartyName><b:Name>DHL</b:Name></a:PartyName></a:CarrierParty>"
        shipment = f"<a:Shipment><a:Consignment><b:ID>1</b:ID>{carrier}</a:Consignment>"
        shipment += "<a:Delivery><b:TrackingID>JJ1</b:TrackingID></a:Delivery></a:Shipment>"
        lines = "".join(_despatched(reference, line) for reference, line in (("A", 1), ("B", 1), ("A", 2)))
        said = read(ubl("DespatchAdvice", f"<b:ID>D-9</b:ID>{shipment}{lines}"))
        assert [(one.reference, len(one.lines)) for one in said] == [("A", 2), ("B", 1)]
        assert {(one.despatch, one.carrier, one.numbers) for one in said} == {("D-9", "DHL", ("JJ1",))}

    @pytest.mark.parametrize(
        ("name", "inner", "why"),
        [
            ("OrderResponse", "<b:ID>1</b:ID>", "does not name its order"),
            ("OrderResponse", "<a:OrderReference><b:ID> </b:ID></a:OrderReference>", "does not name its order"),
            ("OrderResponseSimple", f"<b:AcceptedIndicator>maybe</b:AcceptedIndicator>{ABOUT}", "neither true nor"),
            ("DespatchAdvice", f"{ABOUT}", "no ID"),
            ("DespatchAdvice", f"<b:ID>1</b:ID>{ABOUT}", "no DespatchLine"),
            ("DespatchAdvice", f"<b:ID>1</b:ID>{ABOUT}<a:DespatchLine/>", "no DeliveredQuantity"),
        ],
    )
    def test_what_is_missing_is_said(self, name, inner, why):
        with pytest.raises(Unreadable, match=why):
            read(ubl(name, inner))

    def test_half_a_piece_is_none(self):
        with pytest.raises(Unreadable, match="whole pieces"):
            read(ubl("DespatchAdvice", f"<b:ID>1</b:ID>{_despatched('A', 1, '1.5')}"))


def _despatched(reference, line, quantity="2"):
    about = f"<a:OrderReference><b:ID>{reference}</b:ID></a:OrderReference>"
    inner = f"<a:OrderLineReference><b:LineID>{line}</b:LineID>{about}</a:OrderLineReference>"
    return f"<a:DespatchLine><b:DeliveredQuantity>{quantity}</b:DeliveredQuantity>{inner}</a:DespatchLine>"


def test_what_is_too_large_is_refused():
    with pytest.raises(Unreadable, match="larger than"):
        read(b"<Reply>" + b" " * reading.LIMIT_BYTES)
