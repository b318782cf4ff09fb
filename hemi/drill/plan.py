"""Which rounds are played, and in which order."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import connection

from hemi.drill import chaos, points, rounds, tales
from hemi.drill.points import Point
from hemi.drill.rounds import Round
from sandbox import yard
from sandbox.real_servers import Sshd, Vsftpd

YARDS = ("yard", "fragile-yard")
HELD_AT_ONCE = 12  # fewer than the threads of a delivery worker
AT_ONCE = 24
SMALL = ("renaming, ", "uploading, half", "first sent, second half")
_tell = rounds.tell_tales(tales.TALES)
SMALL_CUTS = ("STOR", "RNTO", "WRITE", "RENAME")


def full(folder: Path) -> list[Round]:
    """Return all rounds that this machine can play."""
    may_mount = yard.may_mount(folder / "mount")
    real = [name for name, server in (("vsftpd", Vsftpd), ("sshd", Sshd)) if server.is_available()]
    has_redis = settings.CELERY_BROKER_URL.startswith("redis")
    return [
        Round("kill", points.kills(), rounds.kill, True, HELD_AT_ONCE),
        Round("freeze", points.freezes(), rounds.freeze, True, HELD_AT_ONCE),
        Round("cut", points.cuts(), _tell, at_once=AT_ONCE),
        Round("trouble", points.troubles(may_mount=may_mount, real_kinds=real), _tell, at_once=AT_ONCE),
        *_chaos(points.chaos(has_redis=has_redis, is_sqlite=connection.vendor == "sqlite")),
    ]


def small() -> list[Round]:
    """Return a dozen faults that take less than a minute."""
    kills = [point for point in points.kills() if point.name.startswith(tuple(f"kill -9, {name}" for name in SMALL))]
    cuts = [point for point in points.cuts() if point.name.endswith(SMALL_CUTS)]
    return [
        Round("kill", kills[::2], rounds.kill, True, HELD_AT_ONCE),
        Round("cut", cuts[:7], _tell, at_once=AT_ONCE),
    ]


def only(chosen: Sequence[Round], name: str) -> list[Round]:
    """Return the rounds with those points whose name, or whose round's name, has this in it."""
    kept = [
        replace(round_, points=[p for p in round_.points if name.casefold() in f"{round_.name}: {p.title}".casefold()])
        for round_ in chosen
    ]
    return [round_ for round_ in kept if round_.points]


def shuffled(chosen: Sequence[Round], order: random.Random) -> list[Round]:
    """Return the points in another order, in rounds of so many as are held at once."""
    found: list[Round] = []
    for round_ in chosen:
        mixed: list[Point] = list(round_.points)
        order.shuffle(mixed)
        step = round_.at_once
        found += [replace(round_, points=mixed[start : start + step]) for start in range(0, len(mixed), step)]
    order.shuffle(found)
    return sorted(found, key=lambda round_: not round_.is_late)


def _chaos(found: Sequence[Point]) -> list[Round]:
    by_tale: dict[str, list[Point]] = {}
    for point in found:
        by_tale.setdefault(point.tale, []).append(point)
    return [
        Round(tale, points_, chaos.TALES[tale], at_once=len(points_), is_late=tale in chaos.LATE)
        for tale, points_ in by_tale.items()
    ]
