"""What a part needs attention for, in one text: a change after its file was sent, a doubt, what is rejected of it."""

from dataclasses import dataclass

from django.utils.text import Truncator

from suppliers.models import SupplierOrder

CHANGED = "Changed after its file was sent: "
_BESIDES = " Besides: "
_REJECTS = " rejects "
_LONGEST = 500
_BESIDE_A_CHANGE = 240


@dataclass(frozen=True)
class Concerns:
    """Each of them is told beside the others, and comes and goes by itself."""

    change: str = ""
    doubt: str = ""  # whatever is none of the other two
    rejection: str = ""

    @classmethod
    def of(cls, part: SupplierOrder) -> "Concerns":
        """Read them out of the part's text."""
        change, rest = "", part.attention
        if rest.startswith(CHANGED):
            change, _, rest = rest.partition(_BESIDES)
        doubt, name, rejected = rest.partition(f"{part.supplier}{_REJECTS}")
        if not name and _REJECTS in rest:  # the supplier had another name then
            return cls(change, "", rest)
        return cls(change, doubt.strip(), name + rejected)

    def text(self) -> str:
        """Return the text, so long that it fits; of each the beginning is there."""
        room = _BESIDE_A_CHANGE if self.change else _LONGEST
        doubt = Truncator(self.doubt).chars(max(room * 2 // 5, room - len(self.rejection) - 1))
        rest = f"{doubt} {self.rejection}".strip()[:room]
        if not self.change or not rest:
            return (self.change or rest)[:_LONGEST]
        return f"{self.change[: _LONGEST - len(_BESIDES) - len(rest)]}{_BESIDES}{rest}"


def rejection(part: SupplierOrder, what: str) -> str:
    """Say what the part's supplier rejects."""
    return f"{part.supplier}{_REJECTS}{what}"
