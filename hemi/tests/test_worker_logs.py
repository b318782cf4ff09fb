"""What workers and beat log: what the settings say, not what Celery likes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETS_UP = (
    "import logging, django; django.setup(); from hemi.celery import app; app.log.setup(loglevel='WARNING');"
    "logging.getLogger('suppliers.outbox').info('delivery.sent', extra={'delivery': 7});"
    "logging.getLogger('celery.worker.strategy').info('Task received')"
)


def test_steps_are_logged_and_sweeps_are_not(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HEMI_VAR": str(tmp_path),
        "HEMI_ENV_FILE": os.devnull,
        "LOG_FORMAT": "json",
        "DJANGO_SETTINGS_MODULE": "hemi.settings",
    }
    argv = [sys.executable, "-c", SETS_UP]
    answer = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert '"event": "delivery.sent", "delivery": 7}' in answer.stderr
    assert "Task received" not in answer.stderr
