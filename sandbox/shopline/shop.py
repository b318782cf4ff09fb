"""One shop: who may log in, and the page that they see."""

from dataclasses import dataclass
from html import escape

from sandbox.web import Answer, BadRequest

_STYLE = """
:root { --ink: #22252b; --soft: #646b78; --line: #dfe3ea; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #f6f7f9; font: 1rem/1.5 system-ui, sans-serif; }
header { padding: 1rem 1.25rem; color: #fff; background: COLOUR; }
header b { display: block; max-width: 41.5rem; margin: 0 auto; font-size: 1.25rem; }
main { max-width: 44rem; margin: 0 auto; padding: 1.25rem; }
nav a { display: inline-block; margin: .5rem 0 1.5rem; padding: .75rem 1.25rem; color: #fff; background: COLOUR;
  border-radius: .5rem; text-decoration: none; font-weight: 600; }
form { margin: .5rem 0; }
button { font: inherit; padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff; }
p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
"""


@dataclass(frozen=True)
class Shopper:
    """Somebody with an account at the shop; the id is SHOPLINE's and nobody else's."""

    name: str
    customer_id: str


@dataclass(frozen=True)
class Shop:
    """A shop, and where Hemi plays its storefront side; `link` is the App Proxy's path, such as /apps/orders/."""

    name: str
    merchant_id: str
    hemi: str
    link: str
    colour: str = "#0f766e"
    shoppers: tuple[Shopper, ...] = ()

    @classmethod
    def read(cls, told: dict) -> "Shop":
        """Return the shop that a JSON object describes; BadRequest if something is missing."""
        try:
            shoppers = tuple(Shopper(str(row["name"]), str(row["customer_id"])) for row in told.get("shoppers", ()))
            names = {name: str(told[name]) for name in ("name", "merchant_id", "hemi", "link")}
        except (KeyError, TypeError) as error:
            raise BadRequest(f"This is not a shop: {error}") from error
        return cls(**names, colour=str(told.get("colour", cls.colour)), shoppers=shoppers)

    def shopper(self, customer_id: str) -> Shopper | None:
        """Return who has this id."""
        return next((shopper for shopper in self.shoppers if shopper.customer_id == customer_id), None)

    def page(self, shopper: Shopper | None) -> Answer:
        """Return the shop's front page, as a shopper or, with None, a guest sees it."""
        others = "".join(_login(other) for other in self.shoppers if other != shopper)
        who = f"Logged in as {escape(shopper.name)}." if shopper else "You are here as a guest."
        out = '<form method="post" action="/logout"><button>Log out</button></form>' if shopper else ""
        body = (
            f"<header><b>{escape(self.name)}</b></header><main><p>{who}</p>"
            f'<nav><a href="{escape(self.link)}">Where is my order</a></nav>{out}{others}'
            '<p class="soft">This shop is make-believe; its orders are those of the demo.</p></main>'
        )
        return Answer(_document(self.name, self.colour, body))


def closed() -> Answer:
    """Return the page of a storefront where no shop is open yet."""
    text = "<main><p>No shop is open here yet. The demo's story opens one, or POST one to /control/shop.</p></main>"
    return Answer(_document("A storefront", Shop.colour, text))


def _login(shopper: Shopper) -> str:
    return (
        '<form method="post" action="/login">'
        f'<input type="hidden" name="customer_id" value="{escape(shopper.customer_id)}">'
        f"<button>Log in as {escape(shopper.name)}</button></form>"
    )


def _document(title: str, colour: str, body: str) -> bytes:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    style = _STYLE.replace("COLOUR", colour if colour.lstrip("#").isalnum() else Shop.colour)
    return f'<!doctype html><html lang="en">{head}<title>{escape(title)}</title><style>{style}</style>{body}'.encode()
