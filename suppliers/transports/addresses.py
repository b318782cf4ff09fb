"""Which addresses a supplier's server may have; what is wrong with one is told as every transport tells it."""

from hemi.lib import addresses
from hemi.lib.addresses import Address, connect, why_not
from suppliers.transports.errors import Kind, TransportError

__all__ = ["Address", "connect", "resolve", "why_not"]

MOST = 4  # addresses that are tried: each may take the whole time for a connection


def resolve(host: str, port: int) -> list[Address]:
    """Return the first addresses of `host` that may be connected to; raises TransportError if there is none."""
    try:
        return addresses.resolve(host, port)[:MOST]
    except addresses.NameUnknown as error:
        raise TransportError(Kind.TEMPORARY, str(error), "connect") from None
    except addresses.AddressRefused as error:
        raise TransportError(Kind.ENDPOINT, str(error), "connect") from None
