"""A loan of an endpoint's lane: for a test of the endpoint, whatever state that is in, and counted as no try."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from hemi.lib import claims
from suppliers import lanes
from suppliers.models import Endpoint


@dataclass
class Loan:
    """The right to be the only one at an endpoint."""

    endpoint: Endpoint
    lease: timedelta

    def holds(self) -> bool:
        """Renew the lease. False: another run has taken over, stop."""
        return self.record(lease_until=timezone.now() + self.lease)

    def record(self, **values: Any) -> bool:
        """Write columns of the endpoint, unless another run has taken over."""
        mine = Endpoint.objects.filter(pk=self.endpoint.pk, claim_token=self.endpoint.claim_token)
        return bool(mine.update(**values))


@contextmanager
def borrow(endpoint_id: int) -> Iterator[Loan | None]:
    """Take the lane if nobody is in it, also of a stopped endpoint, and give it back; None if somebody is."""
    with lanes.only_thread(endpoint_id) as is_alone:
        loan = _take(endpoint_id) if is_alone else None
        try:
            yield loan
        finally:
            if loan:
                loan.record(claim_token="", lease_until=None)


def _take(endpoint_id: int) -> Loan | None:
    endpoint = Endpoint.objects.get(pk=endpoint_id)
    lease, token = lanes.lease(endpoint), uuid.uuid4().hex
    free = Endpoint.objects.filter(claims.free(), pk=endpoint_id)
    if not free.update(claim_token=token, lease_until=timezone.now() + lease):
        return None
    return Loan(Endpoint.objects.get(pk=endpoint_id), lease)
