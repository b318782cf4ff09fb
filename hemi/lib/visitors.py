"""The address of whoever asks, also behind a proxy."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str | None:
    """Return the visitor's address.

    What a proxy says is believed of a proxy only: one on this machine (a unix socket has no address, loopback) or one
    in TRUSTED_PROXIES. Of X-Forwarded-For the last address counts that is no proxy's; whatever stands before it was
    written by the visitor.
    """
    peer = _read(request.META.get("REMOTE_ADDR", ""))
    if peer is not None and not _is_trusted(peer):
        return str(peer)
    for text in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        said = _read(text)
        if said is None:
            break
        if not _is_trusted(said):
            return str(said)
    real = _read(request.headers.get("X-Real-IP", ""))
    return str(real or peer) if real or peer else None


def counted(request: HttpRequest) -> str | None:
    """Return what tries are counted by: of IPv6 the network, for whoever has one address has all 2^64 of it."""
    said = address(request)
    if said is None or ":" not in said:
        return said
    return str(ipaddress.ip_network((said.split("%")[0], 64), strict=False).network_address)


def is_local(request: HttpRequest) -> bool:
    """Tell whether the connection itself is of this machine: over loopback or a unix socket."""
    said = request.META.get("REMOTE_ADDR", "")
    peer = _read(said)
    return peer.is_loopback if peer else not said


def _is_trusted(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return found.is_loopback or any(found in ipaddress.ip_network(text) for text in settings.TRUSTED_PROXIES)


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
