"""Certificates for servers that exist only on this machine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.sockets import HOST


@dataclass(frozen=True)
class Certificate:
    """A certificate that vouches for itself, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        """Return its SHA-256, as openssl writes it."""
        return f"SHA256:{self.certificate.fingerprint(hashes.SHA256()).hex(':').upper()}"

    @property
    def pem(self) -> bytes:
        """Return the certificate alone, such as for a list of authorities."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def pem_with_key(self) -> bytes:
        """Return key and certificate, as a server's configuration wants them."""
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self.key.private_bytes(serialization.Encoding.PEM, *form) + self.pem


def kept(path: Path) -> Certificate:
    """Return the certificate that lies at `path`, made there the first time."""
    if not path.exists():
        path.write_bytes(make().pem_with_key)
    content = path.read_bytes()
    key = serialization.load_pem_private_key(content, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Certificate(x509.load_pem_x509_certificate(content), key)


def make(host: str = HOST, *, days: int = 2) -> Certificate:
    """Make one for this machine, or for another address; `days` below zero: it has run out."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox.invalid")])
    begins_at = datetime.now(UTC) + timedelta(days=min(days, 0) - 1)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host)), x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins_at)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(certificate, key)
