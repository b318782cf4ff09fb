"""The demo's installation, and how its story is told. The story itself is played by `make demo ONCE=1`."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hemi.demo import Demo
from sandbox.story import Report, Stage, Step, play
from sandbox.story.stage import Login


def _plays(*acts: Callable[[Stage], str]) -> tuple[Report, list[str]]:
    told: list[str] = []
    stage = Stage("http://hemi", Login("user", "password"), {}, Path("schema.xsd"), Path("sandbox"))
    stage.delivered, stage.orders = ["a.xml"], [{}]
    return play(stage, lambda step: told.append(str(step)), [(act.__name__, act) for act in acts]), told


def holds(stage: Stage) -> str:
    return "seen"


def breaks(stage: Stage) -> str:
    raise ConnectionRefusedError("nobody listens")


def test_a_story_that_holds(tmp_path: Path) -> None:
    report, told = _plays(holds, holds)
    assert report.ok
    assert len(told) == 2
    report.write(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written == {
        "ok": True,
        "steps": [{"name": "holds", "ok": True, "seconds": 0.0, "evidence": "seen"}] * 2,
        "delivered": ["a.xml"],
        "orders": 1,
    }


def test_a_story_ends_with_the_first_step_that_fails() -> None:
    report, told = _plays(holds, breaks, holds)
    assert not report.ok
    assert [step.ok for step in report.steps] == [True, False]
    assert "nobody listens" in told[-1]


def test_an_unfinished_story_is_not_ok() -> None:
    assert not Report().ok
    assert not Report([Step("one", True, 0, "seen")]).ok


def test_clears_what_a_demo_left_and_nothing_else(tmp_path: Path) -> None:
    for name in ("hemi.sqlite3", "hemi.sqlite3-wal", "report.json", "hemi.log", "keys.env", "mine.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sandbox" / "mails").mkdir(parents=True)
    Demo(tmp_path).clear()
    assert sorted(os.listdir(tmp_path)) == ["keys.env", "mine.txt"]


def test_nothing_of_the_callers_settings_reaches_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://real/orders")
    monkeypatch.setenv("EMAIL_URL", "smtp://real")
    for program in Demo(tmp_path).programs():
        assert "DATABASE_URL" not in program.env
        assert "127.0.0.1" in program.env["EMAIL_URL"]
        assert program.env["HEMI_VAR"] == str(tmp_path)
        assert program.env["HEMI_ENV_FILE"] == os.devnull
