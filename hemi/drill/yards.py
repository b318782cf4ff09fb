"""The suppliers' servers, which run in a process of their own: asked over HTTP."""

from dataclasses import dataclass
from typing import Any

import requests

SECONDS = 30


@dataclass(frozen=True)
class Yard:
    """One process full of servers, by its control address."""

    url: str

    def make(self, name: str, kind: str, **options: Any) -> dict[str, Any]:
        """Make and start a server; return what a client must know."""
        return self._ask("POST", "/servers", name=name, kind=kind, **options)

    def act(self, name: str, action: str, **details: Any) -> dict[str, Any]:
        """Do something to a server."""
        return self._ask("POST", f"/servers/{name}/{action}", **details)

    def seen(self, name: str) -> dict[str, Any]:
        """Return what a server saw and what lies there."""
        return self._ask("GET", f"/servers/{name}")

    def met(self) -> dict[str, list[bool]]:
        """Return for each server which of its faults a client has come to."""
        return self._ask("GET", "/servers")

    def _ask(self, method: str, path: str, **details: Any) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, f"{self.url}{path}", json=details, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()
