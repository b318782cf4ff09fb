"""What a storefront page is given: only what was verified, and the fields of a posted form."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.models import AccountShopline
from integrations.shopline.queries import Value


@dataclass(frozen=True)
class StorefrontRequest:
    """One verified request of a shopper. `customer_id` is blank for a guest; `path` has no leading slash.

    `values` are the signed parameters; `form` holds the posted fields, which nobody signed. A signature serves for one
    post: a form's address should carry a fresh random parameter, or two guests of one second share a signature.
    """

    account: AccountShopline
    customer_id: str
    path_prefix: str
    path: str
    method: str
    values: Mapping[str, Value] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    language: str
    wants_json: bool
    is_development: bool
