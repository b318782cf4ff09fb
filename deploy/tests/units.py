"""Read systemd's unit files, as far as Hemi's use them."""

import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from deploy.tests.places import DEPLOY, Place

SYSTEMD = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in SYSTEMD.glob("*.service"))


@dataclass(frozen=True)
class Unit:
    """What a unit and the file that all of Hemi's share say together."""

    name: str
    values: dict[str, list[str]]

    def one(self, key: str, default: str = "") -> str:
        """Return what was said last."""
        return self.values[key][-1] if self.values.get(key) else default

    @property
    def environment(self) -> dict[str, str]:
        """Return its Environment= lines."""
        pairs = (pair for line in self.values.get("Environment", []) for pair in shlex.split(line))
        return dict(pair.split("=", 1) for pair in pairs)


def read(name: str, place: Place) -> Unit:
    """Read a unit with the paths moved to `place`; specifiers are filled in."""
    values: dict[str, list[str]] = defaultdict(list)
    for path in [SYSTEMD / name, *([_common()] if name.endswith(".service") else [])]:
        for line in place.moved(path.read_text()).splitlines():
            key, found, value = line.partition("=")
            if found and not line.startswith(("#", ";")):
                values[key.strip()].append(value.strip().replace("%H", "rehearsal"))
    return Unit(name, dict(values))


def _common() -> Path:
    return SYSTEMD / "hemi-.service.d" / "common.conf"
