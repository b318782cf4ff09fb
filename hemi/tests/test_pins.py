"""Each package that an installation gets has one version, also those that no requirements file names."""

from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements.txt", "requirements-dev.txt", "constraints.txt")


def named(file: str) -> list[Requirement]:
    lines = (ROOT / file).read_text().splitlines()
    return [Requirement(line) for line in lines if line[:1].isalnum()]


def brought_by(asked: Requirement) -> list[Requirement]:
    """Return what a package wants where it is asked for like this, on this Python."""
    extras = asked.extras or {""}
    wanted = [Requirement(text) for text in distribution(asked.name).requires or ()]
    return [row for row in wanted if not row.marker or any(row.marker.evaluate({"extra": extra}) for extra in extras)]


def test_what_is_installed_is_what_the_files_pin():
    pins = {canonicalize_name(row.name): str(row.specifier).removeprefix("==") for file in FILES for row in named(file)}
    seen, open_rows = {}, [*named("requirements.txt"), *named("requirements-dev.txt")]
    while open_rows:
        row = open_rows.pop()
        key = (canonicalize_name(row.name), frozenset(row.extras))
        if key not in seen:
            seen[key] = distribution(row.name).version
            open_rows += brought_by(row)
    assert len(seen) > 60
    wrong = {name: version for (name, _), version in seen.items() if pins.get(name) != version}
    assert set(wrong) <= {"pip"}  # comes with the virtual environment


def test_requirements_are_read_with_the_constraints():
    assert "-c constraints.txt" in (ROOT / "requirements.txt").read_text().splitlines()
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()
