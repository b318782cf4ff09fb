"""Addresses of databases for the processes that a test starts."""

from django.db import connection


def address(name: str = "") -> str:
    """Return DATABASE_URL of the tests' own database, or of another one on its server."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    user = f"{found['USER']}:{found['PASSWORD']}@" if found["USER"] else ""
    return f"postgres://{user}{found['HOST']}:{found['PORT']}/{name or found['NAME']}"
