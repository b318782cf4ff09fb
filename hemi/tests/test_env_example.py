"""`.env.example` lists every setting, and nothing that is none."""

import itertools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INTERNAL = {"HEMI_ENV_FILE", "HEMI_SANDBOX"}  # of the demo and the tests
ELSEWHERE = {"HEMI_HOST", "HEMI_PORT", "WEB_CONCURRENCY"}  # read by `make run` and gunicorn


def _read_by_settings() -> set[str]:
    text = (ROOT / "hemi" / "settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text)) | {"SECRET_KEY", "FIELD_ENCRYPTION_KEY"}


def test_lists_every_setting_once() -> None:
    listed = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == (_read_by_settings() - INTERNAL) | ELSEWHERE


def test_says_of_each_what_it_is() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"#[A-Z_]+=", line):
            assert re.match(r"# \S.*\.$", before), line
