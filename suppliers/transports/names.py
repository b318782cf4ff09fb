"""Names of files as they can be said to a server."""

import re

from suppliers.transports.errors import Kind, TransportError

_FORBIDDEN = re.compile("[\r\n\0]")


def encoded(path: str, encoding: str) -> bytes:
    """Return the path as the server wants it. Raises a TransportError of kind file where it cannot be said."""
    if has_break(path):
        raise TransportError(Kind.FILE, "The name contains a line break or a NUL character.", "name")
    try:
        return path.encode(encoding)
    except UnicodeEncodeError:
        raise TransportError(Kind.FILE, f"The name cannot be written in {encoding.upper()}.", "name") from None


def has_break(text: str) -> bool:
    """Tell whether the text would be more than one line."""
    return bool(_FORBIDDEN.search(text))
