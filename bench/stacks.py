"""What Hemi runs on: the embedded default, or PostgreSQL with Redis. Each installation on it has rows of its own."""

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from bench.processes import ROOT, Broken, clean_env

INSTALLATIONS = ("webhooks", "bare", "flow", "files")
CHILD_SECONDS = 120


@dataclass(frozen=True)
class Stack:
    """One column of the table; `database` and `broker` are addresses with a place for the installation."""

    key: str
    title: str
    folder: Path
    database: str = ""
    broker: str = ""
    keys: dict[str, str] = field(default_factory=lambda: _keys(), repr=False)

    def env(self, installation: str, **values: str) -> dict[str, str]:
        """Return the environment of an installation's processes."""
        folder = self.folder / installation
        folder.mkdir(parents=True, exist_ok=True)
        env = {"HEMI_VAR": str(folder), "HEMI_SANDBOX": "1", "LOG_FORMAT": "json", **values}
        if self.database:
            number = INSTALLATIONS.index(installation)
            env.update(self.keys, DATABASE_URL=self.database.format(name=installation))
            env.update(CELERY_BROKER_URL=self.broker.format(number=number))
        return clean_env(**env)

    def ask(
        self, installation: str, module: str, question: dict[str, Any], settings: str = "hemi.settings"
    ) -> dict[str, Any]:
        """Run a module of the bench inside an installation and return its answer."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.inside", module],
            input=json.dumps(question),
            env=self.env(installation, DJANGO_SETTINGS_MODULE=settings),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=CHILD_SECONDS,
        )
        if done.returncode:
            raise Broken(f"{module} failed on {self.title}:\n{done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


def embedded(folder: Path) -> Stack:
    """Return the stack that needs no server."""
    return Stack("embedded", "SQLite, file broker", folder)


def gunicorn(app: str, *options: str) -> list[str]:
    """Return how Hemi's own configuration serves an application."""
    config = os.fspath(ROOT / "deploy" / "gunicorn.conf.py")
    return [sys.executable, "-m", "gunicorn", "-c", config, *options, app]


def _keys() -> dict[str, str]:
    return {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode()}
