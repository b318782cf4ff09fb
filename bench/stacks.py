"""What Hemi runs on: the embedded default, or PostgreSQL with Redis. Each installation on it has rows of its own."""

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cryptography.fernet import Fernet

from bench.processes import ROOT, Broken, clean_env

INSTALLATIONS = ("webhooks", "bare", "flow", "files", "crowd", "documents", "storefront", "moving")
CHILD_SECONDS = 120
STOP_SECONDS = 10


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


class Inside:
    """A module of the bench that goes on living inside an installation, so that its start is in no measurement."""

    def __init__(self, stack: Stack, installation: str, module: str) -> None:
        self.title = f"{module} on {stack.title}"
        self._log = stack.folder / f"{installation}-{module}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.inside", module],
                env=stack.env(installation),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def ask(self, **question: Any) -> dict[str, Any]:
        """Return the module's answer."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise Broken(f"{self.title} failed:\n{self._log.read_text(errors='replace')[-2000:]}")
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()  # the end of the questions
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def embedded(folder: Path) -> Stack:
    """Return the stack that needs no server."""
    return Stack("embedded", "SQLite, file broker", folder)


def gunicorn(app: str, *options: str) -> list[str]:
    """Return how Hemi's own configuration serves an application."""
    config = os.fspath(ROOT / "deploy" / "gunicorn.conf.py")
    return [sys.executable, "-m", "gunicorn", "-c", config, *options, app]


def _keys() -> dict[str, str]:
    return {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode()}
