"""How a service says no."""

from integrations.models import InstallLink


class Refused(Exception):
    """The wish cannot be granted; the text is a sentence for the person who asked."""


class VisitRefused(Refused):
    """What a client's browser brought was refused by `rule`; the text is a sentence for the client."""

    def __init__(self, rule: str, sentence: str, status: int, link: InstallLink | None = None) -> None:
        super().__init__(sentence)
        self.rule = rule
        self.status = status
        self.link = link
