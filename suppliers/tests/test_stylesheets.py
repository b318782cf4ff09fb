"""A supplier's own format: what a stylesheet may do, and that a hostile one does nothing else."""

import threading
import time
from dataclasses import replace

import pytest
from lxml import etree

from suppliers.documents import confined, formats
from suppliers.documents.content import CANCELLATION
from suppliers.documents.rendered import InvalidDocument
from suppliers.tests.test_samples import CONTENT

_HEAD = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hemi:order:1.0" '
    'xmlns:exsl="http://exslt.org/common" xmlns:dyn="http://exslt.org/dynamic" xmlns:str="http://exslt.org/strings" '
    'xmlns:re="http://exslt.org/regular-expressions" xmlns:saxon="http://icl.com/saxon" '
    'xmlns:redirect="http://xml.apache.org/xalan/redirect" extension-element-prefixes="exsl saxon redirect" '
    'exclude-result-prefixes="h dyn str re">'
)
_TWICE = (
    '<xsl:template name="r"><xsl:param name="n"/>{}<xsl:if test="$n &gt; 0">'
    '<xsl:call-template name="r"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>'
    '<xsl:call-template name="r"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>'
    "</xsl:if></xsl:template>"
)
_CALL = '<xsl:call-template name="r"><xsl:with-param name="n" select="{}"/></xsl:call-template>'
_DOUBLE = (
    '<xsl:template name="r"><xsl:param name="s" select="\'0123456789\'"/><xsl:call-template name="r">'
    '<xsl:with-param name="s" select="concat($s, $s)"/></xsl:call-template></xsl:template>'
)
_BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TOO_MUCH = "more time or memory than is allowed"
WORKING = '<o><xsl:value-of select="/h:Order/h:Reference"/></o>'


def sheet(body, top=""):
    return f'{_HEAD}{top}<xsl:template match="/">{body}</xsl:template></xsl:stylesheet>'


def made(xslt, encoding="utf-8", content=CONTENT, **settings):
    source = confined.Source(f"{hash(xslt)} {encoding}", lambda: xslt.encode(), {"encoding": encoding})
    wanted = formats.FileSettings(format=formats.OWN, encoding=encoding, stylesheet=source, **settings)
    return formats.render(content, wanted)


@pytest.fixture
def victim(tmp_path):
    """A file that must neither be read nor written."""
    file = tmp_path / "victim.xml"
    file.write_text("<secret/>")
    return file


HOSTILE = {
    "document": (sheet("<xsl:copy-of select=\"document('{victim}')\"/>"), "document()"),
    "document in a literal attribute": (sheet("<a b=\"{{document('{victim}')}}\"/>"), "document()"),
    "document, put together": (
        sheet("<xsl:copy-of select=\"dyn:evaluate(concat('docu', 'ment(&quot;{victim}&quot;)'))\"/>"),
        "refused",
    ),
    "import": (sheet("<o/>", '<xsl:import href="{victim}"/>'), "reads another file"),
    "include": (sheet("<o/>", '<xsl:include href="{victim}"/>'), "reads another file"),
    "exsl:document": (sheet('<exsl:document href="{victim}">x</exsl:document>'), "writes a file"),
    "xsl:document": (sheet('<xsl:document href="{victim}">x</xsl:document>'), "writes a file"),
    "xalan": (sheet('<redirect:write file="{victim}">x</redirect:write>'), "writes a file"),
    "saxon": (sheet('<saxon:output href="{victim}">x</saxon:output>'), "refused"),
    "a network address": (sheet("<xsl:copy-of select=\"document('http://127.0.0.1:9/x')\"/>"), "document()"),
    "external entity": (f'<!DOCTYPE x [<!ENTITY v SYSTEM "{{victim}}">]>{sheet("<o>&v;</o>")}', "DOCTYPE"),
    "entity bomb": (f"{_BOMB}]>{sheet('<o>&i;</o>')}", "DOCTYPE"),
    "entity bomb in an attribute": (
        f"{_BOMB}]>{sheet(chr(60) + 'o a=' + chr(34) + '&i;' + chr(34) + '/>')}",
        "DOCTYPE",
    ),
    "endless recursion": (
        sheet(_CALL.format(1), '<xsl:template name="r"><xsl:call-template name="r"/></xsl:template>'),
        "recursion",
    ),
    "recursion that never comes to an end": (sheet(_CALL.format(80), _TWICE.format("")), TOO_MUCH),
    "a pattern that never comes to an end": (
        sheet("<xsl:value-of select=\"re:test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a+)+$')\"/>"),
        TOO_MUCH,
    ),
    "huge output": (
        sheet(f"<o>{_CALL.format(7)}</o>", _TWICE.format('<xsl:value-of select="str:padding(50000)"/>')),
        "larger than 10 MB",
    ),
    "memory bomb": (sheet(_CALL.format(1), _DOUBLE), TOO_MUCH),
    "memory bomb of elements": (sheet(f"<o>{_CALL.format(23)}</o>", _TWICE.format("<x>0123456789</x>")), TOO_MUCH),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_stylesheet_is_refused_in_words_and_the_next_one_works(name, victim):
    xslt, told = HOSTILE[name]
    with pytest.raises(InvalidDocument) as refusal:
        made(xslt.replace("{victim}", str(victim)).replace("{{", "{").replace("}}", "}"))
    assert told in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert victim.read_text() == "<secret/>"
    assert made(sheet(WORKING)).document.endswith(b"<o>HM000042-NORTH-1</o>\n")


def test_what_ends_its_process_three_times_is_not_tried_again():
    xslt = sheet(f"<o>{_CALL.format(23)}</o><!-- three times -->", _TWICE.format("<x>0123456789</x>"))
    for _ in range(3):
        with pytest.raises(InvalidDocument, match=TOO_MUCH):
            made(xslt)
    started = time.monotonic()
    with pytest.raises(InvalidDocument, match=TOO_MUCH):
        made(xslt)
    assert time.monotonic() - started < 1


def test_what_was_left_alone_is_tried_again_later(monkeypatch):
    """Else a machine that stood still for half a minute would stop a supplier's files until the next restart."""
    grows = sheet(f"<o>{_CALL.format('string-length(//h:Note)')}</o>", _TWICE.format("<x>0123456789</x>"))
    huge, ordinary = (replace(CONTENT, note="x" * length) for length in (23, 1))
    for content in (huge, huge, huge, ordinary):
        with pytest.raises(InvalidDocument, match=TOO_MUCH):
            made(grows, content=content)
    monkeypatch.setattr(confined, "_REST_SECONDS", 0)
    assert b"0123456789" in made(grows, content=ordinary).document


FAULTY = {
    "not XML": ("<xsl:stylesheet", "well-formed"),
    "no stylesheet": ("<x/>", "not a stylesheet"),
    "a wrong path": (sheet('<xsl:value-of select="h:Order["/>'), "Invalid expression"),
    "another encoding": (
        sheet("<o/>", '<xsl:output encoding="utf-16"/>'),
        "utf-16, line 1, and the supplier gets utf-8",
    ),
    "no declaration where nobody could guess the encoding": (
        sheet("<o/>", '<xsl:output omit-xml-declaration="yes"/>'),
        "omit-xml-declaration",
        "iso-8859-1",
    ),
    "nothing": (sheet(""), "empty document"),
    "two roots": (sheet("<o/><o/>"), "well-formed XML"),
    "stopped by itself": (sheet('<xsl:message terminate="yes">No street</xsl:message>'), "No street"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_is_told_in_words(name):
    xslt, told, *encoding = FAULTY[name]
    with pytest.raises(InvalidDocument) as fault:
        made(xslt, *encoding)
    assert told in str(fault.value)


def test_a_fault_names_its_line():
    with pytest.raises(InvalidDocument, match="line 3"):
        made(sheet('\n\n<xsl:value-of select="h:Order["/>'))


def test_xml_is_written_in_the_suppliers_encoding():
    rendered = made(sheet('<o><xsl:value-of select="//h:City"/></o>', '<xsl:output indent="yes"/>'), "iso-8859-1")
    assert rendered.document.startswith(b'<?xml version="1.0" encoding="iso-8859-1"?>')
    assert etree.fromstring(rendered.document).text == "Łódź"


def test_a_result_that_is_its_own_stylesheet_is_written_in_the_suppliers_encoding():
    head = '<o xmlns:x="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hemi:order:1.0" x:version="1.0">'
    rendered = made(f'{head}<x:value-of select="//h:City"/></o>', "iso-8859-1")
    assert rendered.document.startswith(b'<?xml version="1.0" encoding="iso-8859-1"?>')
    assert etree.fromstring(rendered.document).text == "Łódź"


@pytest.mark.parametrize(("first", "last", "written"), [("xml", "text", b"Gr\xf6\xdfe"), ("text", "xml", b"")])
def test_of_two_outputs_the_last_one_holds(first, last, written):
    outputs = f'<xsl:output method="{first}"/><xsl:output method="{last}"/>'
    document = made(sheet("<o>Größe</o>", outputs), "iso-8859-1").document
    assert document == (written or b'<?xml version="1.0" encoding="iso-8859-1"?>\n<o>Gr\xf6\xdfe</o>\n')


def test_a_mapping_that_heeds_no_kind_is_found_out_though_it_writes_the_time():
    xslt = sheet(f'<o at="{{date:date-time()}}">{WORKING}</o>')
    xslt = xslt.replace("<xsl:stylesheet ", '<xsl:stylesheet xmlns:date="http://exslt.org/dates-and-times" ', 1)
    later = replace(CONTENT, kind=CANCELLATION, replaces=CONTENT.reference)
    until = time.time() // 1 + 3
    while time.time() < until:  # over the turn of two seconds
        with pytest.raises(InvalidDocument, match="@kind"):
            made(xslt, content=later)


def test_text_is_written_in_the_suppliers_encoding_and_what_it_lacks_is_named():
    xslt = sheet('<xsl:value-of select="//h:City"/>|Größe', '<xsl:output method="text" encoding="latin1"/>')
    rendered = made(xslt, "iso-8859-1", ending="txt")
    assert (rendered.document, rendered.ending) == ("Lódz|Größe".encode("latin-1"), "txt")
    assert "Ł as L" in rendered.remarks[0]


def test_html_is_written_as_html():
    assert b"<br></p>" in made(sheet("<html><body><p>x<br/></p></body></html>")).document


def test_words_about_documents_are_no_document():
    xslt = sheet('<o title="document (1)"><xsl:value-of select="\'document(1)\'"/></o>')
    assert b"document(1)" in made(xslt).document


def test_threads_do_not_get_each_others_documents():
    wrong = []

    def run(word):
        xslt = sheet(f"<o>{word}</o>")
        wrong.extend(word for _ in range(30) if word.encode() not in made(xslt).document)

    threads = [threading.Thread(target=run, args=(f"word-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
