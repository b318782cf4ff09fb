"""An address as it would stand on a parcel."""


def text(address: dict[str, str] | None) -> str:
    """Return the address in lines; "" if there is none."""
    if not address:
        return ""
    get = address.get
    place = " ".join(part for part in (get("zip"), get("city")) if part)
    lines = [get("name"), get("company"), get("address1"), get("address2"), place, get("province")]
    lines += [get("country") or get("country_code"), get("phone")]
    return "\n".join(line for line in lines if line)
