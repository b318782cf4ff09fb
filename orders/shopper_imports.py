"""Shoppers that staff link by a file: which customer of a SHOPLINE store has which mail address. All of it, or nothing.

The file is CSV in UTF-8 with a first line of names: `customer_id` and `email`, and where the same person is known at a
Shopify store also `store` and `shopify_customer_id`.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from integrations import shopline_timeline
from integrations.models import AccountShopify, AccountShopline
from orders.models import ShopperLink

MOST_BYTES = 2_000_000
MOST_ROWS = 20_000
MOST_FAULTS = 20  # told; the rest is counted

_NEEDED, _KNOWN = {"customer_id", "email"}, {"customer_id", "email", "store", "shopify_customer_id"}
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SHOPIFY_ID = re.compile(r"[1-9][0-9]{0,17}")
_CHUNK = 500


class Unreadable(Exception):
    """Nothing was imported; `faults` says line by line what has to be mended, at most MOST_FAULTS and their count."""

    def __init__(self, faults: list[str]) -> None:
        more = len(faults) - MOST_FAULTS
        self.faults = faults[:MOST_FAULTS] + ([f"and {more} more"] if more > 0 else [])
        super().__init__(f"{len(faults)} faults")


@dataclass(frozen=True)
class Imported:
    """How many links are new, how many were there already, and to how many a Shopify customer was added."""

    new: int
    known: int
    completed: int


def read(content: bytes, shopline: AccountShopline) -> list[ShopperLink]:
    """Return the links that a file asks for, not stored yet. Raises Unreadable."""
    stores = {account.shop_name: account for account in AccountShopify.objects.filter(client=shopline.client_id)}
    links: dict[tuple[str, str], ShopperLink] = {}
    faults = []
    for line, cells in _lines(content):
        try:
            link = _link(cells, stores)
        except ValueError as fault:
            faults.append(f"Line {line}: {fault}")
            continue
        link.shopline = shopline
        former = links.setdefault((link.customer_id, link.email), link)
        if (former.account, former.shopify_customer_id) != (link.account, link.shopify_customer_id):
            faults.append(f"Line {line}: an earlier line names another Shopify customer for the same shopper.")
    if not links and not faults:
        faults = ["The file has a first line and no shoppers below it."]
    if faults:
        raise Unreadable(faults)
    return list(links.values())


def store(*, shopline: AccountShopline, links: list[ShopperLink], by: Any) -> Imported:
    """Store what `read` returned; what is known already stays, and gets a Shopify customer where it has none."""
    with transaction.atomic():
        AccountShopline.objects.select_for_update(no_key=True).get(pk=shopline.pk)
        rows = ShopperLink.objects.filter(shopline=shopline)
        known = {(row.customer_id, row.email): row for row in rows.iterator()}
        new = [link for link in links if (link.customer_id, link.email) not in known]
        # A shopper may link at the same moment: theirs stays.
        ShopperLink.objects.bulk_create(new, batch_size=_CHUNK, ignore_conflicts=True)
        completed = [row for link in links if (row := _completed(known, link))]
        ShopperLink.objects.bulk_update(completed, ["account", "shopify_customer_id"], batch_size=_CHUNK)
        done = Imported(len(new), len(links) - len(new), len(completed))
        text = f"Shoppers were imported: {done.new} new, {done.known} known already."
        shopline_timeline.record(shopline, "shoppers_imported", text, actor=by)
    return done


def _completed(known: dict[tuple[str, str], ShopperLink], link: ShopperLink) -> ShopperLink | None:
    """Return the stored link with what the file knows more; None where it knows nothing more."""
    row = known.get((link.customer_id, link.email))
    if row is None or row.shopify_customer_id is not None or link.shopify_customer_id is None:
        return None
    row.account, row.shopify_customer_id = link.account, link.shopify_customer_id
    return row


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each line's number and its cells by name; blank lines are left out."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(["The file is not in UTF-8. Save it as “CSV UTF-8”."]) from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_names(names)
        for number, cells in enumerate(reader, 1):
            if number > MOST_ROWS:
                raise Unreadable([f"The file has more than {MOST_ROWS:,} lines. Split it."])
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(names, (cell.strip() for cell in cells), strict=False))
    except csv.Error as fault:
        raise Unreadable([f"Line {reader.line_num} is no CSV: {fault}."]) from None


def _check_names(names: list[str]) -> None:
    if missing := _NEEDED - set(names):
        raise Unreadable([f"The first line must name the columns; there is no {' and no '.join(sorted(missing))}."])
    if odd := [name for name in names if name not in _KNOWN]:
        raise Unreadable([f"Hemi does not know the column “{odd[0][:50]}”. It knows {', '.join(sorted(_KNOWN))}."])
    if len(names) != len(set(names)):
        raise Unreadable(["The first line names a column twice."])


def _link(cells: dict[str, str], stores: dict[str, AccountShopify]) -> ShopperLink:
    """Return one line as a link. Raises ValueError with a sentence that repeats no mail address."""
    customer_id, email = cells.get("customer_id", ""), cells.get("email", "").lower()
    if not _ID.fullmatch(customer_id):
        raise ValueError("the customer_id must be SHOPLINE's: letters, digits, - and _ only, as text, not as a number.")
    try:
        validate_email(email)
    except ValidationError:
        raise ValueError("the email is no mail address.") from None
    shop, shopify_id = cells.get("store", "").lower(), cells.get("shopify_customer_id", "")
    if bool(shop) != bool(shopify_id):
        raise ValueError("store and shopify_customer_id go together: give both or neither.")
    if shop and shop not in stores:
        raise ValueError(f"this client has no Account Shopify named “{shop[:50]}”.")
    if shopify_id and not _SHOPIFY_ID.fullmatch(shopify_id):
        raise ValueError("the shopify_customer_id is a whole number.")
    return ShopperLink(
        customer_id=customer_id,
        email=email,
        account=stores.get(shop),
        shopify_customer_id=int(shopify_id) if shopify_id else None,
        source=ShopperLink.Source.STAFF,
    )
