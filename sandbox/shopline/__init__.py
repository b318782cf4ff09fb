"""A make-believe SHOPLINE storefront: a shop with shoppers, whose App Proxy leads to Hemi's storefront side."""

from sandbox.shopline.shop import Shop, Shopper
from sandbox.shopline.storefront import ShoplineSandbox

__all__ = ["Shop", "ShoplineSandbox", "Shopper"]
