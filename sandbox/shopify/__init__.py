"""A Shopify on loopback: consent, tokens, GraphQL, webhooks, orders of every odd kind."""

from sandbox.shopify.core import Behaviour
from sandbox.shopify.orders import VARIANTS, make_order
from sandbox.shopify.server import ShopifySandbox
from sandbox.shopify.visitor import ConsentFailed, follow, give_consent

__all__ = ["VARIANTS", "Behaviour", "ConsentFailed", "ShopifySandbox", "follow", "give_consent", "make_order"]
