"""What every way to a supplier's server has in common: where it is, and what a session with it can do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from suppliers.transports import words


@dataclass(frozen=True)
class Profile:
    """What is known of a server from checking it; the defaults are those of one that nobody has checked."""

    has_size: bool = True  # tells the size of a file that is named
    can_list: bool = True
    can_pipeline: bool = True
    max_sessions: int = 1


@dataclass(frozen=True)
class Server:
    """Where to connect and as whom; times are in seconds."""

    host: str
    port: int
    username: str
    password: str = field(default="", repr=False)
    protocol: str = "sftp"  # or ftps, ftps_implicit, ftp
    private_key: str = field(default="", repr=False)
    key_passphrase: str = field(default="", repr=False)
    identity: str = ""  # SHA256:..., pinned; blank: TLS asks the authorities, SFTP refuses
    name_encoding: str = "utf-8"
    connect_timeout: float = 10
    data_timeout: float = 30
    is_plain_accepted: bool = False
    profile: Profile = Profile()

    def masked(self, said: str) -> str:
        """Return the server's words on one line, without a secret that it may have repeated."""
        for secret in (self.password, self.key_passphrase):
            said = said.replace(secret, "•••") if secret else said
        return words.shown(said)[:300]


@dataclass(frozen=True)
class Entry:
    """A file as a listing shows it; a time that the server does not tell, or not in UTC, is None."""

    size: int
    modified_at: datetime | None = None


@dataclass
class Seen:
    """What the server showed of itself so far."""

    identity: str = ""  # SHA256:..., of the host key or of the certificate
    identity_kind: str = ""  # such as ssh-ed25519, or the subject of the certificate
    encryption: str = ""  # such as TLSv1.3 or the cipher
    is_tls_session_reused: bool | None = None  # None: there was no data channel with TLS yet
    greeting: str = ""
    features: tuple[str, ...] = ()


class Session(Protocol):
    """A logged-in session. No method repeats anything; each raises TransportError. A broken one can only be closed."""

    is_broken: bool
    seen: Seen

    def upload(self, path: str, content: bytes) -> None:
        """Store `content` at `path`; returns after the server has said that it is complete."""

    def size(self, path: str) -> int | None:
        """Return the size of the file at `path`, or None where there is no such file."""

    def expected_size(self, path: str) -> int | None:
        """Return the size of a file that should be there, looking in every way that the server offers."""

    def rename(self, old: str, new: str) -> None:
        """Rename; kind uncertain means that the server may have done it."""

    def delete(self, path: str) -> None:
        """Delete; a file that is not there is fine."""

    def listing(self, folder: str) -> dict[str, Entry]:
        """Return the files in `folder`, by name."""

    def read(self, path: str, limit: int) -> bytes:
        """Return the content of the file at `path`; more than `limit` bytes is an error of kind file."""

    def make_folder(self, path: str) -> None:
        """Make a folder; one that is there is fine."""

    def has_folder(self, path: str) -> bool:
        """Tell whether there is such a folder: some servers list one that is missing as if it were empty."""

    def noop(self) -> None:
        """Ask whether the session still lives."""

    def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to, and close."""
