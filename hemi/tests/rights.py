"""What each role may do, written out: the test of every URL goes by this table, and so does docs/roles.md."""

ADMINISTRATOR, STAFF, SUPPORT, READ_ONLY = "Administrator", "Integration staff", "Support", "Read-only"
EVERYBODY = {ADMINISTRATOR, STAFF, SUPPORT, READ_ONLY}
SUPPORTERS = {ADMINISTRATOR, STAFF, SUPPORT}
BUILDERS = {ADMINISTRATOR, STAFF}
ADMINISTRATORS = {ADMINISTRATOR}

# Who may see a page; all others may be seen by every role.
SEEN_BY = {
    "auth.User": ADMINISTRATORS,
    "auth.Group": ADMINISTRATORS,
    "hemi.FailedLogin": BUILDERS,
    "hemi.ConfigurationChange": BUILDERS,
}
# What can be added, changed and deleted by hand at all, and by whom; what is in none of these happened, and stays.
_SET_UP = {"integrations.Client", "integrations.Integration", "integrations.AccountShopify"}
_SET_UP |= {"integrations.AccountShopline"}
_SET_UP |= {"suppliers.Supplier", "suppliers.Endpoint", "suppliers.RoutingRule"}
_KEPT_IN_VERSIONS = {"suppliers.Mapping", "suppliers.DocumentSchema"}
BY_HAND = {
    "add": dict.fromkeys(_SET_UP | _KEPT_IN_VERSIONS, BUILDERS) | {"auth.User": ADMINISTRATORS},
    "change": dict.fromkeys(_SET_UP, BUILDERS) | {"auth.User": ADMINISTRATORS},
    "delete": dict.fromkeys(_SET_UP | {"suppliers.DocumentSchema", "orders.ShopperLink"}, BUILDERS)
    | {"auth.User": ADMINISTRATORS},
}
# Who may press a button or run a list action; the rest is for those who build.
PRESSED_BY = {
    "auth.User.reset_second_factor": ADMINISTRATORS,
    "auth.User.password": ADMINISTRATORS,
    "integrations.PrivacyRequest.download": ADMINISTRATORS,
    "integrations.PrivacyRequest.mark_done": ADMINISTRATORS,
    "integrations.AccountShopify.see_history": EVERYBODY,
    "integrations.AccountShopify.expiry-calendar": EVERYBODY,
    "integrations.AccountShopline.see_history": EVERYBODY,
    "integrations.AccountShopline.see_shoppers": EVERYBODY,
    "suppliers.SupplierReply.download": EVERYBODY,
    "integrations.WebhookEvent.replay": SUPPORTERS,
    "integrations.WebhookEvent.replay_events": SUPPORTERS,
    "orders.Shipment.try_again": SUPPORTERS,
    "orders.Shipment.try_shipments_again": SUPPORTERS,
    "orders.Shipment.settle": SUPPORTERS,
    "suppliers.Delivery.retry_now": SUPPORTERS,
    "suppliers.Delivery.retry_deliveries": SUPPORTERS,
    "suppliers.Delivery.retry_given_up": SUPPORTERS,
    "suppliers.Delivery.send_again": SUPPORTERS,
    "suppliers.Delivery.settle": SUPPORTERS,
    "suppliers.Delivery.download": SUPPORTERS,
    "suppliers.SupplierOrder.preview": SUPPORTERS,
    "suppliers.Supplier.preview": SUPPORTERS,
    "suppliers.Mapping.preview": SUPPORTERS,
    "suppliers.Mapping.compare": SUPPORTERS,
    "suppliers.SupplierReply.match": SUPPORTERS,
    "suppliers.SupplierReply.settle": SUPPORTERS,
    "suppliers.SupplierReply.read_again": SUPPORTERS,
    "suppliers.SupplierReply.read_replies": SUPPORTERS,
    "suppliers.ReplyStatement.match": SUPPORTERS,
    "suppliers.ReplyStatement.settle": SUPPORTERS,
}


def who_may(label: str, what: str) -> set[str]:
    """Return the roles that may do `what` (view, add, change, delete, or a button's name) with a model's rows."""
    if what == "view":
        return SEEN_BY.get(label, EVERYBODY)
    if what in BY_HAND:
        return BY_HAND[what].get(label, set())
    return PRESSED_BY.get(f"{label}.{what}", BUILDERS)
