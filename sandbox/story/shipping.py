"""From the supplier's parcel back to the store."""

from functools import partial

from sandbox.story import files
from sandbox.story.setting_up import SUPPLIERS
from sandbox.story.stage import SHOP, Stage, expect, until

_CARRIERS = {"northwind": "dhl express", "suedhaus": "Kurier Nord"}  # the second is none of Shopify's
_TOLD = {"northwind": "DHL Express", "suedhaus": "Kurier Nord"}
_TRACK = "https://track.example/{}"


def ship(stage: Stage) -> str:
    """Let both suppliers ship one order, one of them in two parcels, and see that the store knows each once."""
    order = stage.orders[0]
    wanted: dict[str, tuple[str, dict[int, int]]] = {}
    for place in SUPPLIERS:
        wanted |= _ship(stage, place, order)
    stored = until("the store to know of every parcel", partial(_fulfilled, stage, order["id"], len(wanted)))
    told = {row["tracking_number"]: row for row in stored["fulfillments"]}
    expect(set(told) == set(wanted), f"The store knows of {sorted(told)} instead of {sorted(wanted)}.")
    for number, (place, lines) in wanted.items():
        row = told[number]
        found = {line["id"]: line["quantity"] for line in row["line_items"]}
        expect(found == lines, f"{number} holds {found} in the store instead of {lines}.")
        expect(row["tracking_company"] == _TOLD[place], f"{number} came with {row['tracking_company']}.")
    page = stage.staff.open(stage.staff.find("orders/order", order["name"]))
    expect("Told to the store" in page.text, f"{page.url} does not say that the store was told.")
    parcels = ", ".join(f"{told[number]['name']} {told[number]['tracking_company']} {number}" for number in wanted)
    return f"{order['name']} is {stored['fulfillment_status']} in the store: {parcels}; {page.url}"


def _ship(stage: Stage, place: str, order: dict) -> dict[str, tuple[str, dict[int, int]]]:
    """Ship a supplier's part; return its parcels by tracking number, with pieces by the store's line id."""
    server = stage.world["suppliers"][place]
    file = next(file for file in files.fetch(server) if file.order_id == order["id"])
    lines = [(number, row[0], row[2]) for number, row in enumerate(file.ordered_lines, 1)]
    first_number, first_line, count = lines[0]
    if place == "northwind" and count > 1:
        parcels = [[(first_number, first_line, 1)], [(first_number, first_line, count - 1), *lines[1:]]]
    else:
        parcels = [lines]
    sent = {}
    for position, parcel in enumerate(parcels, 1):
        tracking = f"{place[:2].upper()}{order['id'] % 10**9:09d}{position}"
        stage.tell_supplier(
            place,
            "ship",
            reference=file.reference,
            number=f"{file.reference}-P{position}",
            carrier=_CARRIERS[place],
            tracking_numbers=[tracking],
            tracking_urls=[_TRACK.format(tracking)],
            lines=[[number, pieces] for number, _, pieces in parcel],
        )
        sent[tracking] = (place, {line: pieces for _, line, pieces in parcel})
    return sent


def _fulfilled(stage: Stage, order_id: int, count: int) -> dict:
    orders = stage.see(f"shops/{SHOP}/orders")["orders"]
    order = next(row for row in orders if row["id"] == order_id)
    return order if len(order["fulfillments"]) >= count and order["fulfillment_status"] == "fulfilled" else {}
