"""What libxml2 and libxslt found wrong, in one sentence with its line."""

from lxml import etree

from suppliers.documents.rendered import InvalidDocument

TOO_MUCH = (
    "it took more time or memory than is allowed. Look for a template that calls itself, or a document that grows "
    "without end."
)
_LENGTH = 600
_VAGUE = ("runtime error", "compilation error")  # libxslt says where first, and what in its next line


def of(error: etree.LxmlError, what: str) -> InvalidDocument:
    """Return the first fault of an error's log."""
    entries = list(getattr(error, "error_log", None) or ())
    if any(entry.type == etree.ErrorTypes.ERR_NO_MEMORY for entry in entries):
        return InvalidDocument(f"{what}: {TOO_MUCH}")
    line = next((entry.line for entry in entries if entry.line), 0)
    told = (entry.message.strip() for entry in entries if not entry.message.startswith(_VAGUE))
    # Where nothing but the place is said, an element could not be made: memory has run out.
    message = next(told, TOO_MUCH if entries else str(error)).splitlines()[0]
    return InvalidDocument(f"{what}{f', line {line}' if line else ''}: {message}"[:_LENGTH])
