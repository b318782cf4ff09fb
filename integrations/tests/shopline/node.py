"""Node beside the tests: the parsers and servers of node/, where node and the packages are there (`make node`)."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node"
PACKAGES = Path(__file__).resolve().parents[3] / "var" / "node"
NODE = shutil.which("node")


def _is_installed() -> bool:
    wanted = FOLDER / "package.json"
    installed = PACKAGES / "installed"  # a copy of the list, made by `make node` when all were there
    return installed.is_file() and installed.read_text() == wanted.read_text()


needed = pytest.mark.skipif(
    NODE is None or not _is_installed(), reason="node or its packages are missing: install node 18 and run `make node`"
)


def read(queries: Sequence[str]) -> list[list]:
    """Return for each query what the parsers make of it: [extended, simple], as node/read.js says."""
    assert NODE is not None
    command = [NODE, str(FOLDER / "read.js"), str(PACKAGES)]
    done = subprocess.run(command, input=json.dumps(queries), capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


@contextmanager
def express(version: str) -> Iterator[str]:
    """Run a shop's backend with this Express, such as "express-4.22"; its secret is `hush`. Gives its address."""
    assert NODE is not None
    command = [NODE, str(FOLDER / "server.js"), str(PACKAGES), version]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()
