"""The keys of an embedded installation, made once and kept in a file of their own."""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

_HEADER = """\
# Made by Hemi at its first start. These keys are part of every backup: without FIELD_ENCRYPTION_KEY
# no stored token, secret or password can ever be read again. Keep this file private (mode 0600).
"""


def load(path: Path) -> dict[str, str]:
    """Return SECRET_KEY and FIELD_ENCRYPTION_KEY from `path`, making the file first if it is missing."""
    if not path.exists():
        _make(path)
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = f"{_HEADER}SECRET_KEY={secrets.token_urlsafe(50)}\nFIELD_ENCRYPTION_KEY={Fernet.generate_key().decode()}\n"
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp files have mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(body)
    try:
        os.link(draft, path)  # fails if another process was first: its keys win
    except FileExistsError:
        return
    finally:
        os.unlink(draft)
    sys.stderr.write(
        f"Hemi made its keys in {path}. Back this file up together with the database: "
        "without it no stored token or password can be read again.\n"
    )
