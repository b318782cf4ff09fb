"""Read XML from outside: no entity, no document type, no network, no depth."""

from lxml import etree

from suppliers.reply_formats.statements import Unreadable

_MARKS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"<\x00", b"\x00<")


def looks_like_xml(content: bytes) -> bool:
    """Tell whether the file begins as XML does."""
    return content.lstrip(b" \t\r\n").startswith(_MARKS)


def parse(content: bytes) -> etree._Element:
    """Return the root of the document. Raises Unreadable."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"It is not well-formed XML: {error.msg}") from None
    except ValueError as error:
        raise Unreadable(f"It is not well-formed XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("It contains a document type declaration, which a reply must not.")
    return root


def text(parent: etree._Element | None, path: str, names: dict[str, str] | None = None) -> str:
    """Return the text at `path`, its white space made single; "" where there is none."""
    if parent is None:
        return ""
    return " ".join((parent.findtext(path, namespaces=names) or "").split())


def fit(said: str, most: int, where: str) -> str:
    """Return a text that the database holds. Raises Unreadable."""
    if len(said) > most:
        raise Unreadable(f"{where} is longer than {most} characters.")
    return said
