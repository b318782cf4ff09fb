"""The one error that Shopify's wire raises."""

from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a failed call means for the next one."""

    TEMPORARY = "temporary"  # nothing was done: the same call may succeed later
    UNCERTAIN = "uncertain"  # it may have been done: look before doing it again
    PERMANENT = "permanent"  # the same call will be refused again
    UNAUTHORISED = "unauthorised"  # the token is not accepted (any more)
    REAUTHORISE = "reauthorise"  # nor can it be renewed: the store's owner must give consent again
    FORBIDDEN = "forbidden"  # the token is good, but a scope or an approval is missing


class Denial(StrEnum):
    """What is missing where the kind is FORBIDDEN, as far as Shopify says it."""

    UNKNOWN = ""
    SCOPE = "scope"
    PROTECTED = "protected"
    TOKEN_KIND = "token_kind"  # noqa: S105


class ShopifyError(Exception):
    """A call to Shopify failed. The text may be shown to staff: it holds neither token, code nor secret."""

    operation = ""  # the document that was refused
    denial = Denial.UNKNOWN

    def __init__(self, kind: Kind, message: str, *, status: int | None = None, request_id: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.data: dict[str, Any] = {}  # what came with the refusal: a mutation that was carried out shows in it
        self.request_id = request_id

    @property
    def is_temporary(self) -> bool:
        return self.kind == Kind.TEMPORARY

    @property
    def is_unauthorised(self) -> bool:
        """Whether Shopify does not accept the token, renewed or not."""
        return self.kind in (Kind.UNAUTHORISED, Kind.REAUTHORISE)
