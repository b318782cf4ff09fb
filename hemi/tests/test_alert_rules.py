"""Each alert fires by what /metrics says of a state in the database, and none of a healthy one; promtool judges."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from hemi import pulse, tallies
from hemi.backup import nightly
from hemi.lib import counters
from hemi.metrics import machine, waiting
from hemi.models import Heartbeat
from integrations import inbox
from integrations.models import (
    AccountShopify,
    Integration,
    IntegrationCredentials,
    PrivacyRequest,
    StaffAlert,
    WebhookEvent,
)
from integrations.tests.webhooks import post
from orders.models import Shipment
from suppliers.models import Delivery, DeliveryAttempt, SupplierOrder, SupplierReply
from suppliers.tests import factories

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "hemi.rules.yml"
ALERTS = {rule["alert"]: rule for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}
APPS = ("hemi", "integrations", "orders", "suppliers", "templates")
SETTLED = 60  # minutes of the healthy state before the other one

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def healthy(monkeypatch, settings):
    """A Hemi whose parts all work, with a disk that is half full."""
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian: prometheus)")
    monkeypatch.setattr(counters, "_counters", counters.Counters())
    monkeypatch.setattr(connection, "close", lambda: None)  # the connection is the test's own
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: SimpleNamespace(total=100, free=50))
    counters.write_with(tallies.write, 3600)
    settings.IS_MAIL_SET = True
    tallies.count_rows()
    for part in pulse.PARTS:
        pulse.beat(part)


def ago(**span: float) -> dict:
    """Return the columns of a row that has been due for so long."""
    return {"next_attempt_at": timezone.now() - timedelta(**span)}


def account(**values) -> AccountShopify:
    return AccountShopify.objects.create(**{"shop_name": f"shop-{AccountShopify.objects.count()}", **values})


def event(**values) -> WebhookEvent:
    return WebhookEvent.objects.create(account=account(), webhook_id="1", topic="t", body=b"", **values)


def attempts(outcome: str, count: int, seconds: float = 1) -> None:
    delivery, now = factories.delivery(factories.supplier(), status="sent"), timezone.now()
    rows = {"delivery": delivery, "started_at": now - timedelta(seconds=seconds), "ended_at": now, "outcome": outcome}
    DeliveryAttempt.objects.bulk_create(DeliveryAttempt(number=number, **rows) for number in range(count))
    look()


def look() -> None:
    """Count what is there: rows count from the second look on."""
    tallies.count_rows()
    tallies.count_rows()


def many_refused(client) -> None:
    integration = Integration.objects.create(name="App")
    IntegrationCredentials.objects.create(integration=integration, client_secret="hush")
    store = account(integration=integration)
    for _ in range(25):
        assert post(client, store, b"{}", secret="wrong").status_code == 401
    counters.tell()


def orders_and_no_file(client) -> None:
    store = account()
    for _ in range(8):
        factories.order(account=store)
    look()


def sick_api(client) -> None:
    tallies.write({("shopify.calls", "shop"): 40, ("shopify.failed_calls", "shop"): 15})


def closed_door(client) -> None:
    # A scrape that is refused is `up == 0` as one that is not answered.
    client.defaults["REMOTE_ADDR"] = "203.0.113.9"


def old_backup(client, settings, tmp_path) -> None:
    settings.BACKUP_KEY, settings.BACKUP_DIR = ["key"], tmp_path


def full_disk(client, monkeypatch) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: SimpleNamespace(total=100, free=4))


def refresh_token(client) -> None:
    account(access_token="t", refresh_token="r", refresh_expires_at=timezone.now() + timedelta(days=7))


def supplier_order(**values) -> SupplierOrder:
    return factories.part(factories.supplier(), **values)


def reply(**values) -> SupplierReply:
    return SupplierReply.objects.create(
        endpoint=factories.endpoint(), file_name="r.xml", sha256="0", size=1, content=b"", **values
    )


def shipment(**values) -> Shipment:
    order = factories.order(account=account(access_token="t"))
    return Shipment.objects.create(order=order, reference="R", despatch="1", **values)


def nightly_failure(kind: str) -> None:
    with pytest.raises(OSError), nightly.told(kind):
        raise OSError("No room.")


def given_up(client) -> None:
    event(attempts=inbox.MAX_ATTEMPTS)
    inbox.process_events()


def silent(client) -> None:
    Heartbeat.objects.filter(name=pulse.WORK).update(at=timezone.now() - timedelta(minutes=10))


STATES: dict[str, Callable] = {
    "HemiDown": closed_door,
    "HemiPartSilent": silent,
    "HemiDiskFull": full_disk,
    "HemiBackupOld": old_backup,
    "HemiRehearsalFailed": lambda client: nightly_failure(nightly.REHEARSAL),
    "HemiJournalNotCopied": lambda client: nightly_failure(nightly.JOURNAL),
    "HemiWebhooksNotStored": lambda client: tallies.write({("webhook.503", ""): 1}),
    "HemiWebhooksRefused": many_refused,
    "HemiWebhooksWait": lambda client: event(received_at=timezone.now() - timedelta(minutes=20), **ago(minutes=20)),
    "HemiWebhooksGivenUp": given_up,
    "HemiWorkWaits": lambda client: factories.order(needs_routing=True, **ago(minutes=40)),
    "HemiFilesWait": lambda client: factories.delivery(factories.supplier(), **ago(hours=1)),
    "HemiShipmentsWait": lambda client: shipment(**ago(hours=3)),
    "HemiStaffMailWaits": lambda client: StaffAlert.objects.create(
        kind="k", key="1", subject="s", text="t", raised_at=timezone.now() - timedelta(hours=3)
    ),
    "HemiPrivacyRequestWaits": lambda client: PrivacyRequest.objects.create(
        kind="customers/redact", shop_name="a", received_at=timezone.now() - timedelta(days=21), due_at=timezone.now()
    ),
    "HemiNothingSent": orders_and_no_file,
    "HemiDeliveriesFail": lambda client: attempts("failed", 20),
    "HemiSlow": lambda client: attempts("sent", 10, seconds=200),
    "HemiEndpointLeftAlone": lambda client: factories.endpoint(opened_at=timezone.now()),
    "HemiEndpointStopped": lambda client: factories.endpoint(stopped_at=timezone.now()),
    "HemiOutboxClosed": lambda client: factories.endpoint(closed_at=timezone.now()),
    "HemiDeliveriesGivenUp": lambda client: factories.delivery(factories.supplier(), status=Delivery.Status.DEAD),
    "HemiDeliveriesUncertain": lambda client: factories.delivery(
        factories.supplier(), status=Delivery.Status.UNCERTAIN
    ),
    "HemiDocumentsBlocked": lambda client: supplier_order(status=SupplierOrder.Status.BLOCKED),
    "HemiLinesWithoutSupplier": lambda client: factories.order(attention="Nobody makes line 1."),
    "HemiRepliesUnread": lambda client: reply(status=SupplierReply.Status.UNMATCHED),
    "HemiRepliesOverdue": lambda client: supplier_order(
        status=SupplierOrder.Status.SENT, reply_due_at=timezone.now() - timedelta(hours=1)
    ),
    "HemiShipmentsBlocked": lambda client: shipment(status=Shipment.Status.BLOCKED),
    "HemiSubscriptionsFailed": lambda client: account(webhooks=AccountShopify.Webhooks.FAILED),
    "HemiStoreRefuses": lambda client: account(problem=AccountShopify.Problem.REAUTHORISE),
    "HemiTokensOver": lambda client: account(access_token="t", token_expires_at=timezone.now() - timedelta(hours=1)),
    "HemiRefreshTokenEnds": refresh_token,
    "HemiShopifyFails": sick_api,
    "HemiShopifyBusy": lambda client: tallies.write({("shopify.wait_seconds", "shop"): 800}),
}


def scrape(client) -> dict[str, float]:
    """Return the values by series as Prometheus would store them, with `up`."""
    answer = client.get("/metrics")
    found = {'up{job="hemi"}': float(answer.status_code == 200)}
    if answer.status_code == 200:
        for family in text_string_to_metric_families(answer.content.decode()):
            for sample in family.samples:
                labels = ",".join(f"{name}={json.dumps(value)}" for name, value in sample.labels.items())
                found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def played(scrapes: tuple[dict[str, float], dict[str, float]], minutes: int, expected: str) -> dict:
    """Return a test of promtool's: an hour of the first scrape, then the second; `expected` fires, nothing else."""
    before, after = scrapes
    series = []
    for name in before | after:
        values = [before.get(name), after.get(name)]
        if "_timestamp_seconds" in name:  # the clock of promtool begins in 1970
            shift = timezone.now().timestamp() - minutes * 60
            values = [value and value - shift for value in values]
        spans = (_span(value, count) for value, count in zip(values, (SETTLED, minutes - SETTLED + 1), strict=True))
        series.append({"series": name, "values": " ".join(spans)})
    firing = [{"labels": f'{{alertname="{expected}"}}', "value": 1}] if expected else []
    query = 'count by (alertname) (count by (alertname) (ALERTS{alertstate="firing"}))'
    asked = {"expr": query, "eval_time": f"{minutes}m", "exp_samples": firing}
    return {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}


def judge(folder: Path, *tests: dict) -> None:
    """Let promtool play the tests."""
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": list(tests)}))
    said = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def _span(value: float | None, minutes: int) -> str:
    """Return so many samples of a value as promtool reads them; None: the series is not there."""
    if value is None:
        return f"_x{minutes}"
    return f"{min(value, 1e9):.3f}+0x{minutes - 1}"


def minutes_of(span: str) -> int:
    number, unit = int(span[:-1]), span[-1]
    return number * {"m": 1, "h": 60}[unit]


@pytest.fixture
def make(client, settings, tmp_path, monkeypatch) -> Callable:
    """Return what makes a state, with what it asks for."""
    known = {"client": client, "settings": settings, "tmp_path": tmp_path, "monkeypatch": monkeypatch}

    def run(state: Callable) -> None:
        state(**{name: known[name] for name in state.__code__.co_varnames[: state.__code__.co_argcount]})

    return run


def test_promtool_reads_the_files():
    for kind, name in (("rules", "hemi.rules.yml"), ("config", "prometheus.yml")):
        said = subprocess.run(
            ["promtool", "check", kind, name], cwd=RULES.parent, capture_output=True, text=True, timeout=60, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr


def test_every_alert_is_made_to_fire_and_has_its_page():
    assert set(STATES) == set(ALERTS)
    pages = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE))
    assert pages >= set(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_whatever_waits_has_its_alert():
    said = " ".join(rule["expr"] for rule in ALERTS.values())
    named = {kind for found in re.findall(r'kind=~?"([^"]+)"', said) for kind in found.split("|")}
    assert {kind.name for kind in waiting.KINDS} - named == set()


def test_the_runbook_names_only_what_the_screens_say():
    """What stands in italics: lists, filters, columns, buttons; and the labels of metrics."""
    said = (ROOT / "docs" / "runbook.md").read_text()
    words = {" ".join(found.split()) for found in re.findall(r"(?<![*\w])\*([^*]+)\*(?!\*)", said)}
    sources = [path for app in APPS for kind in ("*.py", "*.html") for path in (ROOT / app).rglob(kind)]
    known = "\n".join(path.read_text() for path in sources if "tests" not in path.parts).lower()
    assert len(words) > 50
    assert sorted(word for word in words if word.lower() not in known) == []


def test_nothing_fires_while_all_is_well(client, tmp_path):
    supplier = factories.supplier()
    before = scrape(client)
    for _ in range(8):
        factories.order(account=account(access_token="t", token_expires_at=timezone.now() + timedelta(hours=1)))
    factories.delivery(supplier)
    attempts("sent", 20)
    tallies.write({("shopify.calls", "shop"): 400, ("shopify.failed_calls", "shop"): 3})
    judge(tmp_path, played((before, scrape(client)), 2 * SETTLED + 30, ""))


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_fires(client, make, tmp_path, name):
    tallies.write({("shopify.calls", "shop"): 1})
    before = scrape(client)
    make(STATES[name])
    minutes = SETTLED + minutes_of(ALERTS[name].get("for", "0m")) + 3
    judge(tmp_path, played((before, before), minutes, ""), played((before, scrape(client)), minutes, name))


def test_the_judge_is_strict(client, tmp_path):
    before = scrape(client)
    factories.endpoint(stopped_at=timezone.now())
    after = scrape(client)
    for wrong in ("", "HemiOutboxClosed"):
        with pytest.raises(AssertionError, match="HemiEndpointStopped"):
            judge(tmp_path, played((before, after), SETTLED + 10, wrong))
