"""The test of an endpoint: every step told in the right words, nothing left behind, and what was found is obeyed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.models import StaffAlert
from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from suppliers import connections, due, lanes, outbox, preflight
from suppliers.models import Delivery, Endpoint, EndpointCheck
from suppliers.services import endpoints
from suppliers.tests import factories
from suppliers.tests.servers import REAL, SANDBOXES, make
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[*SANDBOXES, *REAL])
def place(request, tmp_path):
    with make(request.param, tmp_path) as server:
        yield server
        sessions.kept.close_idle()


@pytest.fixture
def person(db):
    return User.objects.create_user("clerk")


def _endpoint(server, **values):
    key = {"private_key": server.private_key} if getattr(server, "has_password", True) is False else {}
    return factories.endpoint(server, **{**key, **values})


def _test(endpoint, by=None):
    check = EndpointCheck.objects.create(endpoint=endpoint, made_by=by)
    assert preflight.run(check.pk)
    check.refresh_from_db()
    endpoint.refresh_from_db()
    return check


def _steps(check):
    return {step["name"]: step["outcome"] for step in check.steps}


def _text(check, name):
    return next(step["text"] for step in check.steps if step["name"] == name)


def _files(server):
    return sorted(path.relative_to(server.root) for path in server.root.rglob("*") if path.is_file())


def test_every_kind_of_server_passes_and_keeps_nothing(place):
    endpoint = _endpoint(place, max_sessions=2, done_suffix=".done")
    check = _test(endpoint)
    assert check.status == "passed", check.steps
    assert not {step for step, outcome in _steps(check).items() if outcome == "failed"}
    assert [path for path in place.orders_folder.iterdir()] == []
    assert endpoint.profiled_at and abs(endpoint.profile["clock_difference"]) < 5
    found = {name: endpoint.profile[name] for name in ("has_size", "can_list", "can_delete", "max_sessions")}
    assert found == {"has_size": True, "can_list": True, "can_delete": True, "max_sessions": 2}
    assert (endpoint.claim_token, endpoint.lease_until, endpoint.attempts) == ("", None, 0)
