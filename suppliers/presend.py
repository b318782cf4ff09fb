"""What a supplier asks of a document, looked at before it is made."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache

from suppliers.documents import codes, fields, spelling
from suppliers.documents.content import CANCELLATION, DocumentContent
from suppliers.models import PreSendRule

Demand, Remedy = PreSendRule.Demand, PreSendRule.Remedy
_ENCODINGS = {"ascii", "latin-1", "latin-9", "windows-1252"}
_STANDARDS: dict[str, Callable[[str], bool]] = {
    "currency": codes.is_currency,
    "ship_to.country_code": lambda code: codes.country(code) == code,
}
# Demands that no replacement can meet: nobody invents a postal code.
UNREPLACEABLE = (Demand.REQUIRED, Demand.ONE_OF)
_ALL_THE_SAME = "A cancellation goes out all the same."


@dataclass(frozen=True)
class Finding:
    """What a rule found; `remedy` says what was done about it."""

    field: str
    remedy: str
    text: str


def check(
    content: DocumentContent, rules: Iterable[PreSendRule], replacements: str
) -> tuple[DocumentContent, list[Finding]]:
    """Apply the rules in their order; return the content with what they replaced, and what they found.

    Nothing stops a cancellation: a supplier that is not told to stop makes the goods.
    """
    findings: list[Finding] = []
    own, may_stop = spelling.table(replacements), content.kind != CANCELLATION
    for rule in rules:
        look = _Look(rule, _remedy(rule, may_stop=may_stop), own, findings)
        content = fields.edit(content, rule.field, look)
    return content, findings


def stops(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that keep the document from being made."""
    return [finding for finding in findings if finding.remedy == Remedy.STOP]


def as_rows(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the findings as SupplierOrder.findings keeps them."""
    return [asdict(finding) for finding in findings]


def allowed(value: str) -> Callable[[str], bool]:
    """Read a rule's characters, such as `a-z A-Z 0-9 .,-` or `latin-1`; a space is always allowed."""
    letters, ranges, encodings = {" "}, [], []
    for word in value.split():
        if word.lower() in _ENCODINGS:
            encodings.append(word.lower())
        elif len(word) == 3 and word[1] == "-":
            ranges.append((word[0], word[2]))
        else:
            letters.update(word)
    return cache(
        lambda letter: (
            letter in letters
            or any(first <= letter <= last for first, last in ranges)
            or any(_is_in(letter, encoding) for encoding in encodings)
        )
    )


def is_listed(rule: PreSendRule, value: str) -> bool:
    """Tell whether a value is one of the rule's, or of the standard's codes where the rule names none."""
    if not rule.value.strip() and rule.field in _STANDARDS:
        return _STANDARDS[rule.field](value)
    return value in [word.strip() for word in rule.value.split(",")]


class _Look:
    """Looks at one value after the other by one rule; what it returns is written instead."""

    def __init__(self, rule: PreSendRule, remedy: str, own: dict[str, str], findings: list[Finding]) -> None:
        self.rule, self.remedy, self.own, self.findings = rule, remedy, own, findings
        self.look = {
            Demand.REQUIRED: self.required,
            Demand.LENGTH: self.length,
            Demand.CHARACTERS: self.characters,
            Demand.ONE_OF: self.one_of,
        }[Demand(rule.demand)]

    def __call__(self, value: str, where: str) -> str:
        return self.look(value, where)

    def required(self, value: str, where: str) -> str:
        if not value.strip():
            self.note(where, "is blank", "It must be given.")
        return value

    def length(self, value: str, where: str) -> str:
        limit = int(self.rule.value)
        if len(value) <= limit:
            return value
        cut = value[:limit].rstrip()
        self.note(where, f"has {len(value)} characters, and {limit} are allowed", "The rest was cut off.")
        return cut if self.replaces else value

    def characters(self, value: str, where: str) -> str:
        new, written = spelling.spell(value, allowed(self.rule.value), self.own)
        if not written:
            return new  # the same text, perhaps in whole letters instead of letters with accents apart
        said = ", ".join(f"“{letter}”" for letter in sorted(written)[:10])
        ways = ", ".join(f"{letter} as {way}" if way else f"{letter} left out" for letter, way in _shown(written))
        self.note(where, f"has characters that are not allowed: {said}", f"Written: {ways}.")
        return new if self.replaces else value

    def one_of(self, value: str, where: str) -> str:
        if value and not is_listed(self.rule, value):
            self.note(where, f"is “{value[:50]}”", "It is not one of the values that the supplier takes.")
        return value

    @property
    def replaces(self) -> bool:
        return self.remedy == Remedy.REPLACE

    def note(self, where: str, fault: str, what: str) -> None:
        label = fields.LABELS.get(self.rule.field, self.rule.field)
        place = f" ({where})" if where else ""
        done = f" {what}" if self.replaces or self.rule.demand in UNREPLACEABLE else ""
        same = f" {_ALL_THE_SAME}" if self.remedy == Remedy.WARN != self.rule.remedy else ""
        self.findings.append(Finding(self.rule.field, self.remedy, f"{label}{place} {fault}.{done}{same}"))


def _remedy(rule: PreSendRule, *, may_stop: bool) -> str:
    """Return what is done where the rule does not hold; what must not stop is replaced, or goes out as it is."""
    can_replace = rule.demand not in UNREPLACEABLE and rule.field not in fields.FIXED
    if rule.remedy == Remedy.WARN or (rule.remedy == Remedy.REPLACE and rule.demand not in UNREPLACEABLE):
        return rule.remedy
    if may_stop:
        return Remedy.STOP
    return Remedy.REPLACE if can_replace else Remedy.WARN


def _shown(written: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(written.items())[:10]


def _is_in(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding.replace("latin-9", "iso-8859-15"))
    except UnicodeEncodeError:
        return False
    return True
