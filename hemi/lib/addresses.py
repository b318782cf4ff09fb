"""Which addresses Hemi may connect to: resolved once, checked, and then used as they are."""

import ipaddress
import socket
from dataclasses import dataclass

from django.conf import settings

# Clouds' metadata services behind addresses that look like the internet's (Azure, Oracle).
_METADATA = {ipaddress.ip_address("168.63.129.16"), ipaddress.ip_address("192.0.0.192")}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Python calls several forms global that carry an IPv4 address or belong to one site; all of the internet is in here.
_UNICAST = ipaddress.ip_network("2000::/3")

_PRIVATE = (
    "{} is a private address, which Hemi does not connect to. If it is meant, name its network in "
    "ALLOWED_PRIVATE_NETWORKS."
)

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class NameUnknown(Exception):
    """The name cannot be resolved now; it may be later."""


class AddressRefused(Exception):
    """Each address behind the name is private."""


@dataclass(frozen=True)
class Address:
    """A resolved address, ready for a socket."""

    family: int
    sockaddr: tuple

    @property
    def ip(self) -> Ip:
        return _unwrapped(ipaddress.ip_address(self.sockaddr[0].partition("%")[0]))


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of `host` that may be connected to; raises NameUnknown and AddressRefused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameUnknown(f"The name {host} cannot be resolved: {error}") from None
    allowed = [address for address in _addresses(found) if _is_allowed(address.ip)]
    if not allowed:
        raise AddressRefused(_PRIVATE.format(host))
    return allowed


def why_not(host: str) -> str:
    """Say why an address in numbers is not connected to; blank where it is, or where `host` is a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ""
    return "" if any(_is_allowed(address.ip) for address in _addresses(found)) else _PRIVATE.format(host)


def connect(found: list[Address], timeout: float) -> socket.socket:
    """Connect to the first of the addresses that answers; raises OSError when the last does not."""
    for address in found:
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(address.sockaddr)
        except OSError:
            connection.close()
            if address is found[-1]:
                raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise ValueError("there is no address to connect to")


def _addresses(found: list) -> list[Address]:
    return [Address(family, sockaddr) for family, _, _, _, sockaddr in found]


def _is_allowed(ip: Ip) -> bool:
    if any(ip in ipaddress.ip_network(network, strict=False) for network in settings.ALLOWED_PRIVATE_NETWORKS):
        return True
    if ip.is_loopback:
        return settings.SANDBOX or settings.DEBUG
    return ip not in _METADATA and ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in _UNICAST)


def _unwrapped(ip: Ip) -> Ip:
    """Return the IPv4 address inside an IPv6 one: a private address must not hide there."""
    if ip.version == 4:
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
