"""The steps in their order, played one after the other until one fails."""

import time
from collections.abc import Callable, Sequence

from sandbox.story import connecting, ordering, setting_up, shipping, storefront
from sandbox.story.report import Report, Step
from sandbox.story.stage import Stage

Act = Callable[[Stage], str]
STEPS: tuple[tuple[str, Act], ...] = (
    ("Staff log in", setting_up.log_in),
    ("Staff enter the client, its app and its store", setting_up.enter_store),
    ("Staff enter two suppliers with their servers", setting_up.enter_suppliers),
    ("Staff say which lines go to whom", setting_up.enter_rules),
    ("Staff test the connections and confirm who the servers are", setting_up.test_connections),
    ("Staff take the suppliers live", setting_up.go_live),
    ("Staff mail the install link", connecting.send_mail),
    ("The client reads the mail", connecting.read_mail),
    ("The client consents and is connected", connecting.consent),
    ("The token is stored and not shown", connecting.see_token),
    ("Staff refresh the locations", connecting.refresh_locations),
    ("Staff get the collections as CSV", connecting.get_collections),
    ("Webhooks are subscribed", connecting.see_webhooks),
    ("Buyers place orders, suppliers get their files", ordering.place_orders),
    ("An unpaid order waits until it is paid", ordering.pay_later),
    ("A webhook that comes twice makes no second file", ordering.repeat_webhook),
    ("A cancelled order gives no file", ordering.cancel),
    ("Every file is valid and holds the right lines", ordering.check_files),
    ("The suppliers' replies arrive", ordering.see_replies),
    ("Staff enter the SHOPLINE store and approve its App Proxy", storefront.open_shop),
    ("A guest asks in the shop where an order is", storefront.ask_as_guest),
    ("The suppliers ship, and the store is told", shipping.ship),
    ("A shopper who is logged in sees it shipped, with its tracking", storefront.ask_as_shopper),
    ("Nothing needs attention", ordering.see_overview),
)


def play(stage: Stage, tell: Callable[[Step], None], steps: Sequence[tuple[str, Act]] = STEPS) -> Report:
    """Play the story, the whole of it by default; each step is told as soon as it is over."""
    report = Report()
    for name, act in steps:
        started_at = time.monotonic()
        try:
            ok, evidence = True, act(stage)
        except Exception as error:  # noqa: BLE001 whatever goes wrong, the report says it
            ok, evidence = False, f"{type(error).__name__}: {error}"
        report.steps.append(Step(name, ok, round(time.monotonic() - started_at, 2), evidence))
        tell(report.steps[-1])
        if not ok:
            break
    report.is_complete = len(report.steps) == len(steps)
    report.delivered, report.orders = stage.delivered, len(stage.orders)
    return report
