"""A server's folders in a scratch place: the files of deploy/, with each absolute path moved there."""

import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.fernet import Fernet

from hemi.lib import ports

DEPLOY = Path(__file__).resolve().parents[1]
NAME = "hemi.example.com"
_next_port = 20_000 + os.getpid() % 20_000


def free_port() -> int:
    """Return a port that nobody listens on, below those that the system gives to connections."""
    global _next_port
    _next_port += 1
    while ports.is_taken("127.0.0.1", _next_port):
        _next_port += 1
    return _next_port


@dataclass
class Place:
    """Where things are; short, for a socket's path has room for 107 characters."""

    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hemi-")))
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)
    metrics: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        for name in ("opt", "run", "var", "tls", "acme"):
            (self.root / name).mkdir()
        self.opt, self.run, self.var = self.root / "opt", self.root / "run", self.root / "var"
        self.tls, self.acme, self.env_file = self.root / "tls", self.root / "acme", self.root / "hemi.env"
        self.socket = self.run / "web.sock"
        self.nginx_log = self.root / "nginx.log"
        self.moves = {
            "/opt/hemi": self.opt,
            "/run/hemi": self.run,
            "/var/lib/hemi": self.var,
            "/etc/hemi/tls": self.tls,
            "/etc/hemi/hemi.env": self.env_file,
            "/var/www/hemi-acme": self.acme,
        }

    def moved(self, text: str) -> str:
        """Return the text with the paths of a real server replaced by those of this place."""
        for path, here in self.moves.items():
            text = text.replace(path, str(here))
        return text

    def site(self) -> str:
        """Return nginx's configuration of Hemi for loopback and free ports."""
        text = self.moved((DEPLOY / "nginx" / "hemi.conf").read_text())
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
        text = text.replace("listen 80", f"listen 127.0.0.1:{self.http}").replace(
            "127.0.0.1:9464", f"127.0.0.1:{self.metrics}"
        )
        text = text.replace("listen 443", f"listen 127.0.0.1:{self.https}")
        return text.replace("syslog:server=unix:/dev/log,tag=nginx,nohostname", str(self.nginx_log))

    def settings(self, **more: str) -> None:
        """Write the environment file as install.sh does, with keys of its own."""
        values = {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode()}
        values["HEMI_BASE_URL"] = f"https://{NAME}"
        values |= {"HEMI_VAR": str(self.var), "HEMI_STATIC": str(self.opt / "current" / "static"), **more}
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def offer_packages(self, code: Path) -> Path:
        """Let release.sh find the packages of this Python, as if a release before had asked for the same."""
        version = subprocess.check_output(["python3", "-c", "import sys; print(sys.version)"])
        asked = b"".join((code / name).read_bytes() for name in ("requirements.txt", "constraints.txt"))
        folder = self.opt / "packages" / sha256(asked + version).hexdigest()[:12]
        folder.mkdir(parents=True)
        for name in ("bin", "lib", "pyvenv.cfg"):
            (folder / name).symlink_to(Path(sys.prefix) / name)
        (folder / "complete").touch()
        return folder

    def environment(self) -> dict[str, str]:
        """Return what the scripts of deploy/ need to work here."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        user = subprocess.check_output(["id", "-un"], text=True).strip()
        shims = Path(__file__).parent / "bin"
        return {
            **kept,
            "PATH": f"{shims}:{os.environ['PATH']}",
            "SYSTEMCTL_SOCKET": str(self.run / "systemctl"),
            "HEMI_OPT": str(self.opt),
            "HEMI_ENV_FILE": str(self.env_file),
            "HEMI_SOCKET": str(self.socket),
            "HEMI_USER": user,
            "HEMI_ACME": str(self.acme),
            "HEMI_TLS": str(self.tls),
        }

    def script(self, *argv: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a script of deploy/ here."""
        return self.program(str(DEPLOY / argv[0]), *argv[1:], ok=ok, **env)

    def program(self, *argv: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run any program with the environment of those scripts."""
        env = {**self.environment(), **env}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=180)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done

    def manage(self, *argv: str, stdin: str = "") -> str:
        """Run a command of the release in service."""
        current = self.opt / "current"
        done = subprocess.run(
            [str(current / ".venv/bin/python"), "manage.py", *argv],
            cwd=current,
            env={**self.environment(), "LOG_LEVEL": "WARNING"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, sql: str) -> list[tuple]:
        """Ask the database of this place."""
        with closing(sqlite3.connect(f"file:{self.var / 'hemi.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def clear(self) -> None:
        """Remove it all."""
        shutil.rmtree(self.root, ignore_errors=True)
