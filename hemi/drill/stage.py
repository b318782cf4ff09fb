"""Where the drill is played: the processes, the servers, the store, and the case of each point."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hemi.drill import rows
from hemi.drill.crew import Crew
from hemi.drill.points import Point
from hemi.drill.shop import Shop
from hemi.drill.yards import Yard
from suppliers.models import Delivery, Supplier

LOOK_SECONDS = 0.1
MEETING_SECONDS = 45
HELD_SECONDS = 4.5  # shorter than the endpoints' patience: whoever was held first must still wait
SETTLING_SECONDS = 400  # a batch whose worker was killed is taken up again after minutes


@dataclass(eq=False)
class Case:
    """A point in play."""

    point: Point
    name: str
    yard: Yard
    supplier: Supplier
    ids: list[int] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)  # recorded when the fault struck
    problems: list[str] = field(default_factory=list)
    was_uncertain: bool = False
    is_met: bool = False
    started_at: float = field(default_factory=time.time)

    @property
    def seconds(self) -> float:
        """Return how long its last file took since its first order was posted."""
        return max(0.0, rows.last_sent_at(self.supplier) - self.started_at)

    def act(self, action: str, **details: Any) -> None:
        """Do something to its server."""
        self.yard.act(self.name, action, **details)

    def met(self) -> list[bool]:
        """Return which of its faults have struck."""
        return self.yard.met()[self.name]


@dataclass
class Stage:
    """What every round works with."""

    crew: Crew
    yard: Yard
    fragile_yard: Yard  # the process that is killed
    shop: Shop
    tell: Callable[[str], None]
    cases: list[Case] = field(default_factory=list)

    def prepare(self, point: Point) -> Case:
        """Make a server, its faults, and a supplier."""
        number = len(self.cases) + 1
        name, yard = f"S{number}", self.fragile_yard if point.tale == "yard" else self.yard
        access = yard.make(name, point.kind, **point.server)
        for fault in point.faults:
            yard.act(name, "fault", **fault)
        case = Case(point, name, yard, rows.make_supplier(number, name, access, **point.endpoint))
        self.cases.append(case)
        return case

    def post(self, case: Case, count: int = 0) -> None:
        """Post a case's orders until each is accepted."""
        case.ids += self.shop.post(case.name, count or case.point.orders)

    def wait_until_met(self, cases: Sequence[Case]) -> None:
        """Wait until each case's faults have struck or the first cannot wait longer; note what is recorded then."""
        first_at = 0.0

        def is_time() -> bool:
            nonlocal first_at
            met = self.yard.met()
            for case in cases:
                case.is_met = all(met[case.name])
            if not first_at and any(case.is_met for case in cases):
                first_at = time.monotonic()
            return all(case.is_met for case in cases) or bool(first_at and time.monotonic() - first_at > HELD_SECONDS)

        self.wait(is_time, MEETING_SECONDS)
        for case in cases:
            case.steps = rows.steps(case.supplier)

    def note_met(self, cases: Sequence[Case]) -> None:
        """Note which faults have struck by now."""
        met = {**self.yard.met(), **self.fragile_yard.met()}
        for case in cases:
            case.is_met = all(met.get(case.name, []))

    def wait_until_settled(self, cases: Sequence[Case], seconds: float = SETTLING_SECONDS) -> None:
        """Wait until every order of the cases is sent."""
        waiting = {case.supplier.pk: case for case in cases}

        def all_sent() -> bool:
            for key, counts in rows.deliveries([case.supplier for case in waiting.values()]).items():
                case = waiting[key]
                if counts[Delivery.Status.SENT] >= len(case.ids) and counts.total() == counts[Delivery.Status.SENT]:
                    del waiting[key]
            return not waiting

        self.wait(all_sent, seconds)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition; tell whether it came true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True
