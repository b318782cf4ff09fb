#!/bin/bash
# Makes a Debian 12 or 13 server into one that runs Hemi: nginx, certificate, services, first release. As root, from a
# copy of the code, as often as you like: what is there already stays, above all keys, data and settings.
#
#   deploy/install.sh NAME MAIL       the server's public name; where certbot and Let's Encrypt may write to
#
# Where systemd is not running everything is prepared and enabled, and nothing started.
set -euo pipefail
umask 022
NAME=${1:-} MAIL=${2:-}
cd "$(dirname "$(readlink -f "$0")")"
ENV_FILE=/etc/hemi/hemi.env CHANGED=no
export DEBIAN_FRONTEND=noninteractive

say() { printf '\n=== %s\n' "$*"; }
did() { printf -- '- %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
runs_systemd() { [ -d /run/systemd/system ]; }

# put FILE TARGET [MODE]: copies where they differ; says which, and returns 0 where it did.
put() {
    [ -f "$2" ] && cmp -s "$1" "$2" && return 1
    install -D -o root -g root -m "${3:-644}" "$1" "$2"
    did "wrote $2"
}

check_machine() {
    [ "$(id -u)" = 0 ] || fail "Say it as root: sudo $0 NAME MAIL"
    [[ $NAME =~ ^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$ ]] || fail "Name the server as clients will: $0 hemi.example.com you@example.com"
    [[ $MAIL == *@*.* ]] || fail "Say where certbot may write to: $0 $NAME you@example.com"
    [[ $(. /etc/os-release && echo "$ID-${VERSION_ID:-}") =~ ^debian-(12|13)$ ]] || fail "Hemi is installed so on Debian 12 and 13; /etc/os-release names another system."
    [ ! -e $ENV_FILE ] || grep -qE "^HEMI_BASE_URL=[\"']?https://$NAME[/\"']*$" $ENV_FILE ||
        fail "HEMI_BASE_URL in $ENV_FILE is not https://$NAME. To change the server's name write the new one there first."
}

packages() {
    say "Packages"
    local each missing=()
    for each in nginx certbot python3 python3-venv openssl ca-certificates curl; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$each" 2>/dev/null)" = installed ] || missing+=("$each")
    done
    [ ${#missing[@]} -eq 0 ] && { did "all there"; return; }
    did "installing ${missing[*]}"
    # A server that was just made is often busy with its own updates.
    apt-get update -qq
    apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

user_and_folders() {
    say "User and folders"
    id hemi >/dev/null 2>&1 || { useradd --system --user-group --home-dir /var/lib/hemi --no-create-home --shell /usr/sbin/nologin hemi; did "made the user hemi"; }
    install -d -o root -g root -m 755 /opt/hemi /opt/hemi/releases /var/www/hemi-acme
    install -d -o root -g hemi -m 750 /etc/hemi
    install -d -o root -g root -m 700 /etc/hemi/tls
    install -d -o hemi -g hemi -m 750 /var/lib/hemi /var/backups/hemi
    did "code in /opt/hemi, settings in /etc/hemi, data in /var/lib/hemi, backups in /var/backups/hemi"
}

# Prints .env.example with what a server sets; new keys appear in no list of processes.
first_settings() {
    python3 - "$NAME" <<'PYTHON'
import base64, os, secrets, sys

def key():
    return base64.urlsafe_b64encode(os.urandom(32)).decode()

values = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEY": key(),
    "HEMI_BASE_URL": f"https://{sys.argv[1]}",
    "HEMI_VAR": "/var/lib/hemi",
    "HEMI_STATIC": "/opt/hemi/current/static",
    "BACKUP_KEY": key(),
    "BACKUP_DIR": "/var/backups/hemi",
}
for line in open("../.env.example").read().splitlines()[2:]:
    name = line.partition("=")[0].removeprefix("#")
    print(f"{name}={values.pop(name)}" if line.startswith("#") and name in values else line)
sys.exit(f"not in .env.example: {', '.join(values)}" if values else 0)
PYTHON
}

# Made from .env.example once, then left to people; owner and mode are put right each time.
settings() {
    say "Settings"
    if [ ! -e $ENV_FILE ]; then
        (umask 077 && first_settings >$ENV_FILE.new)
        mv $ENV_FILE.new $ENV_FILE
        did "made $ENV_FILE with new keys. Keep a copy of it away from this server: without it no backup can be read"
    else
        did "$ENV_FILE stays as it is"
    fi
    chown root:hemi $ENV_FILE
    chmod 640 $ENV_FILE
}

# Until Let's Encrypt has issued one nginx starts with a certificate that no browser trusts.
placeholder() {
    echo "$NAME" >/etc/hemi/tls/name
    [ ! -e /etc/hemi/tls/fullchain.pem ] || [ ! -e /etc/hemi/tls/privkey.pem ] || return 0
    rm -f /etc/hemi/tls/fullchain.pem /etc/hemi/tls/privkey.pem  # links to a certificate that is gone
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$NAME" \
        -keyout /etc/hemi/tls/privkey.pem -out /etc/hemi/tls/fullchain.pem 2>/dev/null
    did "made a certificate of its own for the time being"
}

services() {
    say "Services"
    local each
    while read -r each; do
        put "systemd/$each" "/etc/systemd/system/$each" && CHANGED=yes
    done < <(cd systemd && find . -type f -printf '%P\n')
    put hemi /usr/local/bin/hemi 755 || true
    [ $CHANGED = no ] && did "unchanged"
    ! runs_systemd || systemctl daemon-reload
    for each in systemd/*.socket systemd/*.timer systemd/hemi-{web,worker,delivery,beat}.service; do
        [ ! -e "$each" ] || systemctl --quiet enable "$(basename "$each")"
    done
    did "enabled"
}

web_server() {
    say "nginx and certificate"
    local site
    site=$(mktemp)
    sed "s/hemi\.example\.com/$NAME/g" nginx/hemi.conf >"$site"
    placeholder
    put "$site" /etc/nginx/sites-available/hemi || did "nginx's site is unchanged"
    rm "$site"
    ln -sfn ../sites-available/hemi /etc/nginx/sites-enabled/hemi
    if [ "$(readlink /etc/nginx/sites-enabled/default)" = /etc/nginx/sites-available/default ]; then
        rm /etc/nginx/sites-enabled/default
        did "took Debian's page of welcome out of service"
    fi
    put certbot/use-certificate /etc/letsencrypt/renewal-hooks/deploy/hemi 755 || true
    nginx -q -t || fail "nginx does not take its configuration; the one that runs goes on. Mend what it says (another site here?) and say this again"
    systemctl --quiet enable nginx.service certbot.timer
    ! runs_systemd || systemctl reload-or-restart nginx.service
}

certificate() {
    if [ -e "/etc/letsencrypt/live/$NAME" ]; then
        RENEWED_LINEAGE=/etc/letsencrypt/live/$NAME /etc/letsencrypt/renewal-hooks/deploy/hemi
        did "the certificate is there, and nginx uses it; certbot.timer renews it"
    elif ! runs_systemd; then
        did "no certificate asked for; with systemd running: $PWD/certbot/issue $NAME $MAIL"
    elif certbot/issue "$NAME" "$MAIL" --quiet; then
        did "the certificate was issued; certbot.timer renews it"
    else
        did "no certificate yet. Does $NAME lead here, and is port 80 open? Then say this again"
    fi
}

# Where Prometheus runs on this server it gets the alerts; what else it is told is its owner's business.
alerts() {
    [ -d /etc/prometheus ] || return 0
    say "Alerts"
    put prometheus/hemi.rules.yml /etc/prometheus/hemi.rules.yml || did "unchanged"
    grep -qs hemi.rules.yml /etc/prometheus/prometheus.yml ||
        did "Prometheus does not ask Hemi yet: $PWD/prometheus/prometheus.yml says what to add to /etc/prometheus/prometheus.yml"
    ! runs_systemd || systemctl try-reload-or-restart prometheus.service
}

start() {
    say "Start"
    if runs_systemd; then
        [ $CHANGED = no ] || systemctl restart hemi-web.service  # a release only reloads it; requests wait meanwhile
        systemctl start hemi-web.socket
        systemctl start hemi-web.service hemi-worker.service hemi-delivery.service hemi-beat.service \
            hemi-backup.timer hemi-journal.timer hemi-rehearsal.timer certbot.timer
        did "https://$NAME/admin/ is up"
    else
        did "systemd is not running here: everything is enabled and starts with the machine"
    fi
    did "a first user: hemi createsuperuser"
    did "what is still to be set: /etc/hemi/hemi.env, then systemctl restart 'hemi-*.service'; hemi doctor checks it"
}

check_machine
packages
user_and_folders
settings
services
web_server
! runs_systemd || systemctl start hemi-web.socket
certificate
say "Release"
./release.sh
alerts
start
