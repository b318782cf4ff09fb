#!/bin/bash
# install.sh on a clean Debian, as root: debootstrap, installed twice, what systemd says of the units; then, where
# systemd-nspawn can, the machine is booted without a network but its own and has to serve, come back and be released.
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
    inside sh -c 'cd /etc/systemd/system && systemd-analyze verify hemi-*.service hemi-*.socket 2>&1' | tee "$WORK/verify.log"
    ! grep -q hemi "$WORK/verify.log" || fail "systemd-analyze verify"
    for unit in hemi-web hemi-worker hemi-delivery hemi-beat; do
        inside systemd-analyze security --offline=true --no-pager --threshold=29 "$unit.service" | tail -1
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
    on hemi check >/dev/null
}

come_back() {
    say "What is killed comes back"
    for unit in hemi-web hemi-worker hemi-delivery hemi-beat; do
        before=$(main_pid $unit)
        on systemctl kill -s KILL $unit
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
    on /root/hemi/deploy/release.sh
    on /root/hemi/deploy/release.sh --back
    touch "$WORK/enough"
    wait $asking
    sort "$WORK/codes" | uniq -c
    [ "$(sort -u "$WORK/codes")" = 200 ] || fail "a request failed while it was released"
}

read_journal() {
    say "The journal"
    on journalctl -q -o cat -u 'hemi-*' --no-pager >"$WORK/journal"
    grep -c '^{' "$WORK/journal" || true
    # Beat's own notebook may be torn where it was killed; it begins a new one and says so.
    ! grep -E '"level": "(error|critical)"|Operation not permitted|Read-only file system' "$WORK/journal" |
        grep -v "Removing corrupted schedule" || fail "errors in the journal"
}

make_root
install_twice
ask_systemd
if command -v systemd-nspawn >/dev/null; then
    boot
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
