"""The demo's own installation: its folder, its ports, its environment and its processes."""

import os
import secrets
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hemi.lib.processes import Program

BASE_DIR = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
# What a demo leaves in its folder; nothing else is ever deleted there.
_LEFTOVERS = ("hemi.sqlite3*", "broker", "sandbox", "report.json", "*.log", "beat-schedule*")
# Each supplier's server speaks another protocol.
_PROTOCOLS = {"northwind": "sftp", "suedhaus": "ftps"}
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONUNBUFFERED", "TZ")


@dataclass(frozen=True)
class Demo:
    """One demo; `port` is Hemi's, the sandbox's servers follow `sandbox_port`."""

    folder: Path
    port: int = 8000
    sandbox_port: int = 8100
    user: str = "admin"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9), repr=False)

    @classmethod
    def from_environment(cls) -> "Demo":
        """Read HEMI_DEMO_VAR, HEMI_PORT and HEMI_SANDBOX_PORT."""
        folder = Path(os.environ.get("HEMI_DEMO_VAR") or BASE_DIR / "var" / "demo").resolve()
        port = int(os.environ.get("HEMI_PORT", cls.port))
        return cls(folder, port, int(os.environ.get("HEMI_SANDBOX_PORT", cls.sandbox_port)))

    @property
    def url(self) -> str:
        """Hemi's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_ports(self) -> dict[str, int]:
        """The port of each of the sandbox's servers."""
        places = {"control": 0, "shopify": 1, "shopline": 2, "northwind": 21, "suedhaus": 22}
        places |= {"mailbox_smtp": 25, "mailbox_http": 26}
        return {name: self.sandbox_port + place for name, place in places.items()}

    @property
    def environment(self) -> dict[str, str]:
        """All that the demo's Hemi is told; no `.env` and nothing of the caller's settings reaches it."""
        return {
            "HEMI_ENV_FILE": os.devnull,
            "HEMI_VAR": str(self.folder),
            "HEMI_SANDBOX": "1",
            "HEMI_BASE_URL": self.url,
            "HEMI_HOST": HOST,
            "HEMI_PORT": str(self.port),
            "SHOPIFY_SHOP_URL": f"http://{HOST}:{self.sandbox_ports['shopify']}/shops/{{shop}}",
            "EMAIL_URL": f"smtp://{HOST}:{self.sandbox_ports['mailbox_smtp']}",
            "DEFAULT_FROM_EMAIL": "Hemi <hemi@hemi.example>",
            "STAFF_ALERT_EMAILS": "staff@hemi.example",
            "DJANGO_SUPERUSER_USERNAME": self.user,
            "DJANGO_SUPERUSER_PASSWORD": self.password,
        }

    def clear(self) -> None:
        """Delete what an earlier demo left; its keys and static files may stay."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for pattern in _LEFTOVERS:
            for path in self.folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def programs(self) -> list[Program]:
        """Return the world outside and Hemi itself, each with a log of its own."""
        ports = [f"--port={name}={port}" for name, port in self.sandbox_ports.items()]
        protocols = [f"--protocol={name}={protocol}" for name, protocol in _PROTOCOLS.items()]
        world = ["-m", "sandbox", "--data", str(self.folder / "sandbox"), *ports, *protocols]
        return [self._program("sandbox", world), self._program("hemi", ["manage.py", "serve"])]

    def _program(self, name: str, argv: list[str]) -> Program:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        log = self.folder / f"{name}.log"
        return Program(name, [sys.executable, *argv], BASE_DIR, {**kept, **self.environment}, log)
