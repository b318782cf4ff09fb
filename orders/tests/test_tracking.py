"""Numbers and addresses of a shipment, paired by position, as Shopify takes them."""

import pytest

from orders import tracking
from orders.models import Shipment

A, B = "https://t.example/a?n=1", "http://t.example/b"


@pytest.mark.parametrize(
    ("numbers", "urls", "told"),
    [
        (["1", "2"], [A, B], (("1", "2"), (A, B))),
        (["1", "2"], [A], (("1", "2"), (A,))),
        (["1", "2"], ["", B], (("1", "2"), ())),
        (["", "2"], [A, B], (("2",), (B,))),
        ([], [A], ((), (A,))),
        ([], [], ((), ())),
        (["1"], ["javascript:alert(1)"], (("1",), ())),
        (["1"], ["https://t.example/a b"], (("1",), ())),
        (["1"], ["http://[bad"], (("1",), ())),
        (["1"], ["t.example/1"], (("1",), ())),
    ],
)
def test_tracking(numbers, urls, told):
    found = tracking.of(Shipment(carrier="gls", numbers=numbers, urls=urls))
    assert (found.company, (found.numbers, found.urls)) == ("GLS", told)
