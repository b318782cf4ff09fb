"""Bad weather on the way of webhooks: some get lost, some come twice, none comes in order."""

import random
from dataclasses import dataclass, field


@dataclass
class Weather:
    """The share of webhooks that is dropped and doubled, and up to how many seconds each is late; `seed` repeats it."""

    dropped: float = 0.0
    doubled: float = 0.0
    late_seconds: float = 0.0
    seed: int = 1
    rng: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def delays(self) -> list[float]:
        """Return how late each copy of the next webhook is; an empty list loses it."""
        if self.rng.random() < self.dropped:
            return []
        copies = 2 if self.rng.random() < self.doubled else 1
        return [self.rng.uniform(0, self.late_seconds) for _ in range(copies)]
