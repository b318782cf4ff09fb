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
}

packages() {
    say "Packages"
    local each missing=()
    for each in nginx-light certbot python3 python3-venv openssl ca-certificates curl; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$each" 2>/dev/null)" = installed ] || missing+=("$each")
    done
    [ ${#missing[@]} -eq 0 ] && { did "all there"; return; }
    did "installing ${missing[*]}"
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
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

new_key() { python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'; }

# Made from .env.example once, then left to people; owner and mode are put right each time.
settings() {
    say "Settings"
    local file=/etc/hemi/hemi.env secret
    if [ ! -e $file ]; then
        secret=$(python3 -c 'import secrets; print(secrets.token_urlsafe(50))')
        (umask 077 && sed -e '1,2d' \
            -e "s|^#SECRET_KEY=.*|SECRET_KEY=$secret|" -e "s|^#FIELD_ENCRYPTION_KEY=.*|FIELD_ENCRYPTION_KEY=$(new_key)|" \
            -e "s|^#HEMI_BASE_URL=.*|HEMI_BASE_URL=https://$NAME|" -e 's|^#HEMI_VAR=.*|HEMI_VAR=/var/lib/hemi|' \
            -e "s|^#BACKUP_KEY=.*|BACKUP_KEY=$(new_key)|" -e 's|^#BACKUP_DIR=.*|BACKUP_DIR=/var/backups/hemi|' \
            -e 's|^#HEMI_STATIC=.*|HEMI_STATIC=/opt/hemi/current/static|' ../.env.example >$file.new)
        mv $file.new $file
        did "made $file with new keys. Keep a copy of it away from this server: without it no backup can be read"
    else
        did "$file stays as it is"
    fi
    chown root:hemi $file
    chmod 640 $file
}

# Until Let's Encrypt has issued one nginx starts with a certificate that no browser trusts.
placeholder() {
    echo "$NAME" >/etc/hemi/tls/name
    [ ! -e /etc/hemi/tls/fullchain.pem ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$NAME" \
        -keyout /etc/hemi/tls/privkey.pem -out /etc/hemi/tls/fullchain.pem 2>/dev/null
    did "made a certificate of its own for the time being"
}

services() {
    say "Services"
    local each changed=no
    while read -r each; do
        put "systemd/$each" "/etc/systemd/system/$each" && changed=yes
    done < <(cd systemd && find . -type f -printf '%P\n')
    put hemi /usr/local/bin/hemi 755 || true
    [ $changed = no ] && did "unchanged"
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
    put "$site" /etc/nginx/sites-available/hemi || did "nginx's site is unchanged"
    rm "$site"
    ln -sfn ../sites-available/hemi /etc/nginx/sites-enabled/hemi
    if [ "$(readlink /etc/nginx/sites-enabled/default)" = /etc/nginx/sites-available/default ]; then
        rm /etc/nginx/sites-enabled/default
        did "took Debian's page of welcome out of service"
    fi
    put certbot/use-certificate /etc/letsencrypt/renewal-hooks/deploy/hemi 755 || true
    placeholder
    nginx -q -t
    systemctl --quiet enable nginx.service certbot.timer
    ! runs_systemd || systemctl reload-or-restart nginx.service
}

certificate() {
    [ ! -e "/etc/letsencrypt/live/$NAME" ] || { did "the certificate is there; certbot.timer renews it"; return; }
    if ! runs_systemd; then
        did "no certificate asked for; with systemd running: $PWD/certbot/issue $NAME $MAIL"
    elif certbot/issue "$NAME" "$MAIL" --quiet; then
        did "the certificate was issued; certbot.timer renews it"
    else
        did "no certificate yet. Does $NAME lead here, and is port 80 open? Then say this again"
    fi
}

start() {
    say "Start"
    if runs_systemd; then
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
start
