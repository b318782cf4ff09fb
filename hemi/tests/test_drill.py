"""The small drill: real processes, real servers, a dozen faults, and the proof that it can fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240


def drill(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "HEMI_VAR": str(folder), "HEMI_ENV_FILE": os.devnull, "HEMI_SANDBOX": "1"}
    return subprocess.run(
        [sys.executable, "-u", "manage.py", "drill", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.mark.drill
def test_no_fault_loses_doubles_or_halves_an_order(tmp_path):
    done = drill(tmp_path, "--small", "--seed", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["seed"] == 4
    assert report["totals"]["fault_points"] >= 12
    assert (report["totals"]["failed"], report["totals"]["lost"]) == (0, [])
    assert {row["outcome"] for row in report["matrix"]} == {"once each, whole"}
    steps = {step for row in report["matrix"] for step in row["steps"]}
    assert {"uploading", "renaming"} <= steps


def test_a_folder_that_is_no_drills_is_left_alone(tmp_path):
    (tmp_path / "hemi.sqlite3").write_bytes(b"somebody's orders")
    done = drill(tmp_path)
    assert done.returncode == 1
    assert "is no drill's folder" in done.stderr
    assert (tmp_path / "hemi.sqlite3").read_bytes() == b"somebody's orders"
