"""What files are called on a supplier's server: the final name, the one they bear until they are whole, the done-file.

All of it is worked out once and kept on the delivery's row.
"""

import re
import string

from suppliers import connections
from suppliers.models import Delivery, Endpoint, SupplierOrder

PLACES = ("reference", "order", "supplier", "date")
LONGEST = 200  # characters of a final name; servers take 255 bytes, and temporary names are longer
LONGEST_ON_SERVER = 255
TOKEN_LETTERS = 12
# What every file system and every supplier's program takes; no blanks, no umlauts, nothing that a shell reads.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = {
    "reference": "HM000000000-ABCDEFGHIJKL-999",
    "order": "1000000000",
    "supplier": "ABCDEFGHIJKL",
    "date": "20260101",
}


class InvalidName(ValueError):
    """The endpoint's wishes make no name; the text says why and what to do."""


def final_name(endpoint: Endpoint, part: SupplierOrder, ending: str) -> str:
    """Return what the part's file is called. Raises InvalidName."""
    check(endpoint)
    values = {
        "reference": part.reference,
        "order": _UNSAFE.sub("", part.order.number),
        "supplier": part.supplier.code,
        "date": f"{part.created_at:%Y%m%d}",
    }
    name = f"{endpoint.name_template.format(**values)}.{ending}"
    has_suffix = endpoint.temporary_style == Endpoint.TemporaryStyle.SUFFIX
    if has_suffix and name.endswith(endpoint.temporary_mark):
        raise InvalidName(f"The file name {name} ends like those of files that are not whole yet.")
    _check_length(endpoint, name)
    return name


def done_name(endpoint: Endpoint, name: str) -> str:
    """Return what the file beside `name` is called that says that it is whole; "" where none is wanted."""
    return f"{name}{endpoint.done_suffix}" if endpoint.done_suffix else ""


def check(endpoint: Endpoint) -> None:
    """Raise InvalidName where no name could come of the endpoint's template, mark and done-file."""
    _check_template(endpoint.name_template)
    _check_mark(endpoint)
    if endpoint.done_suffix and (_UNSAFE.search(endpoint.done_suffix) or not endpoint.done_suffix.strip(".")):
        raise InvalidName("The ending of the done-file may contain letters, digits, dots, hyphens and underscores.")
    _check_length(endpoint, longest_name(endpoint))


def longest_name(endpoint: Endpoint) -> str:
    """Return a name as long as the endpoint's template may give."""
    return f"{endpoint.name_template.format(**_LONGEST)}.xml"


def example(endpoint: Endpoint) -> str:
    """Return a name as the endpoint's template makes it."""
    values = {"reference": "HM000123-NORTH-1", "order": "1001", "supplier": "NORTH", "date": "20260131"}
    return f"{endpoint.name_template.format(**values)}.xml"


def temporary_name(endpoint: Endpoint, name: str, token: str) -> str:
    """Return what the claim with `token` calls the file until it is whole: a name, or a path where it has a folder."""
    before, after = temporary_frame(endpoint, token)
    return f"{before}{name}{after}"


def temporary_frame(endpoint: Endpoint, token: str) -> tuple[str, str]:
    """Return what stands before and after a final name in the temporary ones of the claim with `token`."""
    mark, own = endpoint.temporary_mark, token[:TOKEN_LETTERS]
    if endpoint.temporary_style == Endpoint.TemporaryStyle.FOLDER:
        return f"{mark.rstrip('/')}/", f".{own}"
    if endpoint.temporary_style == Endpoint.TemporaryStyle.PREFIX:
        return f"{mark}{own}.", ""
    return "", f".{own}{mark}"


def temporary_path(delivery: Delivery) -> str:
    """Return where the delivery's temporary file is."""
    name = delivery.temporary_name
    return name if "/" in name else connections.path(delivery.folder, name)


def final_path(delivery: Delivery) -> str:
    """Return where the delivery's file belongs."""
    return connections.path(delivery.folder, delivery.final_name)


def done_path(delivery: Delivery) -> str:
    """Return where the delivery's done-file belongs."""
    return connections.path(delivery.folder, delivery.done_name)


def _check_template(template: str) -> None:
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError:
        raise InvalidName("The file name has a brace without its partner.") from None
    for text, place, wish, conversion in pieces:
        if place is not None and (place not in PLACES or wish or conversion):
            known = ", ".join(f"{{{name}}}" for name in PLACES)
            raise InvalidName(f"The file name may contain {known}, but not {{{place}}}.")
        if found := _UNSAFE.search(text):
            raise InvalidName(
                f"The file name contains “{found[0]}”. Use letters, digits, dots, hyphens and underscores only."
            )
    if "reference" not in [place for _, place, _, _ in pieces]:
        raise InvalidName("The file name must contain {reference}, so that no two files have the same one.")
    if re.search(r"\{reference\}[^._-]", template):
        raise InvalidName("After {reference} the file name must go on with a dot, a hyphen or an underscore.")
    if template.startswith((".", "-")):
        raise InvalidName("The file name must not begin with a dot or a hyphen.")


def _check_mark(endpoint: Endpoint) -> None:
    mark = endpoint.temporary_mark
    if endpoint.temporary_style == Endpoint.TemporaryStyle.FOLDER:
        steps = mark.strip("/").split("/")
        if any(not step or step in (".", "..") or _UNSAFE.search(step) for step in steps):
            raise InvalidName("The temporary folder is a path such as tmp or in/tmp.")
        if mark.strip("/") == endpoint.orders_folder.strip("/"):
            raise InvalidName("The temporary folder must be another one than the folder for orders.")
    elif not mark or _UNSAFE.search(mark):
        raise InvalidName(
            "The mark of a temporary name may contain letters, digits, dots, hyphens and underscores, such as .part."
        )


def _check_length(endpoint: Endpoint, name: str) -> None:
    temporary = temporary_name(endpoint, name, "0" * TOKEN_LETTERS).rpartition("/")[2]
    if len(name) > LONGEST or max(len(temporary), len(done_name(endpoint, name))) > LONGEST_ON_SERVER:
        raise InvalidName(f"The file name {name} is too long. Shorten the endpoint's file name or its mark.")
