"""The small drill: real processes, real servers, a dozen faults, and the proof that it can fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hemi.drill import proof
from hemi.drill.points import Point
from hemi.drill.stage import Case
from hemi.drill.yards import Yard as Control
from sandbox.yard import Yard
from suppliers.models import Delivery
from suppliers.tests import factories

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


@pytest.fixture
def case(db, tmp_path):
    """One order that was accepted and sent: the database, the supplier's folder and its ledger agree."""
    yard = Yard(tmp_path / "yard")
    yard.start()
    control = Control(yard.web.url)
    control.make("S1", "ftp")
    supplier = factories.supplier()
    row = factories.delivery(supplier, status=Delivery.Status.SENT, step=Delivery.Step.SENT)
    case = Case(Point("nothing", "ftp"), "S1", control, supplier, [row.supplier_order.order.shopify_id], is_met=True)
    case.path = yard.plots["S1"].server.orders_folder / row.final_name
    case.path.write_bytes(row.document)
    yard.ledger.note("S1", case.path)
    case.ledger, case.row = yard.ledger, row
    yield case
    yard.stop()


def problems(case):
    proof.prove(case, proof.read_ledger(case.ledger.path))
    return " ".join(case.problems)


def test_the_proof_finds_nothing_where_all_is_well(case):
    assert problems(case) == ""
    assert proof.lost_orders(case.ids) == []


def test_the_proof_names_what_is_lost_doubled_or_half_written(case):
    case.ledger.note("S1", case.path)
    assert "arrived 2 times" in problems(case)
    case.path.write_bytes(case.row.document[:5])
    assert "is not what the database holds (5 of" in problems(case)
    case.path.rename(case.path.with_suffix(".part"))
    found = problems(case)
    assert "is there 0 times" in found
    assert ".part lies at S1 and belongs to nothing" in found
    case.ids.append(77)
    assert "order 77: no order, though it was answered with 200" in problems(case)
    assert proof.lost_orders(case.ids) == ["order 77: accepted, not sent"]


def test_the_proof_names_rows_that_nobody_would_come_back_to(case):
    Delivery.objects.update(status=Delivery.Status.DEAD)
    assert "is neither final nor due" in problems(case)
    Delivery.objects.update(status=Delivery.Status.SENT, claim_token="left")
    assert "is final and still claimed" in problems(case)


def test_a_fault_that_nobody_met_is_a_failure(case):
    case.is_met = False
    assert problems(case) == proof.NEVER_MET


def test_a_folder_that_is_no_drills_is_left_alone(tmp_path):
    (tmp_path / "hemi.sqlite3").write_bytes(b"somebody's orders")
    done = drill(tmp_path)
    assert done.returncode == 1
    assert "is no drill's folder" in done.stderr
    assert (tmp_path / "hemi.sqlite3").read_bytes() == b"somebody's orders"
