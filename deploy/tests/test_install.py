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


def test_the_first_settings_are_new_keys_and_every_line_of_the_example() -> None:
    script = (DEPLOY / "install.sh").read_text()
    function = script[script.index("first_settings() {") : script.index("# Made from .env.example once")]
    made = [
        subprocess.check_output(
            ["bash", "-c", f"NAME=hemi.acme.example; {function} first_settings"], text=True, cwd=DEPLOY
        )
        for _ in range(2)
    ]
    first, second = (dict(line.split("=", 1) for line in text.splitlines() if line[:1].isalpha()) for text in made)
    assert first["HEMI_BASE_URL"] == "https://hemi.acme.example"
    keys = {"SECRET_KEY", "FIELD_ENCRYPTION_KEY", "BACKUP_KEY"}
    assert {name for name in first if first[name] != second[name]} == keys
    assert all(len(first[name]) > 40 for name in keys)
    names = [line.lstrip("#").split("=")[0] for line in made[0].splitlines() if "=" in line]
    example = (DEPLOY.parent / ".env.example").read_text().splitlines()[2:]
    assert names == [line.lstrip("#").split("=")[0] for line in example if "=" in line]


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
