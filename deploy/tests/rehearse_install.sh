#!/bin/bash
# install.sh on a clean Debian, as root: debootstrap, installed twice, what systemd says of the units; then, where
# systemd-nspawn can, the machine is booted without a network but its own and has to serve, come back, be backed up and
# released.
#
#   rehearse_install.sh bookworm|trixie [FOLDER]      the folder (default: a new one) is kept where something failed
set -euo pipefail
SUITE=${1:?bookworm or trixie}
WORK=${2:-$(mktemp -d "/tmp/hemi-$SUITE.XXXXXX")}
CODE=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
ROOT=$WORK/root NAME=hemi.example.com BOOTED=""

say() { printf '\n##### %s\n' "$*"; }
fail() { printf 'FAILED: %s (%s)\n' "$*" "$WORK" >&2; exit 1; }
finish() { [ -z "$BOOTED" ] || { kill "$BOOTED" && wait "$BOOTED"; } 2>/dev/null || true; }
trap finish EXIT

# inside ARGS...: in the root folder with a /proc of its own, so that nothing of this machine is seen or started.
inside() {
    unshare --mount --pid --fork bash -c 'root=$1; shift
        mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/tmp" && mount --bind /dev "$root/dev" &&
        exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
            chroot "$root" "$@"' inside "$ROOT" "$@"
}

make_root() {
    say "Debian $SUITE by debootstrap"
    mkdir -p "$WORK"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,ca-certificates "$SUITE" "$ROOT" \
        http://deb.debian.org/debian >"$WORK/debootstrap.log"
    printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
    chmod +x "$ROOT/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$ROOT/etc/"
    if compgen -G "/usr/local/share/ca-certificates/*" >/dev/null; then
        cp -r /usr/local/share/ca-certificates/. "$ROOT/usr/local/share/ca-certificates/"
        inside update-ca-certificates >/dev/null 2>&1
    fi
    mkdir -p "$ROOT/root/hemi"
    tar -C "$CODE" --exclude=./.git --exclude=./var --exclude='./.venv*' --exclude=__pycache__ -cf - . | tar -C "$ROOT/root/hemi" --no-same-owner -xf -
    chmod -R go= "$ROOT/root/hemi"  # as somebody has it whose umask is 077
}

kept() { (cd "$ROOT" && find etc/hemi etc/systemd/system etc/nginx/sites-* usr/local/bin/hemi -exec stat -c '%n %U %G %a %N' {} + && cat etc/hemi/hemi.env etc/hemi/tls/*.pem) | sha256sum; }

install_twice() {
    say "install.sh"
    inside /root/hemi/deploy/install.sh "$NAME" ops@example.com
    local first; first=$(kept)
    say "install.sh again"
    inside /root/hemi/deploy/install.sh "$NAME" ops@example.com | tee "$WORK/again.log"
    [ "$first" = "$(kept)" ] || fail "the second installation changed what the first had made"
    grep -q "enabled and starts with the machine" "$WORK/again.log" || fail "it did not say that nothing was started"
    [ "$(inside stat -c '%U:%G %a' /etc/hemi/hemi.env)" = "root:hemi 640" ] || fail "owner and mode of hemi.env"
    for unit in hemi-web.socket hemi-web.service hemi-worker.service hemi-delivery.service hemi-beat.service nginx.service certbot.timer; do
        [ "$(inside systemctl is-enabled $unit)" = enabled ] || fail "$unit is not enabled"
    done
    inside runuser -u www-data -- cat /etc/hemi/hemi.env >/dev/null 2>&1 && fail "nginx's user can read the keys"
    inside nginx -t
}

ask_systemd() {
    say "What systemd says of the units"
    inside sh -c 'cd /etc/systemd/system && systemd-analyze verify hemi-*.service hemi-*.socket hemi-*.timer 2>&1' | tee "$WORK/verify.log"
    ! grep -q hemi "$WORK/verify.log" || fail "systemd-analyze verify"
    for unit in "$CODE"/deploy/systemd/*.service; do
        inside systemd-analyze security --offline=true --no-pager --threshold=29 "$(basename "$unit")" | tail -1
    done
}

on() { nsenter --target "$LEADER" --all -- /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$@"; }
page() { on curl -sk -o /dev/null -w '%{http_code}' --max-time 40 --resolve "$NAME:443:127.0.0.1" "https://$NAME$1"; }
until_true() { for _ in $(seq 300); do "$@" && return 0; sleep 0.3; done; fail "waited in vain: $*"; }
main_pid() { on systemctl show -p MainPID --value "$1"; }
is_another() { local now; now=$(main_pid "$1"); [ "$now" != 0 ] && [ "$now" != "$2" ]; }

boot() {
    say "Booted by systemd-nspawn, with the units' real confinement"
    rm "$ROOT/usr/sbin/policy-rc.d"
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet -D "$ROOT" --register=no --keep-unit --private-network --boot >"$WORK/boot.log" 2>&1 &
    BOOTED=$!
    until_true test -n "$(sleep 3; cat "/proc/$BOOTED/task/$BOOTED/children")"
    LEADER=$(tr -d ' ' <"/proc/$BOOTED/task/$BOOTED/children")
    until_true on systemctl is-active --quiet hemi-web hemi-worker hemi-delivery hemi-beat nginx
    [ "$(page /admin/login/)" = 200 ] || fail "the login page"
    [ "$(page /readyz)" = 200 ] || fail "readyz"
    on hemi check --fail-level ERROR >/dev/null 2>&1 || fail "hemi check"
}

# confined ARGS...: a command of Hemi's in a unit of its own, whose name gives it what Hemi's units have in common.
confined() {
    printf '[Service]\nType=oneshot\nExecStart=/opt/hemi/current/.venv/bin/python manage.py %s\n' "$*" | on tee /run/systemd/system/hemi-trial.service >/dev/null
    on systemctl daemon-reload
    on systemctl start hemi-trial.service
}

take_a_webhook() {
    say "A signed webhook, from TLS to the worker"
    local store body signature
    body=$(on hemi shell -c "$STORE" | tail -2)
    store=$(head -1 <<<"$body") body=$(tail -1 <<<"$body")
    signature=$(printf %s "$body" | openssl dgst -sha256 -hmac hush -binary | base64)
    set -- on curl -sk -o /dev/null -w '%{http_code}' --resolve "$NAME:443:127.0.0.1" "https://$NAME/shopify/webhooks/$store/" -d "$body" \
        -H "X-Shopify-Topic: orders/create" -H "X-Shopify-Shop-Domain: test.myshopify.com" -H "X-Shopify-Webhook-Id: 1" -H "Content-Type: application/json"
    [ "$("$@" -H "X-Shopify-Hmac-Sha256: AAAA")" = 401 ] || fail "a forged webhook"
    [ "$("$@" -H "X-Shopify-Hmac-Sha256: $signature")" = 200 ] || fail "a signed webhook"
    until_true journal_says webhook.processed
    printf %s "$STYLESHEET" | on tee /var/lib/hemi/trial.py >/dev/null
    confined 'shell -c "import runpy; runpy.run_path('"'/var/lib/hemi/trial.py'"')"' || fail "a supplier's stylesheet in a unit's confinement"
}

journal_says() { on journalctl -q -o cat -u hemi-worker --no-pager | grep -q -- "$1"; }

STORE='
import json
from orders.tests import bodies
from integrations.models import AccountShopify, Client, Integration, IntegrationCredentials
app = Integration.objects.create(name="Hemi Orders")
IntegrationCredentials.objects.create(integration=app, client_id="client-1", client_secret="hush")
client = Client.objects.create(name="Test")
print(AccountShopify.objects.create(shop_name="test", integration=app, client=client, client_email="owner@test.example").uuid)
print(json.dumps(bodies.order()))'

STYLESHEET='
from suppliers.documents import confined
sheet = b"<x:stylesheet version=\"1.0\" xmlns:x=\"http://www.w3.org/1999/XSL/Transform\"><x:template match=\"/\"><made/></x:template></x:stylesheet>"
assert b"made" in confined.make(b"<a/>", confined.Source("trial", lambda: sheet, {"encoding": "utf-8"}), None)[0]'

run_timers() {
    say "What the timers start"
    for unit in hemi-backup hemi-journal hemi-rehearsal; do
        on systemctl is-active --quiet $unit.timer || fail "$unit.timer does not run"
        on systemctl start $unit.service || fail "$unit: $(on journalctl -q -o cat -u $unit --no-pager | tail -5)"
        on journalctl -q -o cat -u $unit _UID="$(on id -u hemi)" --no-pager | tail -2
    done
    on sh -c 'ls -l /var/backups/hemi/*.backup' || fail "no backup"
    on systemctl list-timers --no-pager 'hemi-*' certbot.timer
}

come_back() {
    say "What is killed comes back"
    for unit in hemi-web hemi-worker hemi-delivery hemi-beat; do
        before=$(main_pid $unit)
        on systemctl kill --kill-whom=main -s KILL $unit
        until_true is_another $unit "$before"
        echo "$unit: $before -> $(main_pid $unit)"
    done
    [ "$(page /readyz)" = 200 ] || fail "readyz after the kill"
}

# Only the code changes, so that no package has to be fetched: this machine has no network.
release_under_load() {
    say "release.sh while pages are asked for"
    : >"$WORK/codes"
    while [ ! -e "$WORK/enough" ]; do page /healthz >>"$WORK/codes"; echo >>"$WORK/codes"; done &
    local asking=$!
    echo "# changed" >>"$ROOT/etc/systemd/system/hemi-web.service"
    on /root/hemi/deploy/release.sh | tee "$WORK/release.log"
    grep -q "has other units" "$WORK/release.log" || fail "it did not say that units differ"
    on /root/hemi/deploy/release.sh --back
    say "install.sh while pages are asked for"
    on /root/hemi/deploy/install.sh "$NAME" ops@example.com
    say "release.sh --pause while pages are asked for"
    breaking_migration
    ! on /root/hemi/deploy/release.sh || fail "a migration was made that the running code does not survive"
    on /root/hemi/deploy/release.sh --pause
    [ "$(cat "$ROOT/var/lib/hemi/served-meanwhile")" = "[]" ] || fail "a web process ran while migrations were made"
    touch "$WORK/enough"
    wait $asking
    sort "$WORK/codes" | uniq -c
    [ "$(sort -u "$WORK/codes")" = 200 ] || fail "a request failed while it was released"
}

breaking_migration() {
    local folder=$ROOT/root/hemi/integrations/migrations last
    last=$(cd "$folder" && ls 0*.py | sort | tail -1)
    cat >"$folder/9999_gone.py" <<PYTHON
import time
from pathlib import Path
from django.db import migrations

def words(process):
    try:
        return (process / "cmdline").read_text().split("\\0")
    except OSError:
        return []

def look(apps, editor):
    time.sleep(3)  # so that requests come in
    found = [process.name for process in Path("/proc").glob("[0-9]*") if "gunicorn" in words(process)]
    Path("/var/lib/hemi/served-meanwhile").write_text(str(found))

class Migration(migrations.Migration):
    dependencies = [("integrations", "${last%.py}")]
    operations = [migrations.RunSQL("SELECT 1", "SELECT 1"), migrations.RunPython(look)]
PYTHON
}

read_journal() {
    say "The journal"
    on journalctl -q -o cat -u hemi-web -u hemi-worker -u hemi-delivery -u hemi-beat _UID="$(on id -u hemi)" --no-pager >"$WORK/journal"
    grep -c '^{' "$WORK/journal" || fail "nothing was logged"
    ! grep -v '^{' "$WORK/journal" || fail "these lines are no JSON"
    # Beat's own notebook may be torn where it was killed; it begins a new one and says so.
    ! grep -E '"level": "(error|critical)"|Operation not permitted|Read-only file system' "$WORK/journal" |
        grep -v "Removing corrupted schedule" || fail "errors in the journal"
}

make_root
install_twice
ask_systemd
if command -v systemd-nspawn >/dev/null; then
    boot
    take_a_webhook
    run_timers
    come_back
    release_under_load
    read_journal
else
    say "systemd-nspawn is missing (package systemd-container): not booted"
fi
finish
BOOTED=""
rm -rf --one-file-system "$WORK"
say "All held on Debian $SUITE"
