"""install.sh: what it refuses, and the whole of it on a clean Debian."""

import os
import shutil
import subprocess

import pytest

from deploy.tests.places import DEPLOY


@pytest.mark.parametrize(
    "argv", [(), ("hemi.example.com",), ("localhost", "a@b.example"), ("a;b.example", "a@b.example")]
)
def test_it_wants_a_name_and_an_address_first(argv: tuple[str, ...]) -> None:
    done = subprocess.run([str(DEPLOY / "install.sh"), *argv], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "hemi.example.com" in done.stderr or "you@example.com" in done.stderr or "root" in done.stderr
    assert done.stdout == ""  # not even a first step


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_twice_on_a_clean_debian_then_booted(suite: str) -> None:
    if os.environ.get("HEMI_REHEARSE_INSTALL") != "1":
        pytest.skip("minutes long and fetches a Debian: HEMI_REHEARSE_INSTALL=1 plays it")
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        pytest.skip("needs root and debootstrap")
    done = subprocess.run(
        [str(DEPLOY / "tests/rehearse_install.sh"), suite], capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
