"""The little statistics that the bench needs."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` per cent of the values do not exceed; 0 where there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * share / 100) - 1)]


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and how far they lie apart: the noise of the machine."""

    median: float
    lowest: float
    highest: float


def spread(values: Sequence[float]) -> Spread:
    """Sum up several rounds of the same measurement."""
    return Spread(statistics.median(values), min(values), max(values))
