"""An order as its shopper sees it: numbered parts, their parcels and steps, and the states in plain words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    """The states of a line, a part and an order, from the earliest on."""

    RECEIVED = "received", _("Received")
    SENT = "sent", _("Sent to the maker")
    CONFIRMED = "confirmed", _("Confirmed by the maker")
    PARTLY_SHIPPED = "partly_shipped", _("Partly shipped")
    SHIPPED = "shipped", _("Shipped")
    UNAVAILABLE = "unavailable", _("Cannot be supplied")
    CANCELLED = "cancelled", _("Cancelled")
    NOT_SHIPPED = "not_shipped", _("Needs no shipping")


_STEPS = (State.RECEIVED, State.SENT, State.CONFIRMED, State.SHIPPED)
_ON_THE_WAY = (State.RECEIVED, State.SENT, State.CONFIRMED, State.PARTLY_SHIPPED, State.SHIPPED)
ASIDE = (State.CANCELLED, State.NOT_SHIPPED)


@dataclass(frozen=True)
class Item:
    """A line as the shopper bought it; `shipped` and `unavailable` of its pieces where they fare differently."""

    title: str
    variant: str
    quantity: int
    state: State
    shipped: int = 0
    unavailable: int = 0


@dataclass(frozen=True)
class Link:
    """A tracking number and where it is followed; either may be blank."""

    number: str
    url: str


@dataclass(frozen=True)
class Parcel:
    """One despatch."""

    shipped_at: datetime
    carrier: str
    links: tuple[Link, ...]
    contents: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Step:
    """One of the four steps of a part: `place` is done, here or to come ("")."""

    state: State
    place: str


@dataclass
class Part:
    """What comes from one maker, or is with none. `is_aside`: nothing of it is on its way, nor will be."""

    items: list[Item] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    number: int = 1

    @property
    def state(self) -> State:
        return _overall(item.state for item in self.items)

    @property
    def is_aside(self) -> bool:
        return self.state in ASIDE

    @property
    def steps(self) -> list[Step]:
        """The way of the part; none where it does not go it."""
        if self.state not in _ON_THE_WAY:
            return []
        here = _ON_THE_WAY.index(self.state)
        if self.state == State.PARTLY_SHIPPED:
            return [Step(state, "done") for state in _STEPS[:3]] + [Step(self.state, "here")]
        where = [_ON_THE_WAY.index(state) - here for state in _STEPS]
        return [
            Step(state, "done" if at < 0 else "" if at else "here") for state, at in zip(_STEPS, where, strict=True)
        ]


@dataclass(frozen=True)
class Progress:
    """An order as its shopper sees it."""

    number: str
    placed_at: datetime
    parts: tuple[Part, ...]
    is_cancelled: bool

    @property
    def state(self) -> State:
        return _overall((part.state for part in self.parts), or_else=self._alone)

    @property
    def count(self) -> int:
        """How many parts there are beside what stands aside."""
        return sum(not part.is_aside for part in self.parts)

    @property
    def _alone(self) -> State:
        return State.CANCELLED if self.is_cancelled else State.RECEIVED


def _overall(states: Iterable[State], or_else: State = State.RECEIVED) -> State:
    """Return what is true of all: the earliest of those on the way, *partly shipped* once one is shipped."""
    found = set(states)
    going = found & set(_ON_THE_WAY)
    if not going:
        kept = [state for state in (State.UNAVAILABLE, State.CANCELLED, State.NOT_SHIPPED) if state in found]
        return kept[0] if kept else or_else
    if len(going) > 1 and going & {State.SHIPPED, State.PARTLY_SHIPPED}:
        return State.PARTLY_SHIPPED
    return min(going, key=_ON_THE_WAY.index)
