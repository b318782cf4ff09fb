"""What can go wrong on the way to a supplier's server."""

from enum import StrEnum


class Kind(StrEnum):
    """What a failure means for what comes next."""

    FILE = "file"  # permanent for this file: repeating it would fail again
    ENDPOINT = "endpoint"  # permanent for the endpoint: repeating it may lock the account
    TEMPORARY = "temporary"
    UNCERTAIN = "uncertain"  # nobody knows whether the server did it


class TransportError(Exception):
    """A failed step, with the server's own words; the password is never among them."""

    def __init__(self, kind: Kind, message: str, step: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.step = step

    @property
    def is_about_endpoint(self) -> bool:
        """Tell whether no file would have fared better."""
        return self.kind == Kind.ENDPOINT or self.step in ("connect", "login")
