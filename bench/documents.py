"""Documents per second, made and checked, for each format."""

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter

from suppliers.documents import confined, formats
from suppliers.documents.content import DocumentContent, LineContent

_XSLT = b"""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hemi:order:1.0"
  exclude-result-prefixes="h"><xsl:template match="/h:Order"><Purchase number="{h:Reference}"><xsl:for-each
  select="h:Lines/h:Line"><Position article="{h:Sku}" pieces="{h:Quantity}"><xsl:value-of select="h:Title"/></Position>
  </xsl:for-each><xsl:copy-of select="h:ShipTo"/></Purchase></xsl:template></xsl:stylesheet>"""


def answer(lines: int, seconds: float, schemas: str) -> dict[str, float]:
    """Return the rates; with a folder of reference data, also of UBL checked by its own schemas."""
    return rates(lines, seconds, _zipped(Path(schemas) / "ubl-2.1" / "xsd") if schemas else None)


def rates(lines: int = 20, seconds: float = 1.0, ubl_zip: bytes | None = None) -> dict[str, float]:
    """Return documents of so many lines per second by format; with UBL's schemas as a zip, also checked by them."""
    ubl = formats.FileSettings(format=formats.UBL)
    asked = {
        "Hemi 1.0, checked by its schema": formats.FileSettings(),
        "UBL 2.1": ubl,
        "CSV": formats.FileSettings(format=formats.CSV),
        "own, by XSLT in its process": formats.FileSettings(format=formats.OWN, stylesheet=_stylesheet()),
    }
    if ubl_zip is not None:
        asked["UBL 2.1, checked by its schemas in their process"] = replace(ubl, schema=_schema(ubl_zip))
    content = document(lines)
    return {name: _rate(partial(formats.render, content, settings), seconds) for name, settings in asked.items()}


def document(lines: int) -> DocumentContent:
    """Return an order of so many lines."""
    address = {"name": "Ola Łuk", "address1": "Łąkowa 1", "zip": "90-001", "city": "Łódź", "country_code": "PL"}
    return DocumentContent(
        reference="HM000042-NORTH-1",
        revision=1,
        is_test=False,
        supplier_code="NORTH",
        supplier_name="Northwind",
        shop="example.myshopify.com",
        order_number="#1001",
        order_id=450789469001,
        placed_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        currency="EUR",
        are_taxes_included=True,
        customer={"name": "Ola Łuk", "email": "ola@example.com", "phone": ""},
        ship_to={**address, "country": "Poland"},
        shipping_methods=(("Standard", "STD"),),
        note="Please ring twice.",
        lines=tuple(_line(number) for number in range(1, lines + 1)),
    )


def _line(number: int) -> LineContent:
    return LineContent(
        shopify_id=45078946900100 + number,
        number=number,
        sku=f"NW-{1000 + number}",
        title="Wool coat",
        variant="M / navy",
        vendor="Northwind",
        quantity=2,
        unit_price=Decimal("15.50"),
        discount=Decimal("1.00"),
        tax=Decimal("5.61"),
        properties=(("Engraving", "For Ola"),),
    )


def _rate(make: Callable[[], object], seconds: float) -> float:
    make()  # compiles once
    count, begin = 0, perf_counter()
    while (spent := perf_counter() - begin) < seconds:
        make()
        count += 1
    return count / spent


def _stylesheet() -> confined.Source:
    return confined.Source("bench utf-8", lambda: _XSLT, {"encoding": "utf-8"})


def _zipped(folder: Path) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in sorted(folder.rglob("*.xsd")):
            archive.write(path, os.fspath(path.relative_to(folder)))
    return made.getvalue()


def _schema(archive: bytes) -> confined.Source:
    return confined.Source("bench UBL", lambda: archive, {"main": "maindoc/UBL-Order-2.1.xsd"})
