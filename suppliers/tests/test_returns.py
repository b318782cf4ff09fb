"""Goods that come back after they were shipped are no change of what their supplier is to make."""

from suppliers.models import Amendment
from suppliers.tests.changes import LATER_STILL, changed, part_of
from suppliers.tests.test_amendment_chains import says


def came_back(body, *lines):
    """Return the order as a store tells it once it took pieces of shipped lines back."""
    for number, left in enumerate(lines):
        body["line_items"][number].update(current_quantity=left, fulfillable_quantity=0, fulfillment_status="fulfilled")
    return changed(body, fulfillment_status="fulfilled", financial_status="partially_refunded")


def test_a_return_is_nobodys_task(take, sends, north, body, admin_client):
    order = take(body)
    sends()
    says(north, part_of(order, 1), "shipped")
    take(came_back(body, 1, 0))
    part = part_of(order, 1)
    assert (part.status, part.attention) == ("shipped", "")
    assert not Amendment.objects.exists()
    take({**came_back(body, 0, 0), "updated_at": LATER_STILL, "financial_status": "refunded"})
    assert not Amendment.objects.exists()
    assert "Alive at" not in admin_client.get("/admin/suppliers/supplierorder/").content.decode()


def test_more_of_what_was_shipped_is_told(take, sends, north, body):
    order = take(body)
    sends()
    says(north, part_of(order, 1), "shipped")
    body["line_items"][0].update(quantity=3, current_quantity=3, fulfillable_quantity=1)
    take(changed(body))
    assert [row["after"] for row in Amendment.objects.get().changes] == ["3"]
