"""On what, and in what state, the numbers were found: they mean little without."""

import os
import platform
from pathlib import Path
from typing import Any


def facts(folder: Path) -> dict[str, Any]:
    """Return what a reader needs to compare runs; a load above 0 at the start means noise."""
    return {
        "cores": os.cpu_count(),
        "Python": platform.python_version(),
        "data on": _file_system(folder),
        "load at the start": round(os.getloadavg()[0], 2),
    }


def _file_system(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.is_file():
        return "unknown"
    rows = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    inside = [(len(point), kind) for point, kind in rows if folder.is_relative_to(point)]
    return max(inside)[1] if inside else "unknown"
