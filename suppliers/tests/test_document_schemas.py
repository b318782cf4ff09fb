"""Schemas that suppliers give: opened with care, compiled apart, asked before anything is stored."""

import io
import stat
import struct
import tracemalloc
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from suppliers import rendering
from suppliers.documents import archives, confined
from suppliers.documents.rendered import InvalidDocument
from suppliers.models import Delivery, DocumentSchema, Mapping, SupplierOrder
from suppliers.services import parts
from suppliers.tests import shapes

MAIN = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="{}"/>
<xs:element name="o" type="Code"/></xs:schema>"""
CODE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:simpleType name="Code">
<xs:restriction base="xs:string"><xs:maxLength value="{}"/></xs:restriction></xs:simpleType></xs:schema>"""
XSLT = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hemi:order:1.0">
<xsl:template match="/"><o><xsl:value-of select="/h:Order/h:Reference"/></o></xsl:template></xsl:stylesheet>"""


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def simple(limit=100):
    return zipped({"main/o.xsd": MAIN.format("../types/code.xsd"), "types/code.xsd": CODE.format(limit)})


def ubl():
    if not shapes.UBL.exists():
        pytest.skip("needs the reference data: HEMI_REFERENCE_DATA")
    root = shapes.UBL / "xsd"
    return zipped({str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.xsd")})


def link():
    entry = zipfile.ZipInfo("a.xsd")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({entry: "/etc/passwd"})


def twice():
    with pytest.warns(UserWarning, match="Duplicate"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.xsd", "1")
            archive.writestr("a.xsd", "2")
    return out.getvalue()


def bomb(method):
    """A zip that says it holds 1,000 bytes, and holds 200 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive, archive.open("a.xsd", "w") as file:
        for _ in range(20):
            file.write(bytes(10_000_000))
    return out.getvalue().replace(struct.pack("<L", 200_000_000), struct.pack("<L", 1000))


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        (lambda: b"no zip at all", "not a zip"),
        (lambda: zipped({"../a.xsd": "x"}), "leads out"),
        (lambda: zipped({"/etc/a.xsd": "x"}), "leads out"),
        (lambda: zipped({"a\\..\\b.xsd": "x"}), "leads out"),
        (lambda: zipped({"C:a.xsd": "x"}), "leads out"),
        (lambda: zipped({"a/./b.xsd": "x"}), "leads out"),
        (link, "link"),
        (twice, "twice"),
        (lambda: zipped({f"{number}.xsd": "x" for number in range(archives.MAX_FILES + 1)}), "entries"),
        (lambda: zipped({"bomb.xsd": b" " * 20_000_000}), "compressed more than"),
        (lambda: b"P" * (archives.MAX_ARCHIVE + 1), "larger than 5 MB"),
        (lambda: simple()[:-30], "not a zip"),
        (lambda: zipped({"é.xsd": "x"}).replace("é".encode(), b"\xff\xff"), "not a zip"),
        (lambda: bomb(zipfile.ZIP_LZMA), "unusual way"),
        (lambda: bomb(zipfile.ZIP_BZIP2), "unusual way"),
        (lambda: bomb(zipfile.ZIP_DEFLATED), "not a zip"),
    ],
)
def test_a_bad_zip_is_refused_in_words(archive, told):
    content = archive()
    tracemalloc.start()
    try:
        with pytest.raises(archives.BadArchive, match=told):
            archives.files(content)
        assert tracemalloc.get_traced_memory()[1] < 3 * archives.MAX_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"o.xsd": MAIN.format("gone.xsd")}, "names gone.xsd, which is not in the zip"),
        ({"o.xsd": MAIN.format("file:///etc/passwd")}, "etc/passwd, which is not in the zip"),
        ({"o.xsd": MAIN.format("http://127.0.0.1:9/x.xsd")}, "127.0.0.1:9/x.xsd, which is not in the zip"),
        ({"o.xsd": "<xs:schema"}, "cannot be used"),
        ({"other.xsd": CODE.format(1)}, "has no document o.xsd"),
    ],
)
def test_a_bad_schema_is_refused_in_words(files, told):
    archive = zipped(files)
    with pytest.raises(InvalidDocument) as fault:
        confined.check_schema(confined.Source(str(hash(archive)), lambda: archive, {"main": "o.xsd"}))
    assert told in str(fault.value)


def test_a_fault_is_the_schemas_own_and_not_that_of_the_one_before():
    bomb = "".join(f'<!ENTITY a{level + 1} "{f"&a{level};" * 10}">' for level in range(10))
    before = zipped({"o.xsd": f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{bomb}]><x>&a10;</x>'})
    after = zipped({"o.xsd": "<schema><wrong></schema>"})
    for archive in (before, after):
        with pytest.raises(InvalidDocument) as fault:
            confined.check_schema(
                confined.Source(str(hash(archive)), lambda archive=archive: archive, {"main": "o.xsd"})
            )
    assert "tag mismatch" in str(fault.value)


def test_a_process_full_of_schemas_still_says_what_is_wrong():
    archive = ubl()
    sources = [
        confined.Source(f"{number}", lambda: archive, {"main": "maindoc/UBL-Order-2.1.xsd"}) for number in range(25)
    ]
    for source in sources:
        with pytest.raises(InvalidDocument, match="The supplier's schema refuses the document, line 1"):
            confined.make(b"<o/>", None, source)


@pytest.fixture
def boss(client, db):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def _upload(client, archive, main="main/o.xsd", name="A schema"):
    data = {"name": name, "main_document": main, "zip": SimpleUploadedFile("s.zip", archive)}
    return client.post("/admin/suppliers/documentschema/add/", data)


def test_a_schema_is_uploaded_and_never_changes(boss):
    archive = simple()
    assert _upload(boss, archive).status_code == 302
    schema = DocumentSchema.objects.get()
    assert (bytes(schema.archive), len(schema.sha256)) == (archive, 64)
    assert boss.post(f"/admin/suppliers/documentschema/{schema.pk}/change/", {"name": "x"}).status_code == 403


def test_a_schema_that_cannot_be_used_is_not_stored(boss):
    page = _upload(boss, zipped({"main/o.xsd": MAIN.format("gone.xsd")})).content.decode()
    assert "which is not in the zip" in page
    assert not DocumentSchema.objects.exists()


def test_who_may_not_map_may_not_upload(client, db):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert _upload(client, simple()).status_code == 403
    assert not DocumentSchema.objects.exists()


def test_ubls_own_schemas_are_uploaded_and_ask_each_document(boss, take, north):
    assert _upload(boss, ubl(), "maindoc/UBL-Order-2.1.xsd", "UBL 2.1 Order").status_code == 302
    north.format, north.schema = "ubl-2.1", DocumentSchema.objects.get()
    north.save()
    part = take().supplier_orders.get()
    assert b"urn:oasis:names:specification:ubl:schema:xsd:Order-2" in bytes(part.delivery.document)
    page = boss.get(f"/admin/suppliers/supplier/{north.pk}/preview/?order={part.reference}").content.decode()
    assert "Valid: it satisfies the schema UBL 2.1 Order." in page


def test_what_the_schema_refuses_is_not_stored_and_says_where(boss, take, north):
    _upload(boss, simple(limit=3))
    Mapping.objects.create(supplier=north, version=1, xslt=XSLT, is_live=True)
    north.format, north.schema = "own", DocumentSchema.objects.get()
    north.save()
    part = take().supplier_orders.get()
    assert part.status == SupplierOrder.Status.BLOCKED
    assert "The supplier's schema refuses the document, line 2" in part.attention
    assert "maximum length" in part.attention
    assert not Delivery.objects.exists()
    _upload(boss, simple(), name="A newer schema")
    north.schema = DocumentSchema.objects.get(name="A newer schema")
    north.save()
    parts.make_document_again(supplier_order=part, by=None)
    rendering.render()
    part.refresh_from_db()
    assert (part.status, part.attention) == (SupplierOrder.Status.READY, "")
