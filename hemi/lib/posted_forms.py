"""What a stranger posted, read strictly: a body, or the fields of a small form. Nobody signed them."""

from urllib.parse import parse_qsl

from django.http import HttpRequest
from django.http.request import UnreadablePostError

MOST_BYTES = 20_000
MOST_FIELDS = 50
_FORM = "application/x-www-form-urlencoded"


class FormRefused(Exception):
    """The body is no form that can be read; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read(request: HttpRequest) -> dict[str, str]:
    """Return the fields by name; raises FormRefused."""
    content = body(request, MOST_BYTES)
    if not content:
        return {}
    if request.content_type != _FORM:
        raise FormRefused(415)
    try:
        pairs = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError, too many fields, a field without "="
        raise FormRefused(400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or "\x00" in "".join(text for pair in pairs for text in pair):
        raise FormRefused(400)
    return fields


def body(request: HttpRequest, most_bytes: int) -> bytes:
    """Return the whole body; raises FormRefused."""
    if request.headers.get("Transfer-Encoding"):  # Django would read such a body as empty
        raise FormRefused(411)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise FormRefused(400)
    if len(length) > len(str(most_bytes)) or int(length) > most_bytes:  # before a byte of it is read
        raise FormRefused(413)
    try:
        content = request.read()
    except UnreadablePostError:
        raise FormRefused(400) from None
    if len(content) != int(length):  # it broke off
        raise FormRefused(400)
    return content
