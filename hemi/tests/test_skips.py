"""A skipped test fails a run in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hemi.tests import skips

TESTS = """
import pytest
def test_done(): pass
@pytest.mark.skip(reason="no server")
def test_left_out(): pass
@pytest.mark.xfail
def test_expected(): assert False
"""
MODULE = "import pytest; pytest.skip('no module', allow_module_level=True)"


def _run(folder: Path, text: str, **env: str) -> subprocess.CompletedProcess:
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "hemi.tests.skips", "-p", "no:django", "-p", "no:cacheprovider"]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [*argv, str(folder)],
        env={**os.environ, "PYTHONPATH": str(root), **env},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("text", [TESTS, MODULE])
def test_a_skip_fails_the_run_in_ci(tmp_path: Path, text: str) -> None:
    answer = _run(tmp_path, text, CI="true")
    assert answer.returncode == 1, answer.stdout
    assert "not allowed by allowed_skips.txt" in answer.stdout


def test_a_skip_is_fine_elsewhere(tmp_path: Path) -> None:
    assert _run(tmp_path, TESTS, CI="").returncode == 0


def test_a_run_without_skips_is_fine_in_ci(tmp_path: Path) -> None:
    assert _run(tmp_path, "def test_done(): pass", CI="true").returncode == 0


def test_the_list_is_read_and_wants_reasons() -> None:
    assert skips.read("# remark\n\na/test_b.py::*  # needs a Mac\n") == {"a/test_b.py::*": "needs a Mac"}
    with pytest.raises(ValueError, match="without a reason"):
        skips.read("a/test_b.py")
    assert isinstance(skips.read(skips.LIST.read_text()), dict)
