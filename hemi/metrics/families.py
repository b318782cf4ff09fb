"""Each metric with its name, its help and its values."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from hemi import front_page, pulse, tallies
from hemi.metrics import machine, states, waiting
from suppliers.models import DeliveryAttempt

STEPS = ("order", "document", "file", "attempt")
# Each is there from the start: Prometheus sees no increase where a series begins with one.
REFUSALS = ("400", "401", "405", "411", "413", "503")
_SINCE_ROWS = "counted from the rows, within half a minute"


def flow() -> Iterator[Metric]:
    """Yield what came in and went out, and how long it took."""
    tally = tallies.read()
    for name, text in (
        ("webhooks", "Webhooks stored"),
        ("orders", "Orders stored for the first time"),
        ("replies", "Files received from suppliers"),
    ):
        yield _counter(f"hemi_{name}", f"{text}; {_SINCE_ROWS}.", tally.get(name, {}).get("", 0))
    yield _counter("hemi_files_sent", f"Files sent to suppliers; {_SINCE_ROWS}.", _one(tally, "attempts.sent"))
    yield _labelled(
        CounterMetricFamily("hemi_delivery_attempts", "Tries to send a file, by how they ended.", labels=["outcome"]),
        {outcome: _one(tally, f"attempts.{outcome}") for outcome in DeliveryAttempt.Outcome.values},
    )
    seconds = SummaryMetricFamily(
        "hemi_step_seconds",
        "Time from webhook to order, from order to document, from document to file, and of the last attempt alone.",
        labels=["step"],
    )
    for step in STEPS:
        name = f"seconds.{step}"
        seconds.add_metric([step], int(_one(tally, name)), tally.get(name, {}).get(tallies.SECONDS, 0.0))
    yield seconds
    yield from _shopify(tally)
    yield _labelled(
        CounterMetricFamily("hemi_webhooks_refused", "Webhooks that were refused, by status.", labels=["status"]),
        {status: _one(tally, f"webhook.{status}") for status in REFUSALS},
    )


def _shopify(tally: dict[str, dict[str, float]]) -> Iterator[Metric]:
    for name, text in (
        ("calls", "Calls of Shopify's API"),
        ("failed_calls", "Calls of Shopify's API that were not answered, or with a 5xx"),
        ("throttled_calls", "Calls that Shopify refused for now, as the store's points were used up"),
        ("cost_points", "What the calls cost, in Shopify's points"),
        ("wait_seconds", "Time that calls waited for points"),
    ):
        family = CounterMetricFamily(f"hemi_shopify_{name}", f"{text}; by store while they are few.", labels=["store"])
        known = tally.get(f"shopify.{name}", {})
        # A store's counts all begin together, for Prometheus sees no increase where a series begins.
        yield _labelled(family, dict.fromkeys(tally.get("shopify.calls", {}), 0.0) | known)


def waits() -> Iterator[Metric]:
    """Yield what waits, by kind, and what needs a person."""
    rows = list(waiting.read())
    yield _labelled(
        GaugeMetricFamily("hemi_waiting_rows", f"Rows that wait, {waiting.MOST} at most.", labels=["kind"]),
        {kind: count for kind, count, _ in rows},
    )
    yield _labelled(
        GaugeMetricFamily("hemi_oldest_waiting_seconds", "How long the oldest row that waits has.", labels=["kind"]),
        {kind: seconds for kind, _, seconds in rows},
    )
    yield _labelled(
        GaugeMetricFamily(
            "hemi_needs_attention", f"What waits for a person, {front_page.MOST + 1} at most.", labels=["what"]
        ),
        dict(front_page.counts()),
    )
    yield _labelled(
        GaugeMetricFamily("hemi_staff_alerts", "Staff alerts that are open, by kind.", labels=["kind"]),
        states.open_alerts(),
    )


def parts() -> Iterator[Metric]:
    """Yield how endpoints, stores, tokens and Hemi's own processes stand."""
    by_state, one_by_one = states.endpoints()
    yield _labelled(
        GaugeMetricFamily("hemi_endpoints", "Active endpoints by the state of their breaker.", labels=["state"]),
        {state: by_state[state] for state in states.ENDPOINT_STATES},
    )
    family = GaugeMetricFamily(
        "hemi_endpoint_state",
        "1 for the state in which an endpoint is; only while they are few.",
        labels=["endpoint", "state"],
    )
    for name, state in one_by_one:
        family.add_metric([name, state], 1)
    yield family
    yield _labelled(
        GaugeMetricFamily("hemi_accounts", "Stores by what needs a person.", labels=["problem"]),
        {problem or "none": count for problem, count in states.accounts()},
    )
    family = GaugeMetricFamily(
        "hemi_token_expiry_timestamp_seconds", "When a store's token ends; of many the first.", labels=["kind", "store"]
    )
    for kind, store, at in states.token_ends():
        family.add_metric([kind, store], at.timestamp())
    yield family
    yield GaugeMetricFamily("hemi_tokens_over", "Tokens in use that have ended.", value=states.tokens_over())
    yield _heartbeats()
    yield from _machine()


def _machine() -> Iterator[Metric]:
    free = GaugeMetricFamily("hemi_disk_free_bytes", "Room on the disk of a folder.", labels=["folder"])
    share = GaugeMetricFamily("hemi_disk_free_ratio", "The same as a share of the disk.", labels=["folder"])
    for folder, size, ratio in machine.disks():
        free.add_metric([folder], size)
        share.add_metric([folder], ratio)
    yield from (free, share)
    if (age := machine.backup_age()) is not None:
        yield GaugeMetricFamily("hemi_backup_age_seconds", "How old the newest backup is.", value=age)


def _heartbeats() -> Metric:
    family = GaugeMetricFamily(
        "hemi_heartbeat_age_seconds", "How long ago a part of Hemi did its work last.", labels=["part"]
    )
    now = timezone.now()
    for part, at in pulse.last().items():
        family.add_metric([part], max(0.0, (now - at).total_seconds()) if at else float("inf"))
    return family


def _one(tally: dict[str, dict[str, float]], name: str) -> float:
    return tally.get(name, {}).get("", 0.0)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _labelled(family: Metric, values: dict[str, float]) -> Metric:
    for label, value in values.items():
        family.add_metric([label], value)  # type: ignore[attr-defined]
    return family
