"""Certificates as Let's Encrypt would issue and renew them: certbot, nginx and pebble on loopback."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.tests import wire
from deploy.tests.places import DEPLOY, NAME, Place, free_port

_RENEW = ["certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew"]


@pytest.fixture(scope="module")
def authority(place: Place, nginx: wire.Nginx, need: Callable) -> Iterator[dict[str, str]]:
    """A running pebble that finds NAME on loopback; what certbot needs to ask it."""
    need("pebble", "pebble-challtestsrv", "certbot")
    acme, names, unused, management = (free_port() for _ in range(4))
    own = place.root / "authority"
    told = {
        "listenAddress": f"127.0.0.1:{acme}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(own / "fullchain.pem"),
        "privateKey": str(own / "privkey.pem"),
        "httpPort": place.http,
        "tlsPort": place.https,
    }
    (place.root / "pebble.json").write_text(json.dumps({"pebble": told}))
    resolver = ["pebble-challtestsrv", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]
    resolver += ["-dns01", f"127.0.0.1:{names}", "-management", f"127.0.0.1:{unused}"]
    pebble = ["pebble", "-config", str(place.root / "pebble.json"), "-dnsserver", f"127.0.0.1:{names}"]
    env = {"PATH": "/usr/bin:/bin", "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with open(place.root / "pebble.log", "wb") as log:
        running = [subprocess.Popen(argv, env=env, stdout=log, stderr=log) for argv in (resolver, pebble)]
    wire.wait_for(lambda: wire.is_open(acme) and wire.is_open(unused))
    yield {"server": f"https://localhost:{acme}/dir", "root": f"https://localhost:{management}/roots/0"}
    for process in running:
        process.terminate()
        process.wait(10)
    for name in ("fullchain.pem", "privkey.pem"):  # the other tests trust the rehearsal's own authority
        (place.tls / name).unlink()
        (place.tls / name).write_bytes((own / name).read_bytes())
    nginx.process.send_signal(signal.SIGHUP)
    wire.wait_for(lambda: _peer(place) in (own / "fullchain.pem").read_text())


def _certbot(place: Place, authority: dict[str, str]) -> list[str]:
    folders = [f"--{name}-dir={place.root / 'letsencrypt' / name}" for name in ("config", "work", "logs")]
    return [*folders, f"--server={authority['server']}"]


def _peer(place: Place) -> str:
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{place.https}", "-servername", NAME]
    text = subprocess.run(argv, input="", capture_output=True, text=True, timeout=20).stdout
    return text[text.index("-----BEGIN") : text.index("-----END")]


def test_issued_then_renewed_and_served_each_time(place: Place, nginx: wire.Nginx, authority: dict[str, str]) -> None:
    reload = place.root / "reload-nginx"
    reload.write_text(f"#!/bin/sh\nkill -HUP {nginx.process.pid}\n")
    reload.chmod(0o755)
    hooks = place.root / "letsencrypt/config/renewal-hooks/deploy"
    hooks.mkdir(parents=True)
    (hooks / "hemi").symlink_to(DEPLOY / "certbot/use-certificate")
    env = {
        "HEMI_RELOAD_NGINX": str(reload),
        "HEMI_HOOK": str(hooks / "hemi"),
        "REQUESTS_CA_BUNDLE": str(place.root / "authority/ca.pem"),
    }
    placeholder = _peer(place)

    issue = ["certbot/issue", NAME, "ops@example.com", *_certbot(place, authority)]
    place.script(*issue, **env)
    wire.wait_for(lambda: _peer(place) != placeholder)
    issued = _peer(place)
    _trusted(place, authority)

    place.script(*issue, **env)  # again: nothing is due
    assert _peer(place) == issued

    renewed = place.program(*_RENEW, *_certbot(place, authority)[:3], **env)
    assert "succeeded" in renewed.stdout + renewed.stderr
    wire.wait_for(lambda: _peer(place) != issued)
    _trusted(place, authority)


def _trusted(place: Place, authority: dict[str, str]) -> None:
    """Show that a client who trusts this authority alone is served."""
    root = subprocess.check_output(["curl", "-sS", "--cacert", str(place.root / "authority/ca.pem"), authority["root"]])
    Path(place.root / "pebble-root.pem").write_bytes(root)
    assert wire.Caller(place, place.root / "pebble-root.pem").ask("GET", "/static/hemi/icon.svg").status == 200


def test_another_sites_certificate_is_left_alone(place: Place, nginx: wire.Nginx) -> None:
    before = (place.tls / "fullchain.pem").resolve()
    place.script("certbot/use-certificate", RENEWED_LINEAGE="/etc/letsencrypt/live/other.example")
    assert (place.tls / "fullchain.pem").resolve() == before
