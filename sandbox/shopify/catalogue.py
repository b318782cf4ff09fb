"""The goods that every sandbox shop sells, and the people who buy them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    """One product with one variant, as a line item quotes it."""

    number: int
    title: str
    vendor: str
    sku: str
    product_type: str
    price: str
    grams: int
    variant_title: str = ""

    @property
    def product_id(self) -> int:
        """Shopify's id of the product."""
        return 7_700_000_000_000 + self.number

    @property
    def variant_id(self) -> int:
        """Shopify's id of the variant."""
        return 43_300_000_000_000 + self.number


NORTHWIND = (
    Article(1, "Fjord Rain Jacket", "Northwind", "NW-1001", "Apparel", "129.00", 640, "M / Navy"),
    Article(2, "Merino Beanie", "Northwind", "NW-1002", "Apparel", "24.50", 90, "One size"),
    Article(3, "Trail Socks, pair", "Northwind", "NW-1003", "Apparel", "12.90", 70, "39-42"),
    Article(4, "Harbour Sweater", "Northwind", "NW-1004", "Apparel", "89.99", 520, "L / Grey"),
)
SUEDHAUS = (
    Article(11, "Oak Side Table", "Südhaus", "SH-2001", "Furniture", "149.00", 7400, "Natural"),
    Article(12, "Reading Lamp", "Südhaus", "SH-2002", "Furniture", "59.95", 1800, "Brass"),
    Article(13, "Linen Cushion", "Südhaus", "SH-2003", "Furniture", "19.90", 400, "45 × 45 cm"),
    Article(14, "Wall Shelf", "Südhaus", "SH-2004", "Furniture", "74.00", 3900, "80 cm"),
)
DIGITAL = Article(21, "Knitting Pattern (PDF)", "Northwind", "NW-PDF-1", "Patterns", "6.00", 0)
GIFT_CARD = Article(22, "Gift Card", "Northwind", "", "Gift Cards", "50.00", 0, "50.00")
ARTICLES = NORTHWIND + SUEDHAUS + (DIGITAL, GIFT_CARD)


@dataclass(frozen=True)
class Person:
    """A buyer with one address; the country decides the tax rate."""

    first_name: str
    last_name: str
    email: str
    street: str
    city: str
    postcode: str | None
    country: str
    country_code: str
    province: str | None = None
    province_code: str | None = None
    phone: str | None = None


PEOPLE = (
    Person("Anna", "Müller", "anna.mueller@example.com", "Königstraße 12", "Stuttgart", "70173", "Germany", "DE"),
    Person("Jonas", "Weiß", "jonas.weiss@example.com", "Große Bleichen 5", "Hamburg", "20354", "Germany", "DE"),
    Person("Claire", "Lefèvre", "claire.lefevre@example.com", "8 rue de l'Église", "Lyon", "69002", "France", "FR"),
    Person(
        "Sam", "O'Neill", "sam.oneill@example.com", "44 Mill & Co. Lane", "Leeds", "LS1 4DY", "United Kingdom", "GB"
    ),
)
AMERICAN = Person(
    "Dana",
    "Reyes",
    "dana.reyes@example.com",
    "210 Alder Ave",
    "Portland",
    "97205",
    "United States",
    "US",
    "Oregon",
    "OR",
)
POLISH = Person("Łukasz", "Żółtowski", "lukasz@example.com", "ul. Świętokrzyska 3/5", "Łódź", "90-001", "Poland", "PL")
JAPANESE = Person(
    "美咲", "髙橋", "misaki@example.com", "神宮前1-2-3", "渋谷区", "150-0001", "Japan", "JP", "東京都", "JP-13"
)
ARABIC = Person("ليلى", "الحداد", "layla@example.com", "شارع المعرض ١٢", "المنامة", None, "Bahrain", "BH")
IRISH = Person(
    "Aoife", "Byrne", "aoife.byrne@example.com", "3 Quay Road", "Dingle", None, "Ireland", "IE", "Kerry", "KY"
)

TAX_RATES = {
    "DE": "0.19",
    "FR": "0.20",
    "GB": "0.20",
    "PL": "0.23",
    "JP": "0.10",
    "BH": "0.10",
    "IE": "0.23",
    "US": "0.00",
}
