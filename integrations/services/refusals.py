"""How a service says no."""


class Refused(Exception):
    """The wish cannot be granted; the text is a sentence for the person who asked."""
