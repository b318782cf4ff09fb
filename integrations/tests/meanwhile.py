"""Do something while an answer of Shopify is on its way."""

import threading
from contextlib import contextmanager

from django.db import connections

from integrations.shopify.errors import ShopifyError


@contextmanager
def held(shopify, work, place="token"):
    """Run `work` in a thread until Shopify holds its answer back; inside the block the world may change, then the
    answer arrives and the work ends. Yields what the work gave or raised, as a list that is filled afterwards."""
    results = []

    def run():
        try:
            results.append(work())
        except ShopifyError as error:
            results.append(error)
        finally:
            connections.close_all()

    shopify.add_fault("held", place=place)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert shopify.faults.gate.reached.wait(10), "Shopify was not asked"
        yield results
    finally:
        shopify.faults.gate.opened.set()
        thread.join()
