"""What a check of an endpoint found, as it is kept in `Endpoint.profile`, and what of it the transports obey.

Keys: has_size, can_list, can_pipeline, can_delete, overwrites, reuses_tls (yes or no); max_sessions, where fewer were
let in at once than asked for; clock_difference, the seconds that the server's clock is ahead. What nobody has found out
yet is not there.
"""

from suppliers.models import Endpoint
from suppliers.transports.session import Profile

_WORDS = {
    "has_size": ("It tells the size of a file.", "It does not tell sizes; Hemi reads them in the listing."),
    "can_list": ("Its listing shows the files.", "Its listing does not show the files; Hemi does not rely on it."),
    "can_pipeline": ("It takes several commands at once.", "It wants one command after the other; Hemi obeys."),
    "can_delete": ("It lets Hemi delete.", "It does not let Hemi delete: files of failed tries stay there."),
    "overwrites": (
        "A rename onto a file that is there replaces it; Hemi looks first.",
        "A rename onto a file that is there is refused.",
    ),
    "reuses_tls": ("It goes on with the TLS session for each file.", "It makes a new TLS session for each file."),
}


def obeyed(endpoint: Endpoint) -> Profile:
    """Return what the transport goes by."""
    found = {name: endpoint.profile.get(name, True) for name in ("has_size", "can_list", "can_pipeline")}
    most = min(endpoint.max_sessions, endpoint.profile.get("max_sessions") or endpoint.max_sessions)
    return Profile(**found, max_sessions=most)


def sentences(endpoint: Endpoint) -> list[str]:
    """Say what was found, for people."""
    found = endpoint.profile
    told = [words[0] if found[name] else words[1] for name, words in _WORDS.items() if name in found]
    if found.get("max_sessions"):
        told.append(f"It lets in no more sessions at once than {found['max_sessions']}.")
    if found.get("clock_difference") is not None:
        told.append(clock(found["clock_difference"]))
    return told


def clock(seconds: int) -> str:
    """Say how the server's clock stands."""
    if abs(seconds) < 2:
        return "Its clock is right."
    return f"Its clock is {abs(seconds):,} seconds {'ahead' if seconds > 0 else 'behind'}."
