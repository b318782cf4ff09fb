"""Which orders a shopper of a SHOPLINE storefront may see: those of the storefront's client, and linked to the shopper.

Orders whose customer's data was removed and orders that Hemi made by itself are nobody's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from integrations.models import AccountShopline
from integrations.subjects import Subject
from orders.models import Order, ShopperLink

PAGE_SIZE = 10
MOST_PAGES = 50
_MOST = PAGE_SIZE * MOST_PAGES
_MOST_READ = 5000
_BEFORE_NUMBERS = ("", "#", "->")  # what stores write before an order's number


@dataclass(frozen=True)
class Listing:
    """One page of a shopper's orders, newest first. `has_more`: there is an older page."""

    orders: list[Order]
    page: int = 1
    has_more: bool = False
    is_linked: bool = False


def listing(shopline: AccountShopline, customer_id: str, page: int = 1) -> Listing:
    """Return a page of the orders that a logged-in customer is linked to."""
    links = list(ShopperLink.objects.filter(shopline=shopline, customer_id=customer_id)) if customer_id else []
    if not links:
        return Listing([])
    page = min(max(page, 1), MOST_PAGES)
    found = _newest(_of_links(shopline, links))[:_MOST]
    start = (page - 1) * PAGE_SIZE
    wanted = found[start : start + PAGE_SIZE]
    rows = Order.objects.only("number", "placed_at", "state").in_bulk(wanted)
    orders = [rows[pk] for pk in wanted if pk in rows]
    return Listing(orders, page, len(found) > start + PAGE_SIZE, is_linked=True)


def find(shopline: AccountShopline, number: str, email: str) -> list[Order]:
    """Return the orders of this number and mail address; stores of one client may use a number twice."""
    spellings = {before + word for before in _BEFORE_NUMBERS for word in (number, number.upper(), number.lower())}
    rows = _visible(shopline).alias(mail=Lower("email")).filter(mail=email, number__in=spellings)
    return list(rows.order_by("-placed_at", "-pk")[:PAGE_SIZE])


def link(shopline: AccountShopline, customer_id: str, order: Order, email: str) -> None:
    """Remember that a logged-in customer knew the number and mail address of this order."""
    is_known = order.customer_id is not None
    says = {
        "source": ShopperLink.Source.ORDER,
        "account": order.account if is_known else None,
        "shopify_customer_id": order.customer_id,
    }
    try:
        with transaction.atomic():
            ShopperLink.objects.get_or_create(shopline=shopline, customer_id=customer_id, email=email, defaults=says)
    except IntegrityError:  # asked twice at the same moment
        return


def forget(subject: Subject, emails: Iterable[str]) -> int:
    """Delete the links of a person, or of all customers of a store; return how many."""
    return links_of(subject, emails).delete()[0]


def links_of(subject: Subject, emails: Iterable[str]) -> QuerySet[ShopperLink]:
    """Return the client's links that name the subject, by the store's customer id or by one of the addresses."""
    addresses = {email.lower() for email in emails if "@" in email}
    of_client = ShopperLink.objects.filter(shopline__client=subject.account.client_id)
    # A store's addresses are too many for one query, and its links are few beside them.
    by_mail = [pk for pk, email in of_client.values_list("pk", "email") if email.lower() in addresses]
    by_id = Q(account=subject.account)
    if not subject.is_store:
        by_id &= Q(shopify_customer_id=subject.customer_id, shopify_customer_id__isnull=False)
    return of_client.filter(by_id | Q(pk__in=by_mail))


def _visible(shopline: AccountShopline) -> QuerySet[Order]:
    return Order.objects.filter(account__client=shopline.client_id, redacted_at=None, shopify_id__gt=0)


def _of_links(shopline: AccountShopline, links: list[ShopperLink]) -> set[tuple[datetime, int]]:
    """Return (placed, id) of the linked orders: by mail address, and in their own store by its customer id."""
    rows = _visible(shopline).order_by()
    emails = [link.email.lower() for link in links if link.email]
    found: set[tuple[datetime, int]] = set(
        rows.alias(mail=Lower("email")).filter(mail__in=emails).values_list("placed_at", "pk")[:_MOST_READ]
    )
    ids = Q()
    for link in links:
        if link.account_id and link.shopify_customer_id:
            ids |= Q(account=link.account_id, customer_id=link.shopify_customer_id)
    return found | set(rows.filter(ids).values_list("placed_at", "pk")[:_MOST_READ]) if ids else found


def _newest(found: set[tuple[datetime, int]]) -> list[int]:
    return [pk for _, pk in sorted(found, reverse=True)]
