"""From the name of the server to being logged in."""

from suppliers.models import Endpoint
from suppliers.transports import addresses
from suppliers.transports.errors import IdentityRefused, TransportError
from suppliers.transports.session import Server
from suppliers.trials.trial import Told, Trial, noted, passed, skipped


def resolve(trial: Trial) -> Told:
    """Find the server's addresses. Raises TransportError."""
    endpoint = trial.endpoint
    try:
        found = addresses.resolve(endpoint.host, endpoint.port)
    except TransportError as error:
        trial.refusal = error
        raise
    shown = ", ".join(dict.fromkeys(str(address.ip) for address in found))
    return passed(shown if shown == endpoint.host else f"{endpoint.host} is {shown}.")


def connect(trial: Trial) -> Told:
    """Connect; identity and login are told by the next steps. Raises TransportError."""
    trial.open()
    refusal = trial.refusal
    if refusal is None:
        return passed(_masked(trial.server, trial.session.seen.greeting) or "It answers.")
    if isinstance(refusal, IdentityRefused) or refusal.step == "login":
        return passed("It answers.")
    raise refusal


def identity(trial: Trial) -> Told:
    """Say who the server is. Raises TransportError."""
    if isinstance(trial.refusal, IdentityRefused):
        raise trial.refusal
    if trial.refusal:
        return _of_a_refused_login(trial)
    if trial.endpoint.protocol == Endpoint.Protocol.FTP:
        return noted("Plain FTP does not tell who the server is, and nothing is encrypted.")
    seen = trial.session.seen
    shown = f"{seen.identity_kind}, {seen.identity}, {seen.encryption}".strip(", ")
    if trial.endpoint.host_identity:
        return passed(f"It is the confirmed one: {shown}.")
    return passed(f"An authority vouches for its certificate: {shown}.")


def log_in(trial: Trial) -> Told:
    """Say whether the server let Hemi in. Raises TransportError."""
    if trial.refusal:
        raise trial.refusal
    way = "a private key" if trial.endpoint.private_key else "a password"
    return passed(f"As {trial.endpoint.username}, with {way}.")


def tls(trial: Trial) -> Told:
    """Say whether the data channel goes on with the TLS session of the control connection."""
    is_reused = trial.session.seen.is_tls_session_reused
    if is_reused is None:
        return skipped("Only FTPS has it.")
    trial.learned["reuses_tls"] = is_reused
    if is_reused:
        return passed("Each file's channel goes on with the TLS session of the login.")
    return noted("The server makes a new TLS session for each file. It works, and costs time.")


def _of_a_refused_login(trial: Trial) -> Told:
    if trial.endpoint.protocol == Endpoint.Protocol.FTP:
        return noted("Plain FTP does not tell who the server is, and nothing is encrypted.")
    return passed("It is the confirmed one." if trial.endpoint.host_identity else "An authority vouches for it.")


def _masked(server: Server, words: str) -> str:
    return server.masked(words)
