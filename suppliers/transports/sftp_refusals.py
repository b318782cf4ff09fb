"""What an SFTP server's statuses mean; versions before 4 have no names for 9 and above, but servers send them."""

from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.sftp_wire import NO_SUCH_FILE, PERMISSION_DENIED, UNSUPPORTED, Refused

_EXISTS, _INVALID_NAME = 11, 20
_NAMES = {
    NO_SUCH_FILE: "no such file or folder",
    PERMISSION_DENIED: "permission denied",
    4: "failure",
    UNSUPPORTED: "not supported",
    10: "no such path",
    _EXISTS: "the name exists already",
    12: "write-protected",
    14: "no space left",
    15: "quota exceeded",
    _INVALID_NAME: "name not allowed",
}


def refusal(refused: Refused, step: str, words: str) -> TransportError:
    """Return the error for a status; `words` are the server's, without secrets."""
    name = _NAMES.get(refused.code, f"status {refused.code}")
    told = name if words.casefold().strip(". ") in ("", name) else f"{name}: {words}"
    return TransportError(_kind(refused.code, step), f"The server refused ({step}): {told}", step)


def _kind(code: int, step: str) -> Kind:
    if code in (_EXISTS, _INVALID_NAME):
        return Kind.FILE
    # A server that cannot write or rename at all will not learn it.
    return Kind.ENDPOINT if code == UNSUPPORTED and step in ("upload", "rename") else Kind.TEMPORARY
