"""How points are played: several at a time, for each has a server, an endpoint and orders of its own."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connections

from hemi.drill.points import Point
from hemi.drill.stage import Case, Stage

POSTERS = 4
TIDYING_SECONDS = 20  # whoever lost a claim removes its temporary file

Action = Callable[[Stage, Sequence[Case]], None]


@dataclass(frozen=True)
class Round:
    """Points that are played together."""

    name: str
    points: Sequence[Point]
    action: Action
    is_held: bool = False  # the faults must be met before the action goes on
    at_once: int = 1
    is_late: bool = False  # what was claimed waits for leases of minutes: the others are played meanwhile


def play(stage: Stage, round_: Round) -> list[Case]:
    """Play one round, to its end unless it is a late one."""
    cases = [stage.prepare(point) for point in round_.points]
    for case in cases:
        case.started_at = time.time()
    round_.action(stage, cases)
    if not round_.is_late:
        finish(stage, round_, cases)
    return cases


def finish(stage: Stage, round_: Round, cases: Sequence[Case]) -> None:
    """Wait until all is sent and tidied up."""
    stage.wait_until_settled(cases)
    stage.wait(lambda: not _left_over(cases), TIDYING_SECONDS)
    if not round_.is_held:
        stage.note_met(cases)


def post_all(stage: Stage, cases: Sequence[Case]) -> None:
    """Post the orders of all cases, several cases at a time."""
    with ThreadPoolExecutor(POSTERS) as pool:
        list(pool.map(stage.post, cases))


def kill(stage: Stage, cases: Sequence[Case]) -> None:
    """Kill the worker while the servers hold it at all the points; the servers then do what they were asked."""
    post_all(stage, cases)
    stage.wait_until_met(cases)
    stage.crew.kill("delivery")
    for case in cases:
        case.act("release")


def freeze(stage: Stage, cases: Sequence[Case]) -> None:
    """Freeze the worker at all the points until another has done its work, then let servers and worker go on."""
    post_all(stage, cases)
    stage.wait_until_met(cases)
    stage.crew.freeze("delivery")
    try:
        stage.crew.summon("delivery-2")
        stage.wait_until_settled(cases)
        for case in cases:
            case.act("release")
    finally:
        stage.crew.wake("delivery")
    stage.wait(lambda: not _left_over(cases), TIDYING_SECONDS)
    stage.crew.dismiss("delivery-2")


def tell_tales(tales: dict[str, Callable[[Stage, Case], None]]) -> Action:
    """Return an action that plays each point by the function that its tale names."""

    def play_all(stage: Stage, cases: Sequence[Case]) -> None:
        def run(case: Case) -> None:
            try:
                tales[case.point.tale](stage, case)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(cases)) as pool:
            list(pool.map(run, cases))

    return play_all


def _left_over(cases: Sequence[Case]) -> bool:
    return any(file["name"].endswith(".part") for case in cases for file in case.yard.seen(case.name)["orders"])
