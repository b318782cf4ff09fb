"""XSLT 1.0 of suppliers, run without any way out. Only the child process imports this: it has limits, Hemi has not."""

import re
from dataclasses import dataclass

from lxml import etree

from suppliers.documents import faults
from suppliers.documents.rendered import InvalidDocument

XSL = "http://www.w3.org/1999/XSL/Transform"
_DOCTYPE = "The XSLT has a <!DOCTYPE>. Remove it: entities are not read."
_READING = {f"{{{XSL}}}import", f"{{{XSL}}}include"}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DOCUMENT = re.compile(r"(?<![\w.-])document\s*\(")
# Python's own list would have to be read from files, and here no file can be opened.
_ALIASES = {
    "utf8": "utf-8",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "latin9": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "iso8859-15": "iso-8859-15",
    "cp1252": "windows-1252",
}
_BRACES = re.compile(r"\{([^{}]*)\}")
_WRITING = {"document", "result-document"}  # of XSLT 1.1, EXSLT, Saxon
_REDIRECT = {"write", "open", "close"}  # of Xalan


@dataclass(frozen=True)
class Stylesheet:
    """A compiled stylesheet and what its xsl:output asks for; blank method: the result decides."""

    transform: etree.XSLT
    method: str


@dataclass(frozen=True)
class Result:
    """What a stylesheet made: bytes in the supplier's encoding; for the method `text` in UTF-8."""

    document: bytes
    method: str


def compiled(source: str, encoding: str) -> Stylesheet:
    """Read, check and compile a stylesheet. Raises InvalidDocument with the fault and its line."""
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(source.encode(), parser)
    except etree.XMLSyntaxError as error:
        fault = _DOCTYPE if "<!DOCTYPE" in source else f"The XSLT is not well-formed XML: {error.msg}"
        raise InvalidDocument(fault) from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise InvalidDocument(_DOCTYPE)
    for element in root.iter(etree.Element):
        _check(element)
    root = _whole(root)
    method = _output(root, encoding)
    try:
        deny_all = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined] # the stubs lack it
        return Stylesheet(etree.XSLT(root.getroottree(), access_control=deny_all), method)
    except etree.XSLTParseError as error:
        raise faults.of(error, "The XSLT cannot be used") from None


def applied(stylesheet: Stylesheet, source: bytes) -> Result:
    """Run a stylesheet over a document of Hemi 1.0. Raises InvalidDocument."""
    try:
        tree = stylesheet.transform(etree.fromstring(source, etree.XMLParser(resolve_entities=False)))
    except etree.XSLTApplyError as error:
        raise faults.of(error, "The XSLT stopped") from None
    root = tree.getroot()
    method = stylesheet.method or ("html" if root is not None and str(root.tag).lower() == "html" else "xml")
    return Result(bytes(tree), method)


def _check(element: etree._Element) -> None:
    name, line = etree.QName(element), element.sourceline
    if element.tag in _READING:
        raise InvalidDocument(
            f"The XSLT reads another file, line {line}: write here what xsl:{name.localname} would bring."
        )
    is_foreign = name.namespace and ("exslt.org" in name.namespace or "saxon" in name.namespace)
    if name.localname in _WRITING and (is_foreign or name.namespace == XSL):
        raise InvalidDocument(f"The XSLT writes a file of its own, line {line}. A mapping makes one document.")
    if name.localname in _REDIRECT and name.namespace and "xalan" in name.namespace:
        raise InvalidDocument(f"The XSLT writes a file of its own, line {line}. A mapping makes one document.")
    for value in element.attrib.values():
        parts = [str(value)] if name.namespace == XSL else _BRACES.findall(str(value))
        if any(_DOCUMENT.search(_QUOTED.sub("''", part)) for part in parts):
            raise InvalidDocument(f"The XSLT reads another file with document(), line {line}. Only the order is there.")


def _whole(root: etree._Element) -> etree._Element:
    """Put a result that is its own stylesheet (XSLT 1.0, 2.3) into one that can name its encoding."""
    version = root.get(f"{{{XSL}}}version")
    if etree.QName(root).namespace == XSL or version is None:
        return root
    stylesheet = etree.Element(f"{{{XSL}}}stylesheet", {"version": version}, nsmap=root.nsmap)  # type: ignore[arg-type]
    etree.SubElement(stylesheet, f"{{{XSL}}}template", match="/").append(root)
    return stylesheet


def _output(root: etree._Element, encoding: str) -> str:
    """See that the result is written in the supplier's encoding; return the method."""
    outputs = root.findall(f"{{{XSL}}}output")
    for output in outputs:
        asked = output.get("encoding")
        if asked and not _is_same(asked, encoding):
            raise InvalidDocument(
                f"The XSLT writes {asked}, line {output.sourceline}, and the supplier gets {encoding}. "
                "Leave the encoding out of xsl:output, or change it at the supplier."
            )
    if not outputs and etree.QName(root).namespace == XSL:
        outputs = [etree.SubElement(root, f"{{{XSL}}}output")]
        root.insert(0, outputs[0])
    method = _last(outputs, "method")
    if method in ("", "xml") and _last(outputs, "omit-xml-declaration") == "yes" and not _is_same(encoding, "utf-8"):
        raise InvalidDocument(
            f"The XSLT leaves out the XML declaration, without which nobody can tell that a document is in {encoding}. "
            "Take omit-xml-declaration out of xsl:output, or choose UTF-8 at the supplier."
        )
    for output in outputs:
        # libxslt would write references of XML into a plain text.
        output.set("encoding", "utf-8" if method == "text" else encoding)
    return method


def _last(outputs: list[etree._Element], name: str) -> str:
    """Return what holds where xsl:output is there several times: the last word, as for libxslt."""
    return next((str(output.get(name)) for output in reversed(outputs) if output.get(name)), "")


def _is_same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(encoding: str) -> str:
    name = encoding.lower().replace("_", "-")
    return _ALIASES.get(name, name)
