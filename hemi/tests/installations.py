"""A Hemi of a test's own, run by commands in processes of their own, on SQLite or on a PostgreSQL of the test's own."""

import json
import os
import pwd
import select
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet
from django.conf import settings

SECONDS = 120
_INITDB = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
HAS_POSTGRES = bool(_INITDB and shutil.which("psql"))


# Takes commands, each in a process of its own that begins where Django is set up already: that takes longest.
_FORKS = """
import json, os, sys
import django
from django.core.management import execute_from_command_line
django.setup()
import hemi.urls
while line := sys.stdin.readline():
    argv, script, said = json.loads(line)
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
if line:
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for handle in (1, 2):
        os.dup2(out, handle)
    sys.stdin.close()
    exec(script, {"__name__": "__main__"}) if script else execute_from_command_line(["manage.py", *argv])
"""


class Installation:
    """A folder with var/, backups and the journal apart from it."""

    def __init__(self, folder: Path, database: str = "", key: str = "") -> None:
        self.folder, self.database = folder, database
        self.var, self.backups, self.sent = folder / "var", folder / "backups", folder / "sent"
        self.key = Fernet.generate_key().decode()
        self.env = {
            "PATH": os.environ["PATH"],
            "HEMI_ENV_FILE": os.devnull,
            "HEMI_VAR": str(self.var),
            "HEMI_SANDBOX": "1",
            "BACKUP_KEY": self.key,
            "BACKUP_DIR": str(self.backups),
            "JOURNAL_DIR": str(self.sent),
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "hemi.settings",
        }
        if database:
            self.env |= {"DATABASE_URL": database, "SECRET_KEY": "s" * 50, "FIELD_ENCRYPTION_KEY": key or self.key}
        self._forks: subprocess.Popen | None = None

    def close(self) -> None:
        """End what is kept ready for commands; the next one starts anew, with the keys that are there then."""
        if self._forks:
            with self._forks as forks:
                forks.stdin.close()
            self._forks = None

    def clone(self, folder: Path) -> "Installation":
        """Return another one that is as this one is now."""
        database = new_database(*self.database.rsplit("/", 1), as_name=folder.name) if self.database else ""
        shutil.copytree(self.var, folder / "var")
        return Installation(folder, database, self.key)

    def manage(self, *words: str, code: int = 0, **env: str) -> str:
        """Run a command; return all that it said."""
        return self._run(["manage.py", *words], code, env) if env else self._fork(words, "", code)

    def python(self, script: str, **env: str) -> str:
        """Run a script in this installation."""
        return (
            self._run(["-c", f"import django; django.setup()\n{script}"], 0, env) if env else self._fork([], script, 0)
        )

    def rows(self) -> dict[str, list]:
        """Return all rows of all tables, as the database itself writes them."""
        return dict(_sqlite_rows(self.var / "hemi.sqlite3") if not self.database else _postgres_rows(self.database))

    def destroy(self) -> None:
        """Lose the folder and the database; what was kept apart stays."""
        self.close()
        shutil.rmtree(self.var)
        if self.database:
            server, _, name = self.database.rpartition("/")
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}"')
                connection.execute(f'CREATE DATABASE "{name}"')

    def _fork(self, argv: Sequence[str], script: str, code: int) -> str:
        if not self._forks:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self._forks = subprocess.Popen([sys.executable, "-c", _FORKS], cwd=settings.BASE_DIR, env=self.env, **pipes)
        said = self.folder / "said"
        said.unlink(missing_ok=True)
        self._forks.stdin.write(json.dumps([[*argv], script, str(said)]) + "\n")
        self._forks.stdin.flush()
        is_done, _, _ = select.select([self._forks.stdout], [], [], SECONDS)
        answer = self._forks.stdout.readline() if is_done else f"not done after {SECONDS} seconds"
        if "restore" in argv:
            self.close()
        text = said.read_text() if said.exists() else ""
        assert answer.strip() == str(code), text
        return text

    def _run(self, argv: list[str], code: int, env: dict[str, str]) -> str:
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=settings.BASE_DIR,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL on a free port; give the address of its server, to which a database's name is added."""
    programs = _INITDB[-1].parent
    owner = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="hemi-postgres-") as name:  # pytest's own folder is closed to others
        folder, data = Path(name), Path(name) / "data"
        if owner:
            shutil.chown(folder, owner, pwd.getpwnam(owner).pw_gid)
        how = {"user": owner, "cwd": folder, "check": True, "capture_output": True, "timeout": SECONDS}
        words = ["-U", "hemi", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([programs / "initdb", "-D", data, *words], **how)
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            port = probe.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        subprocess.run([programs / "pg_ctl", "-D", data, "-o", options, "-w", "-l", folder / "log", "start"], **how)
        try:
            yield f"postgres://hemi@127.0.0.1:{port}"
        finally:
            subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **how)


def new_database(server: str, template: str, as_name: str) -> str:
    """Make a database there, empty (template0) or as another one, and return its address."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{as_name}" TEMPLATE "{template}"')
    return f"{server}/{as_name}"


def _sqlite_rows(path: Path) -> Iterator[tuple[str, list]]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute(names).fetchall():
            columns = sorted(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")'))
            wanted = ", ".join(f'"{column}"' for column in columns if column != "closed_at")
            yield name, sorted(map(repr, connection.execute(f'SELECT {wanted} FROM "{name}"')))


def _postgres_rows(database: str) -> Iterator[tuple[str, list]]:
    with psycopg.connect(database) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            rows = connection.execute(f"SELECT (to_jsonb(t) - 'closed_at')::text FROM \"{name}\" t").fetchall()
            yield name, sorted(text for (text,) in rows)
