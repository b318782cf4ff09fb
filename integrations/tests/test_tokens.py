"""Tokens that end, against a Shopify that renews them in both published ways, loses answers and refuses."""

import threading
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from integrations import connections, installs, renewals, token_leases, tokens
from integrations.models import (
    AccountEvent,
    AccountShopify,
    InstallLink,
    Integration,
    IntegrationCredentials,
    StaffAlert,
)
from integrations.services import account_tokens, accounts, callbacks
from integrations.shopify import queries, stores
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.oauth import TokenGrant
from integrations.tests.clock import make_due
from integrations.tests.conftest import CALLBACK, SCOPES
from integrations.tests.installing import consent
from integrations.tests.meanwhile import held
from sandbox.shopify.grants import issue_pair

pytestmark = pytest.mark.django_db
HOUR, DAY = 3600, 86_400


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("integrations.token_grants.PAUSES", (0.01, 0.01))


@pytest.fixture(params=["window", "until_used"])
def rotation(request, shopify):
    """Both published ways in which a used refresh token goes."""
    shopify.behaviour.rotation = request.param
    return request.param


@pytest.fixture
def expiring(shopify, account):
    """An account with an expiring token of the sandbox."""
    answer = issue_pair(shopify, "client-1", "test", SCOPES.split(","))
    grant = TokenGrant(
        answer["access_token"], answer["scope"], HOUR, answer["refresh_token"], answer["refresh_token_expires_in"]
    )
    assert tokens.store(account, grant, seen_version=0)
    account.refresh_from_db()
    return account


def let_pass(shopify, account, **time):
    """Let time pass at Shopify and, as far as the account's columns say it, at Hemi."""
    gone = timedelta(**time)
    shopify.clock.advance(gone.total_seconds())
    account.refresh_from_db()
    ends = (account.token_expires_at, account.refresh_expires_at)
    AccountShopify.objects.filter(pk=account.pk).update(
        token_expires_at=ends[0] and ends[0] - gone, refresh_expires_at=ends[1] and ends[1] - gone
    )
    account.refresh_from_db()


def ask(account, **how):
    with connections.client_for(account, 15, **how) as client:
        return stores.shop(client)


def kept(account):
    """Return all that is stored of the token."""
    names = ("access_token", "refresh_token", "token_version", "token_expires_at", "refresh_expires_at")
    return AccountShopify.objects.values_list(*names).get(pk=account.pk)


def in_threads(count, work):
    """Run `work` in so many threads at once; return what it gave or raised."""
    start, results = threading.Barrier(count), []

    def run():
        start.wait()
        try:
            results.append(work())
        except ShopifyError as error:
            results.append(error)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_an_install_asks_for_an_expiring_token_where_the_app_does(shopify, account):
    Integration.objects.update(app_type=Integration.AppType.PUBLIC)
    account.refresh_from_db()
    _, query = consent(account)
    callbacks.receive(query)
    installs.exchange_codes()
    account.refresh_from_db()
    left = account.token_expires_at - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert timedelta(days=89) < account.refresh_expires_at - timezone.now() <= timedelta(days=90)
    assert account.refresh_token in shopify.state.refresh_tokens
    assert ask(account).name == "test"


def test_the_lifetimes_are_those_of_the_answer(shopify, account):
    shopify.behaviour.access_seconds, shopify.behaviour.refresh_seconds = 120.0, 5 * DAY
    Integration.objects.update(has_expiring_tokens=True)
    account.refresh_from_db()
    _, query = consent(account)
    callbacks.receive(query)
    installs.exchange_codes()
    account.refresh_from_db()
    assert account.token_expires_at - timezone.now() <= timedelta(seconds=120)
    assert account.refresh_expires_at - timezone.now() <= timedelta(days=5)


def test_an_ended_token_is_renewed_before_it_is_used(shopify, expiring, rotation):
    old = kept(expiring)
    let_pass(shopify, expiring, hours=2)
    assert ask(expiring).name == "test"
    new = kept(expiring)
    assert new[0] != old[0] and new[1] != old[1] and new[2] == old[2] + 1
    assert shopify.state.token_requests == ["refresh_token"]


def test_again_and_again_for_half_a_year(shopify, expiring, rotation):
    for _ in range(6):
        let_pass(shopify, expiring, days=30)
        renewals.renew_tokens()
        assert ask(expiring).name == "test"
    assert shopify.state.token_requests == ["refresh_token"] * 6
    assert not StaffAlert.objects.exists()


def test_a_token_that_shopify_refuses_is_renewed_once_and_the_call_repeated(shopify, expiring):
    shopify.clock.advance(2 * HOUR)  # Hemi's own clock says that it is still good
    assert ask(expiring).name == "test"
    assert shopify.state.token_requests == ["refresh_token"]


def test_a_mutation_that_met_a_401_is_sent_again_and_done_once(shopify, expiring):
    shopify.clock.advance(2 * HOUR)
    with connections.client_for(expiring) as client:
        client.execute(queries.SUBSCRIBE, {"topic": "ORDERS_CREATE", "uri": "https://hemi.test/w/"})
    assert len(shopify.state.subscriptions) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known_to_have_ended", [True, False])
def test_twenty_calls_on_an_ended_token_make_one_refresh_and_none_fails(
    shopify, expiring, rotation, is_known_to_have_ended
):
    if is_known_to_have_ended:
        let_pass(shopify, expiring, hours=2)
    else:
        shopify.clock.advance(2 * HOUR)
    results = in_threads(20, lambda: ask(AccountShopify.objects.get(pk=expiring.pk)).name)
    assert results == ["test"] * 20
    assert shopify.state.token_requests == ["refresh_token"]
    assert kept(expiring)[2] == 2


@pytest.mark.django_db(transaction=True)
def test_twenty_calls_where_the_client_must_authorise_again_ask_once(shopify, expiring):
    shopify.state.refresh_tokens.clear()
    let_pass(shopify, expiring, hours=2)
    results = in_threads(20, lambda: ask(AccountShopify.objects.get(pk=expiring.pk)))
    assert [error.kind for error in results] == [Kind.REAUTHORISE] * 20
    assert shopify.state.token_requests == ["refresh_token"]
    assert StaffAlert.objects.count() == 1


def test_a_lost_answer_is_had_again_with_the_stored_token(shopify, expiring, rotation):
    let_pass(shopify, expiring, hours=2)
    shopify.add_fault("lost", place="token")
    assert ask(expiring).name == "test"
    assert shopify.state.token_requests == ["refresh_token"] * 2
    assert kept(expiring)[0] in shopify.state.tokens
    let_pass(shopify, expiring, hours=2)
    assert ask(expiring).name == "test"  # what was stored can be renewed in its turn
    assert not StaffAlert.objects.exists()


@pytest.mark.parametrize("kind", ["429", "500", "502"])
def test_trouble_is_repeated_with_the_stored_token(shopify, expiring, kind):
    let_pass(shopify, expiring, hours=2)
    shopify.add_fault(kind, count=2, place="token")
    assert ask(expiring).name == "test"


def test_shopify_that_is_away_changes_nothing_and_is_asked_later(shopify, expiring):
    let_pass(shopify, expiring, hours=2)
    old = kept(expiring)
    shopify.add_fault("500", count=3, place="token")
    with pytest.raises(ShopifyError) as caught:
        ask(expiring)
    assert caught.value.kind == Kind.TEMPORARY
    with pytest.raises(ShopifyError, match="tries again at"):
        ask(expiring)  # not due yet: Shopify is left alone
    assert shopify.state.token_requests == []
    assert kept(expiring) == old
    make_due(AccountShopify.objects, "token_next_attempt_at")
    renewals.renew_tokens()
    assert ask(expiring).name == "test"
    expiring.refresh_from_db()
    assert (expiring.token_attempts, expiring.problem) == (0, "")


def test_a_token_that_still_works_is_used_while_its_renewal_fails(shopify, expiring):
    let_pass(shopify, expiring, minutes=59, seconds=30)
    shopify.add_fault("500", count=3, place="token")
    assert ask(expiring).name == "test"
    assert ask(expiring).name == "test"
    assert shopify.state.token_requests == []


def test_trouble_that_lasts_is_told_and_over_by_itself(shopify, expiring):
    let_pass(shopify, expiring, hours=2)
    shopify.add_fault("500", count=3 * tokens.TROUBLED_ATTEMPTS, place="token")
    for _ in range(tokens.TROUBLED_ATTEMPTS):
        make_due(AccountShopify.objects, "token_next_attempt_at")
        renewals.renew_tokens()
    expiring.refresh_from_db()
    assert expiring.problem == "no_token"
    assert StaffAlert.objects.get(cleared_at=None).kind == "problem_no_token"
    make_due(AccountShopify.objects, "token_next_attempt_at")
    renewals.renew_tokens()
    expiring.refresh_from_db()
    assert expiring.problem == ""
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_a_refused_refresh_means_authorise_again_and_jobs_stop_asking(shopify, expiring):
    shopify.state.refresh_tokens.clear()
    let_pass(shopify, expiring, hours=2)
    with pytest.raises(ShopifyError) as caught:
        ask(expiring)
    assert caught.value.kind == Kind.REAUTHORISE and caught.value.is_unauthorised
    expiring.refresh_from_db()
    assert expiring.problem == "reauthorise"
    assert "invalid_request" in expiring.problem_text
    assert "new install link" in StaffAlert.objects.get(kind="problem_reauthorise").text
    make_due(AccountShopify.objects, "token_next_attempt_at")
    renewals.renew_tokens()
    for _ in range(3):
        with pytest.raises(ShopifyError):
            ask(expiring)
    assert shopify.state.token_requests == ["refresh_token"]
    _, query = consent(expiring)
    callbacks.receive(query)
    installs.exchange_codes()
    expiring.refresh_from_db()
    assert expiring.problem == ""
    assert ask(expiring).name == "test"
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_lost_against_a_new_token_says_nothing(shopify, expiring):
    let_pass(shopify, expiring, hours=2)
    shopify.state.refresh_tokens.clear()
    good = shopify.issue_token("client-1", "test", SCOPES.split(","))
    with held(shopify, lambda: ask(expiring)) as results:
        accounts.store_token(account=expiring, token=good, by=None)
    assert [error.kind for error in results] == [Kind.REAUTHORISE]
    expiring.refresh_from_db()
    assert (expiring.problem, expiring.token_version, expiring.access_token) == ("", 2, good)
    assert not StaffAlert.objects.exists()
    assert ask(expiring).name == "test"


@pytest.mark.django_db(transaction=True)
def test_a_renewed_token_that_lost_is_dropped_and_the_stored_one_used(shopify, expiring):
    let_pass(shopify, expiring, hours=2)
    good = shopify.issue_token("client-1", "test", SCOPES.split(","))
    with held(shopify, lambda: ask(expiring).name) as results:
        accounts.store_token(account=expiring, token=good, by=None)
    assert results == ["test"]
    assert kept(expiring)[:3] == (good, "", 2)


def test_a_worker_that_died_holds_the_lease_for_a_while_only(shopify, expiring, monkeypatch):
    monkeypatch.setattr(token_leases, "WAIT_SECONDS", 0.3)
    assert token_leases.win(expiring.pk)
    let_pass(shopify, expiring, hours=2)
    with pytest.raises(ShopifyError, match="Somebody else"):
        ask(expiring)
    assert shopify.state.token_requests == []
    make_due(AccountShopify.objects, "token_lease_until")
    assert ask(expiring).name == "test"


def test_an_install_waits_for_the_lease(shopify, expiring, monkeypatch):
    monkeypatch.setattr(token_leases, "WAIT_SECONDS", 0.2)
    lease = token_leases.win(expiring.pk)
    link, query = consent(expiring)
    callbacks.receive(query)
    installs.exchange_codes()
    link.refresh_from_db()
    assert link.status == "code_received"
    assert shopify.state.token_requests == []
    token_leases.release(expiring.pk, lease)
    make_due(InstallLink.objects)
    installs.exchange_codes()
    link.refresh_from_db()
    assert link.status == "connected"


def test_tokens_are_renewed_some_minutes_early_and_not_before(shopify, expiring):
    renewals.renew_tokens()
    let_pass(shopify, expiring, minutes=49)
    renewals.renew_tokens()
    assert shopify.state.token_requests == []
    let_pass(shopify, expiring, minutes=2)
    renewals.renew_tokens()
    renewals.renew_tokens()
    assert shopify.state.token_requests == ["refresh_token"]


def test_a_paused_account_is_kept_alive_long_before_ninety_days(shopify, expiring):
    AccountShopify.objects.update(paused_at=timezone.now())
    let_pass(shopify, expiring, days=29)
    renewals.renew_tokens()
    assert shopify.state.token_requests == []
    let_pass(shopify, expiring, days=2)
    renewals.renew_tokens()
    assert shopify.state.token_requests == ["refresh_token"]
    let_pass(shopify, expiring, days=80)
    assert ask(expiring).name == "test"


@pytest.fixture
def organisation(shopify, account):
    """An account whose app was made in the client's own organisation."""
    Integration.objects.update(app_type=Integration.AppType.ORGANISATION)
    app = shopify.state.apps["client-1"]
    app.organisation_shops, app.released_scopes = {"test"}, SCOPES.split(",")
    account.refresh_from_db()
    return account


def test_id_and_secret_end_with_a_token_that_is_renewed_before_its_day_is_over(shopify, organisation):
    renewals.renew_tokens()
    organisation.refresh_from_db()
    first = organisation.access_token
    assert (organisation.webhooks, organisation.token_version) == ("due", 1)
    assert organisation.orders_from == organisation.authorised_at is not None
    assert organisation.granted_scopes
    assert ask(organisation).name == "test"
    renewals.renew_tokens()
    let_pass(shopify, organisation, hours=20)
    renewals.renew_tokens()
    assert shopify.state.token_requests == ["client_credentials"]
    AccountShopify.objects.update(webhooks="on")
    let_pass(shopify, organisation, hours=2)
    renewals.renew_tokens()
    organisation.refresh_from_db()
    assert shopify.state.token_requests == ["client_credentials"] * 2
    assert organisation.access_token != first
    assert organisation.webhooks == "on"
    assert ask(organisation).name == "test"


def test_an_app_of_another_organisation_is_told_with_what_to_do(shopify, organisation):
    shopify.state.apps["client-1"].organisation_shops = set()
    renewals.renew_tokens()
    organisation.refresh_from_db()
    assert (organisation.access_token, organisation.problem) == ("", "no_token")
    assert "shop_not_permitted" in organisation.problem_text
    assert "same organisation" in StaffAlert.objects.get().text
    shopify.state.apps["client-1"].organisation_shops = {"test"}
    make_due(AccountShopify.objects, "token_next_attempt_at")
    renewals.renew_tokens()
    organisation.refresh_from_db()
    assert organisation.is_authorised and organisation.problem == ""
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_a_renewal_that_is_refused_is_told_once_though_the_old_token_still_works(shopify, organisation):
    renewals.renew_tokens()
    let_pass(shopify, organisation, hours=22)
    shopify.state.apps["client-1"].organisation_shops = set()
    for _ in range(3):
        make_due(AccountShopify.objects, "token_next_attempt_at")
        renewals.renew_tokens()
        organisation.refresh_from_db()
        assert ask(organisation).name == "test"
        organisation.refresh_from_db()
        assert organisation.problem == "no_token"
    assert StaffAlert.objects.count() == 1


def test_wrong_credentials_are_not_shown(shopify, organisation, caplog):
    IntegrationCredentials.objects.update(client_secret="not-this-one")
    renewals.renew_tokens()
    organisation.refresh_from_db()
    assert organisation.problem == "no_token"
    assert "not-this-one" not in organisation.problem_text + caplog.text + StaffAlert.objects.get().text


def test_a_disconnected_account_is_not_connected_again_by_itself(shopify, organisation):
    AccountShopify.objects.update(disconnected_at=timezone.now())
    renewals.renew_tokens()
    with pytest.raises(ShopifyError, match="not authorised"):
        ask(organisation)
    assert shopify.state.token_requests == []


@pytest.mark.parametrize("fault", ["", "lost", "502"])
def test_move_to_an_expiring_token(shopify, store, fault):
    old = store.access_token
    if fault:
        shopify.add_fault(fault, place="token")
    AccountShopify.objects.update(expiring_asked_at=timezone.now())
    renewals.renew_tokens()
    store.refresh_from_db()
    assert old not in shopify.state.tokens
    assert store.refresh_token in shopify.state.refresh_tokens
    assert store.expiring_asked_at is None
    assert ask(store).name == "test"
    assert AccountEvent.objects.filter(kind="token_moved").count() == 1
    let_pass(shopify, store, hours=2)
    assert ask(store).name == "test"


def test_a_call_amid_a_move_gets_the_new_token(shopify, store):
    AccountShopify.objects.update(expiring_asked_at=timezone.now())
    with connections.client_for(store) as client:
        renewals.renew_tokens()
        assert stores.shop(client).name == "test"


def test_a_move_that_is_refused_keeps_the_token(shopify, store):
    old = kept(store)
    shopify.state.apps["client-1"].client_secret = "another"
    AccountShopify.objects.update(expiring_asked_at=timezone.now())
    renewals.renew_tokens()
    assert kept(store) == old
    store.refresh_from_db()
    assert (store.expiring_asked_at, store.problem) == (None, "")
    assert StaffAlert.objects.get().kind == "token_move"
    assert ask(store).name == "test"
    renewals.renew_tokens()
    assert len(StaffAlert.objects.all()) == 1


def test_a_lasting_token_that_was_revoked_is_said_and_jobs_stop(shopify, store):
    revoked = shopify.state.tokens[store.access_token]
    shopify.revoke_token(store.access_token)
    with pytest.raises(ShopifyError) as caught:
        ask(store)
    assert caught.value.kind == Kind.UNAUTHORISED and caught.value.is_unauthorised
    store.refresh_from_db()
    assert store.problem == "reauthorise"
    with pytest.raises(ShopifyError) as caught:
        ask(store)
    assert caught.value.kind == Kind.REAUTHORISE
    shopify.state.tokens[str(store.access_token)] = revoked
    assert ask(store, interactive=True).name == "test"  # a person may try, and it works again
    store.refresh_from_db()
    assert store.problem == ""


def test_secrets_rotate_without_a_gap(shopify, expiring):
    shopify.rotate_secret("client-1", "new-secret")
    let_pass(shopify, expiring, hours=2)
    assert ask(expiring).name == "test"  # Hemi still has the old one
    IntegrationCredentials.objects.update(client_secret="new-secret", previous_client_secret="hush")
    let_pass(shopify, expiring, hours=2)
    assert ask(expiring).name == "test"


def test_nothing_of_a_token_is_logged(shopify, expiring, caplog):
    with caplog.at_level("DEBUG"):
        let_pass(shopify, expiring, hours=2)
        ask(expiring)
        shopify.state.refresh_tokens.clear()
        let_pass(shopify, expiring, hours=2)
        with pytest.raises(ShopifyError):
            ask(expiring)
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for secret in ("shpat_", "shprt_", "hush"):
        assert secret not in said


@pytest.fixture
def other_app(shopify):
    """An app that takes the place of the account's."""
    shopify.add_app("client-2", "hush-2", [CALLBACK])
    app = Integration.objects.create(name="The other app")
    IntegrationCredentials.objects.create(integration=app, client_id="client-2", client_secret="hush-2")
    return app


def test_the_token_of_an_app_that_was_exchanged_lasts_until_the_new_app_has_one(shopify, expiring, other_app):
    AccountShopify.objects.update(integration=other_app)
    for _ in range(2):
        let_pass(shopify, expiring, hours=2)
        renewals.renew_tokens()
        assert ask(expiring).name == "test"
    expiring.refresh_from_db()
    assert expiring.problem == "" and not StaffAlert.objects.exists()
    _, query = consent(expiring)
    callbacks.receive(query)
    installs.exchange_codes()
    expiring.refresh_from_db()
    assert expiring.token_integration == other_app
    assert shopify.state.tokens[str(expiring.access_token)].client_id == "client-2"


def test_an_app_of_the_organisation_takes_over_from_one_that_was_installed(shopify, expiring, other_app):
    app = shopify.state.apps["client-2"]
    app.organisation_shops, app.released_scopes = {"test"}, SCOPES.split(",")
    Integration.objects.filter(pk=other_app.pk).update(app_type=Integration.AppType.ORGANISATION)
    AccountShopify.objects.update(integration=other_app)
    renewals.renew_tokens()
    renewals.renew_tokens()
    expiring.refresh_from_db()
    assert shopify.state.token_requests == ["client_credentials"]
    assert (expiring.token_integration, str(expiring.refresh_token)) == (other_app, "")
    let_pass(shopify, expiring, days=2)
    assert ask(expiring).name == "test"


@pytest.mark.parametrize("was_lasting", [True, False])
def test_an_app_of_the_organisation_takes_over_where_the_client_would_have_to_authorise(
    shopify, expiring, other_app, was_lasting
):
    shopify.state.refresh_tokens.clear()
    shopify.state.tokens.clear()
    if was_lasting:
        AccountShopify.objects.update(refresh_token="", token_expires_at=None, token_integration=None)
    with pytest.raises(ShopifyError):
        ask(expiring)
    expiring.refresh_from_db()
    assert expiring.problem == "reauthorise"
    app = shopify.state.apps["client-2"]
    app.organisation_shops, app.released_scopes = {"test"}, SCOPES.split(",")
    Integration.objects.filter(pk=other_app.pk).update(app_type=Integration.AppType.ORGANISATION)
    AccountShopify.objects.update(integration=other_app)
    make_due(AccountShopify.objects, "token_next_attempt_at")
    renewals.renew_tokens()
    expiring.refresh_from_db()
    assert expiring.problem == ""
    assert ask(expiring).name == "test"


@pytest.mark.parametrize("app_type", Integration.AppType.values)
def test_every_kind_of_app_ends_with_a_working_token(shopify, account, app_type):
    Integration.objects.update(app_type=app_type)
    app = shopify.state.apps["client-1"]
    app.organisation_shops, app.released_scopes = {"test"}, SCOPES.split(",")
    account.refresh_from_db()
    if app_type == Integration.AppType.INTERNAL:
        token = shopify.issue_token("client-1", "test", SCOPES.split(","))
        granted = account_tokens.check(account=account, token=token)
        accounts.store_token(account=account, token=token, by=None, granted_scopes=granted)
    elif app_type == Integration.AppType.ORGANISATION:
        renewals.renew_tokens()
    else:
        _, query = consent(account)
        callbacks.receive(query)
        installs.exchange_codes()
    assert ask(account).name == "test"
    account.refresh_from_db()
    assert (account.webhooks, account.orders_from) == ("due", account.authorised_at)
    ends = {"custom": None, "private": HOUR, "public": HOUR, "internal": None, "organisation": DAY}[app_type]
    left = account.token_expires_at and account.token_expires_at - timezone.now()
    assert left is None if ends is None else left.total_seconds() == pytest.approx(ends, abs=30)
