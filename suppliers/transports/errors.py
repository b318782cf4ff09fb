"""What can go wrong on the way to a supplier's server."""

from enum import StrEnum

from suppliers.transports import words


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
        self.message = words.shown(message)
        self.step = step

    @property
    def is_about_endpoint(self) -> bool:
        """Tell whether no file would have fared better."""
        return self.kind == Kind.ENDPOINT or self.step in ("connect", "login")


class IdentityRefused(TransportError):
    """The server is not the one that it should be; it was told no password. `identity` is what it showed."""

    def __init__(self, message: str, identity: str) -> None:
        super().__init__(Kind.ENDPOINT, message, "connect")
        self.identity = identity


class IdentityUnknown(IdentityRefused):
    """Nobody has confirmed who the server is, or no authority vouches for it."""


class IdentityChanged(IdentityRefused):
    """The server shows another identity than the pinned one."""


class Crowded(TransportError):
    """The server wants fewer sessions at once; the next login may be accepted."""

    def __init__(self, message: str, step: str) -> None:
        super().__init__(Kind.TEMPORARY, message, step)


class ListingTooLarge(TransportError):
    """A folder holds more than can be looked through; it is none of the file's that is looked for."""

    def __init__(self, folder: str, limit: int) -> None:
        told = f"The listing of “{folder}” is larger than {limit:,} bytes. Ask the supplier to clear the folder."
        super().__init__(Kind.TEMPORARY, told, "list")


class TooLarge(TransportError):
    """A file has more bytes than were asked for, whatever the listing said; what came is thrown away."""

    def __init__(self, limit: int) -> None:
        super().__init__(Kind.FILE, f"It is larger than {limit:,} bytes.", "read")
