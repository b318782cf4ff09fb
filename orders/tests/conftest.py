"""An account that is authorised since long ago."""

from datetime import UTC, datetime

import pytest

from integrations.models import AccountShopify


@pytest.fixture
def account(db):
    """An account whose orders go out once they are paid."""
    return AccountShopify.objects.create(shop_name="test", orders_from=datetime(2020, 1, 1, tzinfo=UTC))
