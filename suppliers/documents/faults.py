"""What libxml2 and libxslt found wrong, in one sentence with its line."""

from lxml import etree

from suppliers.documents.rendered import InvalidDocument

_LENGTH = 600


def of(error: etree.LxmlError, what: str) -> InvalidDocument:
    """Return the first fault of an error's log."""
    log = getattr(error, "error_log", None)
    entries = [entry for entry in log or () if entry.level >= etree.ErrorLevels.ERROR] or list(log or ())
    if not entries:
        return InvalidDocument(f"{what}: {error}"[:_LENGTH])
    first = entries[0]
    where = f", line {first.line}" if first.line else ""
    return InvalidDocument(f"{what}{where}: {first.message}"[:_LENGTH])
