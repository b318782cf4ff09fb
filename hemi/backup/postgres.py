"""PostgreSQL: pg_dump of one moment while the system runs, and pg_restore in one transaction."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from hemi.backup.manifest import LEFT_OUT, BackupError, Tables

NAME = "postgresql"
# What a row looks like as text must not hang on who asks.
_SAME = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'"
_OWN = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1"
)
TLS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
_PLAIN = ["--no-owner", "--no-privileges"]


def snapshot(database: dict[str, Any], target: Path) -> tuple[Tables, list[str]]:
    """Dump the database to `target`; return the tables and migrations of the same moment."""
    with _connected(database) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        (moment,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        argv = [_program("pg_dump"), "--format=custom", *_PLAIN, f"--snapshot={moment}", f"--file={target}"]
        done = subprocess.run(argv, env=_environment(database), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise BackupError(f"pg_dump failed: {done.stderr.strip()[-500:]}")
        rows = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        return _tables(connection), [name for (name,) in rows.fetchall()]


def size(database: dict[str, Any]) -> int:
    """Return about how many bytes a dump takes."""
    with _connected(database) as connection:
        return int((connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,))[0])


def tables(database: dict[str, Any]) -> Tables:
    """Return each table's rows and checksum."""
    with _connected(database) as connection:
        return _tables(connection)


def is_empty(database: dict[str, Any]) -> bool:
    """Tell whether nothing is there that a restore would overwrite."""
    with _connected(database) as connection:
        return not connection.execute(_OWN).fetchone()


def users(database: dict[str, Any]) -> int:
    """Return how many others are connected to the database."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with _connected(database) as connection:
        return int((connection.execute(f"{others} AND backend_type = 'client backend'").fetchone() or (0,))[0])


def load(dump: Path, database: dict[str, Any], closed_at: datetime) -> None:
    """Put the dump in place of what is there and close the outboxes, all in one transaction."""
    with _connected(database) as connection:
        former = [name for (name,) in connection.execute(_OWN).fetchall()]
        drops = b"".join(_text(connection, "DROP TABLE IF EXISTS {} CASCADE;\n", name) for name in former)
        (schema,) = connection.execute("SELECT current_schema()").fetchone() or ("public",)
        closing = f"UPDATE \"{schema}\".suppliers_endpoint SET closed_at = '{closed_at.isoformat()}';\n"  # noqa: S608
    argv = [_program("pg_restore"), *_PLAIN, "--clean", "--if-exists", "--file=-", str(dump)]
    psql = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    environment = _environment(database)
    with (
        subprocess.Popen(psql, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as writer,  # noqa: S603
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader,  # noqa: S603
    ):
        assert writer.stdin and writer.stderr and reader.stdout and reader.stderr
        try:
            writer.stdin.write(b"SET client_min_messages = warning;\nBEGIN;\n" + drops)
            shutil.copyfileobj(reader.stdout, writer.stdin)
            # Without COMMIT the server takes everything back, so that it is said only once all has been read.
            if reader.wait() == 0:
                writer.stdin.write(closing.encode() + b"COMMIT;\n")
            writer.stdin.close()
        except BrokenPipeError:
            reader.kill()
        said = writer.stderr.read().decode(errors="replace") + reader.stderr.read().decode(errors="replace")
    if writer.returncode or reader.returncode:
        raise BackupError(f"The database could not be restored; nothing was changed. {said.strip()[-500:]}")


def tls(database: dict[str, Any]) -> dict[str, Any]:
    """Return what DATABASE_URL demands of the way to the server."""
    return {name: str(value) for name, value in database.get("OPTIONS", {}).items() if name in TLS}


@contextmanager
def scratch(database: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Make an empty database of that name on the same server, in place of a former one, and remove it at the end."""
    try:
        _outside(database, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _outside(database, "CREATE DATABASE {}", name)
    except psycopg.errors.InsufficientPrivilege:
        user = database["USER"] or "hemi"
        raise BackupError(
            f"{user} may not make databases on this server. Let it, once: ALTER USER {user} CREATEDB; "
            "or name an empty database: rehearse_restore --database postgres://…"
        ) from None
    try:
        yield {**database, "NAME": name}
    finally:
        _outside(database, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _outside(database: dict[str, Any], statement: str, name: str) -> None:
    with _connected(database) as connection:
        connection.rollback()
        connection.autocommit = True
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _tables(connection: psycopg.Connection) -> Tables:
    connection.execute(_SAME)
    names = [name for (name,) in connection.execute(_OWN).fetchall()]
    return {name: _digest(connection, name) for name in names}


def _digest(connection: psycopg.Connection, table: str) -> tuple[int, str]:
    quoted = sql.Identifier(table).as_string(connection)
    columns = [name for (name,) in connection.execute(_COLUMNS, [quoted]).fetchall()]
    wanted = sql.SQL(", ").join(sql.Identifier(name) for name in columns if name not in LEFT_OUT.get(table, ()))
    # A sum hangs on no order, and the server adds it up itself.
    found = sql.SQL(
        "SELECT count(*), coalesce(sum(('x' || substr(md5(row({})::text), 1, 15))::bit(60)::bigint), 0)::text FROM {}"
    ).format(wanted, sql.Identifier(table))
    count, total = connection.execute(found).fetchone() or (0, "0")
    return int(count), str(total)


def _text(connection: psycopg.Connection, statement: str, name: str) -> bytes:
    return sql.SQL(statement).format(sql.Identifier(name)).as_bytes(connection)


def _connected(database: dict[str, Any]) -> psycopg.Connection:
    try:
        return psycopg.connect(
            dbname=database["NAME"],
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            connect_timeout=10,
            **tls(database),
        )
    except psycopg.OperationalError as error:
        raise BackupError(f"The database cannot be reached: {error}") from None


def _environment(database: dict[str, Any]) -> dict[str, str]:
    """Return what pg_dump and psql read; the password stands in no list of processes."""
    names = {"PGDATABASE": "NAME", "PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    own = {name: str(database[key]) for name, key in names.items() if database[key]}
    return {**os.environ, **own, **{TLS[name]: value for name, value in tls(database).items()}}


def _program(name: str) -> str:
    if path := shutil.which(name):
        return path
    raise BackupError(f"{name} is not installed: apt install postgresql-client")
