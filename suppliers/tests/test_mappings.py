"""Versions of a supplier's own format: added, looked at, compared, made live, gone back from."""

from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

import suppliers.redaction
from integrations.shopify import payloads
from integrations.subjects import Subject
from orders import intake, redaction
from orders.services import Refused
from orders.tests import bodies
from suppliers import comparisons, rendering, routing
from suppliers.documents import confined
from suppliers.models import Delivery, Mapping, PreSendRule, Supplier, SupplierOrder
from suppliers.services import mappings
from suppliers.tests import test_stylesheets

XSLT = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hemi:order:1.0"
 exclude-result-prefixes="h"><xsl:template match="/h:Order"><Purchase no="{h:Reference}">
<Town><xsl:value-of select="h:ShipTo/h:City"/></Town></Purchase></xsl:template></xsl:stylesheet>"""
NEWER = XSLT.replace("Town>", "City>")
BROKEN = XSLT.replace("<Town>", '<xsl:message terminate="yes">No town</xsl:message><Town>')
SLOW = test_stylesheets._CALL

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(north):
    """The supplier with a format of its own, version 1 live."""
    north.format = "own"
    north.save()
    return Mapping.objects.create(supplier=north, version=1, xslt=XSLT, file_ending="po", is_live=True)


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def _version(supplier, number, xslt):
    return Mapping.objects.create(supplier=supplier, version=number, xslt=xslt)


def _press(client, mapping, name):
    response = client.post(f"/admin/suppliers/mapping/{mapping.pk}/{name}/", {"_form_submitted": "on"})
    return [str(message) for message in get_messages(response.wsgi_request)][-1:]


def _live(supplier):
    return list(Mapping.objects.filter(supplier=supplier, is_live=True).values_list("version", flat=True))


def test_files_are_made_with_the_live_version(take, own):
    delivery = take().supplier_orders.get().delivery
    assert delivery.final_name.endswith(".po")
    assert "<Town>Łódź</Town>" in bytes(delivery.document).decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["mapping", "rule", "format"])
def test_what_is_changed_while_a_document_is_made_counts_for_it(account, north, own, change):
    Mapping.objects.update(xslt=test_stylesheets.sheet("<Slow/>" + SLOW.format(17), test_stylesheets._TWICE.format("")))
    order = intake.store(account, payloads.parse_order(bodies.encode(bodies.order())))
    routing.route()
    run = Thread(target=_render)
    run.start()
    while not confined._lock.locked():
        assert run.is_alive()
    if change == "mapping":
        Mapping.objects.update(is_live=False)
        Mapping.objects.create(supplier=north, version=2, xslt=NEWER, is_live=True)
    elif change == "rule":
        PreSendRule.objects.create(supplier=north, field="customer.phone", demand="required")
    else:
        Supplier.objects.update(format="hemi-1.0")
    run.join()
    part = order.supplier_orders.get()
    if change == "rule":
        assert part.status == "blocked" and "phone" in part.attention
    else:
        assert (b"<City>" in part.delivery.document) and b"<Slow" not in part.delivery.document


def _render():
    try:
        rendering.render()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_versions_that_are_stored_at_once_get_a_number_each(north):
    at_once, refused = Barrier(4), []

    def store():
        try:
            at_once.wait()
            mappings.add(mapping=Mapping(supplier=north, xslt=XSLT), by=None)
        except Refused as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [Thread(target=store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert sorted(Mapping.objects.values_list("version", flat=True)) == [1, 2, 3, 4]


def test_what_a_broken_mapping_blocked_is_made_again_at_one_stroke(take, own, boss):
    Mapping.objects.update(xslt=BROKEN)
    blocked = [take().supplier_orders.get() for _ in range(3)]
    Mapping.objects.update(xslt=XSLT)
    done = take().supplier_orders.get()
    chosen = {"action": "make_documents_again", "_selected_action": [part.pk for part in (*blocked, done)]}
    answer = boss.post("/admin/suppliers/supplierorder/", chosen)
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    assert told == ["3 to be made again.", f"{done}: The document was made; there is nothing to try again."]
    rendering.render()
    assert set(SupplierOrder.objects.values_list("status", "attention")) == {("ready", "")}


def test_a_file_is_not_called_like_one_that_is_not_whole_yet(take, own):
    Mapping.objects.update(file_ending="part")
    part = take().supplier_orders.get()
    assert part.status == "blocked" and "not whole yet" in part.attention


def test_without_a_live_version_the_part_waits_and_says_why(take, own):
    Mapping.objects.update(is_live=False)
    part = take().supplier_orders.get()
    assert part.status == SupplierOrder.Status.BLOCKED and "no live mapping" in part.attention


def test_a_hostile_mapping_blocks_its_own_supplier_and_nobody_else(take, own, sued):
    Mapping.objects.update(xslt=XSLT.replace("h:ShipTo/h:City", "document('/etc/passwd')"))
    order = take()
    blocked = order.supplier_orders.get(supplier=own.supplier)
    assert blocked.status == SupplierOrder.Status.BLOCKED and "document()" in blocked.attention
    assert order.supplier_orders.get(supplier=sued).status == SupplierOrder.Status.READY


def test_a_version_is_added_by_text_or_file_under_the_next_number(boss, own):
    url = "/admin/suppliers/mapping/add/"
    data = {"supplier": own.supplier_id, "file_ending": "XML", "note": "newer", "xslt": NEWER}
    assert boss.post(url, data).status_code == 302
    file = SimpleUploadedFile("order.xsl", NEWER.encode())
    assert boss.post(url, {**data, "xslt": "", "file": file}).status_code == 302
    rows = Mapping.objects.filter(version__gt=1).order_by("version")
    assert [(row.version, row.xslt, row.file_ending, row.is_live) for row in rows] == [
        (2, NEWER, "xml", False),
        (3, NEWER, "xml", False),
    ]
    assert rows[0].made_by.username == "boss"


@pytest.mark.parametrize(
    ("xslt", "told"),
    [
        ("<x", "not well-formed"),
        ("", "Paste the XSLT"),
        (XSLT.replace("h:Reference", "h:Reference["), "cannot be used"),
    ],
)
def test_a_version_that_cannot_be_used_is_not_stored(boss, own, xslt, told):
    data = {"supplier": own.supplier_id, "file_ending": "xml", "xslt": xslt}
    assert told in boss.post("/admin/suppliers/mapping/add/", data).content.decode()
    assert Mapping.objects.count() == 1


def test_a_version_never_changes_and_is_never_deleted(boss, own):
    url = f"/admin/suppliers/mapping/{own.pk}"
    assert boss.post(f"{url}/change/", {"xslt": NEWER}).status_code == 403
    assert boss.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
    assert Mapping.objects.get().xslt == XSLT


def test_what_the_rules_and_the_schema_want_of_an_order_keeps_no_version_back(boss, own, take):
    """The example has no telephone number and letters of many lands."""
    PreSendRule.objects.create(supplier=own.supplier, field="ship_to.phone", demand="required", remedy="stop")
    PreSendRule.objects.create(
        supplier=own.supplier, field="line.title", demand="characters", value="ascii", remedy="stop"
    )
    assert _press(boss, _version(own.supplier, 2, NEWER), "make_live") == ["Version 2 is live."]
    wanted = '<xsl:if test="not(//h:Phone)"><xsl:message terminate="yes">No telephone</xsl:message></xsl:if><Town>'
    stricter = _version(own.supplier, 3, XSLT.replace("<Town>", wanted))
    assert "No telephone" in _press(boss, stricter, "make_live")[0]
    take(shipping_address=bodies.address(phone="+48 22 555 01 23"))
    assert _press(boss, stricter, "make_live") == ["Version 3 is live."]


def test_make_live_and_back_keep_one_live_and_say_who(boss, own):
    newer = _version(own.supplier, 2, NEWER)
    assert _press(boss, newer, "make_live") == ["Version 2 is live."]
    assert _live(own.supplier) == [2]
    assert _press(boss, newer, "make_live") == ["This version is live already."]
    assert _press(boss, newer, "go_back") == ["The version before this one is live again."]
    assert _live(own.supplier) == [1]
    history = boss.get(f"/admin/suppliers/mapping/{newer.pk}/history/").content.decode()
    assert "Version 2 is live." in history and "boss" in history


def test_a_version_that_fails_does_not_go_live(own):
    broken = _version(own.supplier, 2, BROKEN)
    with pytest.raises(Refused, match="No town"):
        mappings.make_live(mapping=broken, by=None)
    assert _live(own.supplier) == [1]


def test_who_may_only_look_changes_nothing(client, own):
    viewer = User.objects.create_user("viewer", is_staff=True)
    names = ("view_mapping", "preview_supplierorder")
    viewer.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(viewer)
    newer = _version(own.supplier, 2, NEWER)
    assert client.get(f"/admin/suppliers/mapping/{newer.pk}/compare/").status_code == 200
    assert client.post(f"/admin/suppliers/mapping/{newer.pk}/make_live/", {"_form_submitted": "on"}).status_code == 403
    assert client.post("/admin/suppliers/mapping/add/", {"supplier": own.supplier_id}).status_code == 403
    assert _live(own.supplier) == [1]


def test_preview_shows_any_order_as_a_version_that_is_not_live_makes_it(boss, take, own):
    part = take().supplier_orders.get()
    newer = _version(own.supplier, 2, NEWER)
    url = f"/admin/suppliers/mapping/{newer.pk}/preview/"
    page = boss.get(url, {"order": part.reference}).content.decode()
    assert "&lt;City&gt;Łódź&lt;/City&gt;" in page and "which is not live" in page
    assert "City&gt;Łódź" in boss.get(url).content.decode(), "blank: an example order"
    assert "no order with this number" in boss.get(url, {"order": "nobody's"}).content.decode()


def test_preview_shows_an_order_that_the_supplier_never_got(boss, take, own):
    order = take(line_items=[bodies.line(9, 1, "Somebody", "X-1", 3)])
    assert not order.supplier_orders.exists()
    page = boss.get(f"/admin/suppliers/supplier/{own.supplier_id}/preview/", {"order": order.number}).content.decode()
    assert "Town&gt;Łódź" in page and "as if all of it went to" in page
    assert not SupplierOrder.objects.exists() and not Delivery.objects.exists()


def test_preview_finds_an_order_by_its_number_without_the_sign(boss, take, own):
    order = take()
    url = f"/admin/suppliers/supplier/{own.supplier_id}/preview/"
    assert order.number.startswith("#")
    assert "Town&gt;Łódź" in boss.get(url, {"order": order.number.removeprefix("#")}).content.decode()


def test_no_preview_shows_a_customer_whose_data_was_removed(boss, take, own, account):
    order = take()
    part = order.supplier_orders.get()
    subject = Subject(account, timezone.now(), order_ids=(order.shopify_id,))
    known = redaction.know(subject)
    for redact in (suppliers.redaction.redact, redaction.redact):
        redact(subject, known)
    newer = _version(own.supplier, 2, NEWER)
    pages = [f"supplier/{own.supplier_id}/preview/?order={part.reference}"]
    pages += [f"supplierorder/{part.pk}/preview/", f"mapping/{newer.pk}/preview/?order={part.reference}"]
    for page in pages:
        shown = boss.get(f"/admin/suppliers/{page}").content.decode()
        assert "removed" in shown, page
        assert "Łódź" not in shown and "Ola" not in shown
    assert comparisons.compare(newer).rows == []


def test_compare_shows_what_a_version_changes_over_the_last_orders(boss, take, own):
    for _ in range(3):
        take()
    newer = _version(own.supplier, 2, NEWER)
    comparison = comparisons.compare(newer)
    assert comparison.counts == {"changed": 3}
    assert ("remove", "-  <Town>Łódź</Town>") in comparison.rows[0].lines
    assert ("add", "+  <City>Łódź</City>") in comparison.rows[0].lines
    assert comparisons.compare(_version(own.supplier, 3, XSLT)).counts == {"same": 3}
    failed = comparisons.compare(_version(own.supplier, 4, BROKEN))
    assert failed.counts == {"failed": 3} and "No town" in failed.rows[0].note
    page = boss.get(f"/admin/suppliers/mapping/{newer.pk}/compare/").content.decode()
    assert "version 1, which is live" in page and "+  &lt;City&gt;" in page


def test_compare_takes_at_most_20_real_orders_and_what_was_sent_not_what_became_of_it(take, own):
    for _ in range(22):
        take()
    take(test=True)
    part = SupplierOrder.objects.order_by("-pk").first()
    part.order.shipping_address = {**part.order.shipping_address, "city": "Elsewhere"}
    part.order.save(update_fields=["shipping_address"])
    comparison = comparisons.compare(_version(own.supplier, 2, NEWER))
    assert len(comparison.rows) == 20
    assert ("add", "+  <City>Łódź</City>") in comparison.rows[0].lines


def test_a_changed_mapping_does_not_make_sent_documents_look_changed(take, own):
    part = take().supplier_orders.get()
    mappings.make_live(mapping=_version(own.supplier, 2, NEWER), by=None)
    assert not rendering.has_changed(part)
