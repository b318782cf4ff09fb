"""What happens to Hemi's own processes, and to what they stand on, while orders are posted and delivered."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import redis
from django.conf import settings
from django.db import connection, connections

from hemi.drill.rounds import POSTERS
from hemi.drill.stage import Case, Stage

AWAY_SECONDS = 4
KILLS = 3
BETWEEN_SECONDS = 1.5
LOCK_SECONDS = 6


@contextmanager
def posting(stage: Stage, cases: Sequence[Case]) -> Iterator[None]:
    """Post all orders while the block runs; wait for the last at its end."""
    with ThreadPoolExecutor(POSTERS) as pool:
        posted = [pool.submit(stage.post, case) for case in cases]
        yield
        for future in posted:
            future.result()


def kill(name: str, times: int = 1) -> Callable[[Stage, Sequence[Case]], None]:
    """Return what kills a program while orders are under way."""

    def run(stage: Stage, cases: Sequence[Case]) -> None:
        with posting(stage, cases):
            for _ in range(times):
                time.sleep(BETWEEN_SECONDS)
                stage.crew.kill(name)

    return run


def web(stage: Stage, cases: Sequence[Case]) -> None:
    """Kill the web process under the webhooks that it is taking; who got no 200 posts again."""
    with posting(stage, cases):
        for _ in range(KILLS):
            time.sleep(0.1)
            stage.crew.kill("web")
            time.sleep(BETWEEN_SECONDS)
    _further(stage, cases)


def everybody(stage: Stage, cases: Sequence[Case]) -> None:
    """Kill all of Hemi at once, as a power cut does."""
    with posting(stage, cases):
        time.sleep(0.5)
        for name in ("web", "work", "delivery", "beat"):
            stage.crew.kill(name)
    _further(stage, cases)


def broker(stage: Stage, cases: Sequence[Case]) -> None:
    """Take the broker away while orders arrive, with all that waited in it."""
    with posting(stage, cases):
        if settings.CELERY_BROKER_URL.startswith("redis"):
            with redis.Redis.from_url(settings.CELERY_BROKER_URL) as server:
                server.flushdb()
                server.client_kill_filter(_type="normal", skipme=True)
        else:
            folder = settings.VAR_DIR / "broker"
            gone = folder.rename(folder.with_name("broker-gone"))
            time.sleep(AWAY_SECONDS)
            for name in ("messages", "control"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            for path in (gone / "control").iterdir():  # what waited in it is lost
                path.rename(folder / "control" / path.name)
    _further(stage, cases)


def database(stage: Stage, cases: Sequence[Case]) -> None:
    """Lock SQLite's database for a while; end every connection to PostgreSQL, again and again."""
    with posting(stage, cases):
        time.sleep(0.3)
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                time.sleep(LOCK_SECONDS)
                cursor.execute("ROLLBACK")
        else:
            for _ in range(KILLS):
                _end_connections()
                time.sleep(BETWEEN_SECONDS)
            connections.close_all()  # the drill's own are among them
    _further(stage, cases)


def two_workers(stage: Stage, cases: Sequence[Case]) -> None:
    """Have two workers on the queue of deliveries, and kill one of them on the way."""
    stage.crew.summon("delivery-2")
    with posting(stage, cases):
        time.sleep(AWAY_SECONDS)
        stage.crew.kill("delivery-2")
    stage.wait_until_settled(cases)
    stage.crew.dismiss("delivery-2")


def yard(stage: Stage, cases: Sequence[Case]) -> None:
    """Kill the process of the suppliers' servers and start it again: same ports, same files."""
    with posting(stage, cases):
        time.sleep(BETWEEN_SECONDS)
        stage.crew.kill("fragile-yard")
        time.sleep(AWAY_SECONDS)


LATE = ("work", "everybody")


def _further(stage: Stage, cases: Sequence[Case]) -> None:
    """Show that new orders are taken afterwards."""
    for case in cases:
        stage.post(case, 2)


def _end_connections() -> None:
    where = settings.DATABASES["default"]
    with psycopg.connect(
        host=where["HOST"] or None,
        port=where["PORT"] or None,
        user=where["USER"] or None,
        password=where["PASSWORD"] or None,
        dbname=where["NAME"],
        autocommit=True,
    ) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


TALES: dict[str, Callable[[Stage, Sequence[Case]], None]] = {
    "web": web,
    "work": kill("work", KILLS),
    "delivery": kill("delivery", KILLS),
    "beat": kill("beat", KILLS),
    "broker": broker,
    "database": database,
    "everybody": everybody,
    "two_workers": two_workers,
    "yard": yard,
}
