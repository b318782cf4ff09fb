"""A storm: orders at a steady pace, while processes of every kind are killed at random and started again."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from hemi.drill.crew import Crew
from hemi.drill.points import Point
from hemi.drill.stage import Case, Stage

KINDS = ("ftp", "ftps", "sftp", "ftp")
POSTERS = 32
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two kills
AT_ONCE_AGAIN = 0.5  # of those that were killed; the others are missed for seconds
LONGEST_AWAY = 6.0
TELL_SECONDS = 30


@dataclass
class Storm:
    """How it blows: `rate` orders a second, for so many seconds, upon the programs of these names."""

    crew: Crew
    victims: Sequence[str]
    rate: float
    seconds: float
    order: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def blow(self, stage: Stage, cases: Sequence[Case]) -> None:
        """Post the orders of all cases in turn, and kill meanwhile; return when each was answered with 200."""
        killer = threading.Thread(target=self._kill, name="storm")
        with ThreadPoolExecutor(POSTERS) as pool:
            killer.start()
            try:
                posted = list(self._post(pool, stage, cases))
            finally:
                self._is_over.set()
                killer.join()
            for future in posted:
                future.result()

    def _post(self, pool: ThreadPoolExecutor, stage: Stage, cases: Sequence[Case]) -> Iterator[Future]:
        began = told = time.monotonic()
        for number in range(round(self.rate * self.seconds)):
            while (early := began + number / self.rate - time.monotonic()) > 0:
                time.sleep(early)
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                stage.tell(
                    f"{told - began:4.0f} s: {len(stage.shop.accepted)} orders taken, {self.kills.total()} kills"
                )
            yield pool.submit(stage.post, cases[number % len(cases)], 1)

    def _kill(self) -> None:
        away: dict[str, float] = {}
        while not self._is_over.wait(self.order.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)):
            for name in [name for name, until in away.items() if until < time.monotonic()]:
                self.crew.summon(name)
                del away[name]
            name = self.order.choice([name for name in self.victims if name not in away])
            comes_back = self.order.random() < AT_ONCE_AGAIN
            self.crew.kill(name, comes_back=comes_back)
            self.kills[name] += 1
            if not comes_back:
                away[name] = time.monotonic() + self.order.uniform(1, LONGEST_AWAY)
        for name in away:
            self.crew.summon(name)


def prepare(stage: Stage) -> list[Case]:
    """Make a supplier with a server of its own for each kind."""
    cases = [
        stage.prepare(Point("storm", kind, orders=0, endpoint={"max_sessions": 1 + number % 2}))
        for number, kind in enumerate(KINDS)
    ]
    for case in cases:
        case.is_met = True
    return cases
