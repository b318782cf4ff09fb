"""What an FTP server's refusals mean (RFC 959, 2228, 4217)."""

import re

from suppliers.transports.errors import Crowded, Kind, TransportError

_OF_THE_NAME = ("501", "553")
# vsftpd says 553 to whatever it cannot create, be it for the name, for the folder or for the disk.
_OF_THE_FOLDER = re.compile(
    r"could not create|denied|permission|no such|not found|read.only|space|quota", re.IGNORECASE
)
# Protection that is refused, and vsftpd's demand for the TLS session that Hemi has offered already.
_OF_THE_ENDPOINT = ("521", "522", "533", "534", "535", "536")
# Servers say 530 also when too many are connected; that passes.
_CROWDED = re.compile(r"too many|maximum|limit|already (logged|connected)", re.IGNORECASE)
# Too many of these are no crowd: one more locks the account.
_OF_THE_PASSWORD = re.compile(r"attempt|fail|incorrect|wrong|invalid|password|tries|retries", re.IGNORECASE)


def refusal(words: str, step: str) -> TransportError:
    """Return the error for a 4xx or 5xx reply."""
    message = f"The server refused ({step}): {words}"
    if step in ("connect", "login") and _CROWDED.search(words) and not _OF_THE_PASSWORD.search(words):
        return Crowded(message, step)
    return TransportError(_kind(words, step), message, step)


def _kind(words: str, step: str) -> Kind:
    code = words[:3]
    if step == "login":
        return Kind.ENDPOINT if code.startswith("5") else Kind.TEMPORARY
    if code in _OF_THE_ENDPOINT or (step == "protect" and code.startswith("5")):
        return Kind.ENDPOINT
    return Kind.FILE if code in _OF_THE_NAME and not _OF_THE_FOLDER.search(words) else Kind.TEMPORARY
