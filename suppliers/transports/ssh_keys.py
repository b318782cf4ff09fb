"""A private key as somebody pasted it: OpenSSH's form or PEM, with a passphrase or without."""

import io

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from suppliers.transports.errors import Kind, TransportError

_UNREADABLE = (
    "The private key cannot be read. It must be the whole key file, in OpenSSH or PEM form (PuTTY's is exported as "
    "OpenSSH first)."
)
_LOCKED = "The private key has a passphrase. Enter it, too."
_WRONG = "The passphrase does not open the private key."


def load(text: str, passphrase: str) -> paramiko.PKey:
    """Return the key. Raises a TransportError of kind endpoint where it cannot be read."""
    try:
        key = _parse(text.strip().replace("\r\n", "\n").encode() + b"\n", passphrase.encode() or None)
    except TypeError:  # what is said of a locked key, and of nothing else
        raise TransportError(Kind.ENDPOINT, _WRONG if passphrase else _LOCKED, "login") from None
    except (ValueError, UnsupportedAlgorithm):
        raise TransportError(Kind.ENDPOINT, _UNREADABLE, "login") from None
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey(key=key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(key, key.public_key()))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return paramiko.Ed25519Key(file_obj=io.StringIO(_plain(key)))
    raise TransportError(Kind.ENDPOINT, "The private key must be of the kind Ed25519, ECDSA or RSA.", "login")


def _parse(data: bytes, passphrase: bytes | None) -> object:
    # A passphrase that was stored for a key without one is no reason to refuse the key.
    load = serialization.load_ssh_private_key if b"OPENSSH PRIVATE" in data else serialization.load_pem_private_key
    try:
        return load(data, passphrase)
    except (TypeError, ValueError):
        return load(data, None)


def _plain(key: ed25519.Ed25519PrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    return key.private_bytes(*form).decode()
