#!/bin/bash
# Puts a version of Hemi into service, beside the one that runs, without losing a request. As root:
#
#   release.sh [FOLDER]    the code in FOLDER (default: the folder that this script is in)
#   release.sh --pause [FOLDER]   the same, with migrations that the running code does not survive: services stop
#                          while they are made, and requests wait in the socket
#   release.sh --back      back to the release that ran before this one
#   release.sh --list      what is there
#
# Whatever fails before the switch leaves the running release as it was; run it again. A release that does not answer
# after the switch is taken back. Migrations are not: they are such that the release before runs on with them.
set -euo pipefail
umask 022
cd "$(dirname "$(readlink -f "$0")")"
SOURCE=$(dirname "$PWD")

OPT=${HEMI_OPT:-/opt/hemi}
ENV_FILE=${HEMI_ENV_FILE:-/etc/hemi/hemi.env}
SOCKET=${HEMI_SOCKET:-/run/hemi/web.sock}
OWNER=${HEMI_USER:-hemi}
KEEP=5
SECONDS_TO_ANSWER=40
WORKERS="hemi-worker hemi-delivery hemi-beat"

say() { printf '%s\n' "- $*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
runs_systemd() { [[ $(systemctl is-system-running 2>/dev/null) =~ ^(running|degraded|starting|initializing|maintenance)$ ]]; }
current() { basename "$(readlink "$OPT/current" 2>/dev/null)" 2>/dev/null || true; }

# in_release RELEASE ARGS...: Python with the code and packages of a release, as Hemi's own user.
in_release() {
    local release=$OPT/releases/$1 as=()
    shift
    [ "$(id -un)" = "$OWNER" ] || as=(runuser -u "$OWNER" --)
    (cd "$release" && "${as[@]}" env HEMI_ENV_FILE="$ENV_FILE" HEMI_STATIC="$release/static" PYTHONDONTWRITEBYTECODE=1 \
        "$release/.venv/bin/python" "$@")
}

copy_code() {
    say "Copying the code to $OPT/releases/$1"
    mkdir -p "$OPT/releases/$1"
    # Readable for Hemi's user, whatever the umask was where the code was fetched.
    tar -C "$SOURCE" --exclude=./.git --exclude=./var --exclude='./.venv*' --exclude=./.env --exclude=__pycache__ \
        --exclude='./.*_cache' --mode=u=rwX,go=rX -cf - . | tar -C "$OPT/releases/$1" --no-same-owner -xf -
}

# Packages are kept by what requirements.txt and constraints.txt ask for: releases that ask for the same share a folder.
install_packages() {
    local wanted folder
    wanted=$({ cat "$OPT/releases/$1"/{requirements,constraints}.txt; python3 -c 'import sys; print(sys.version)'; } | sha256sum | cut -c1-12)
    folder=$OPT/packages/$wanted
    if [ ! -e "$folder/complete" ]; then
        say "Installing the packages that requirements.txt lists into $folder"
        rm -rf "$folder"
        mkdir -p "$OPT/packages"
        python3 -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$OPT/releases/$1/requirements.txt"
        "$folder/bin/python" -m pip freeze >"$folder/complete"
    fi
    ln -sfn "$folder" "$OPT/releases/$1/.venv"
}

prepare() {
    copy_code "$1"
    install_packages "$1"
    say "Compiling, gathering static files, checking"
    "$OPT/releases/$1/.venv/bin/python" -m compileall -q "$OPT/releases/$1" -x '/\.venv/'
    install -d -o "$OWNER" "$OPT/releases/$1/static"
    in_release "$1" manage.py collectstatic --no-input --verbosity 0
    chown -R "$(id -u):$(id -g)" "$OPT/releases/$1/static"
    in_release "$1" manage.py check --deploy --fail-level ERROR
}

migrate() {
    if ! in_release "$1" manage.py pending_migrations; then
        [ "$PAUSE" = yes ] || fail "Not released: the code that runs would not survive these migrations. Make them in two releases (docs/decisions/releases.md), or: release.sh --pause"
        if runs_systemd; then
            say "Stopping services; requests wait in the socket"
            STOPPED=yes
            exec 8<"$OPT"
            flock 8  # the first request starts hemi-web again, which then waits for this lock
            systemctl stop $WORKERS hemi-web.service
        fi
    fi
    in_release "$1" manage.py migrate --no-input --skip-checks --verbosity 0
    # Loads what the web process will load, keys against database included.
    in_release "$1" -m gunicorn --check-config -c deploy/gunicorn.conf.py hemi.wsgi
}

# Ends the pause: what waits for the lock starts with what `current` names now.
unlock() { exec 8<&-; }

point_to() {
    ln -sfn "releases/$1" "$OPT/current.new"
    mv -T "$OPT/current.new" "$OPT/current"
}

# Gunicorn's first process and its Python are the old ones after a reload; where they differ only a restart will do.
engine() { "$OPT/releases/$1/.venv/bin/python" -c 'import sys, gunicorn; print(sys.version, gunicorn.__version__)'; }

serve() {
    local verb=reload
    [ -n "$2" ] && [ "$(engine "$1")" = "$(engine "$2")" ] || verb=restart
    [ "$(systemctl is-active hemi-web.service)" = active ] || verb=restart
    say "Web: $verb"
    systemctl "$verb" hemi-web.service
    answers "$1" || return 1
    say "Workers: restart (each ends what it is doing first)"
    systemctl restart $WORKERS
}

# Whether each web process runs in this release's folder, and one of them says that it can work.
answers() {
    local child main deadline=$((SECONDS + SECONDS_TO_ANSWER)) elsewhere
    while [ $SECONDS -lt $deadline ]; do
        sleep 0.3
        main=$(systemctl show -p MainPID --value hemi-web.service)
        elsewhere=""
        [ -r "/proc/$main/task/$main/children" ] || continue
        for child in $(cat "/proc/$main/task/$main/children"); do
            [ "$(readlink "/proc/$child/cwd")" = "$(readlink -f "$OPT/releases/$1")" ] || elsewhere=$child
        done
        [ -n "${child:-}" ] && [ -z "$elsewhere" ] || continue
        curl -fsS -o /dev/null --max-time 5 --unix-socket "$SOCKET" http://localhost/readyz 2>/dev/null && return 0
    done
    return 1
}

switch() {
    local before=$2
    point_to "$1"
    unlock
    if ! runs_systemd; then
        say "systemd is not running: the services start with the machine"
    elif ! serve "$1" "$before"; then
        [ -n "$before" ] || fail "Hemi does not answer: journalctl -u hemi-web"
        say "The new release does not answer; going back to $before"
        point_to "$before"
        systemctl restart hemi-web.service || true
        answers "$before" || true
        systemctl restart $WORKERS || true
        fail "Not released: journalctl -u hemi-web says why. $before serves again."
    fi
    say "In service: $1"
}

# Keeps the newest and the two that --back may need; packages that no release names go as well.
tidy() {
    local old now before
    now=$(current)
    before=$(cat "$OPT/releases/$now/.before")
    for old in $(ls -1 "$OPT/releases" | sort -r | tail -n +$((KEEP + 1))); do
        [ "$old" = "$now" ] || [ "$old" = "$before" ] || { say "Removing $old"; rm -rf "${OPT:?}/releases/$old"; }
    done
    for old in "$OPT"/packages/*; do
        readlink "$OPT"/releases/*/.venv | grep -qxF "$old" || { say "Removing $old"; rm -rf "$old"; }
    done
}

# Units and nginx's site are not a release's to change.
remind() {
    local new=$OPT/releases/$1/deploy
    [ -e /etc/systemd/system/hemi-web.service ] && [ "$OPT" = /opt/hemi ] || return 0
    [ -z "$(cd "$new/systemd" && find . -type f ! -exec cmp -s {} /etc/systemd/system/{} \; -print)" ] &&
        sed "s/hemi\.example\.com/$(cat /etc/hemi/tls/name)/g" "$new/nginx/hemi.conf" | cmp -s - /etc/nginx/sites-available/hemi ||
        say "This version has other units or another site of nginx's: deploy/install.sh NAME MAIL brings them"
}

back() {
    local now before
    now=$(current)
    before=$(cat "$OPT/releases/$now/.before" 2>/dev/null || true)
    [ -n "$before" ] && [ -d "$OPT/releases/$before" ] || fail "There is no release to go back to."
    switch "$before" "$now"
}

clear_away() {
    [ "$(current)" = "$1" ] || rm -rf "${OPT:?}/releases/$1"
    unlock
    [ "$STOPPED" = no ] || systemctl start hemi-web.service $WORKERS
}

release() {
    local name before
    until name=$(date -u +%Y%m%d-%H%M%S) && [ ! -e "$OPT/releases/$name" ]; do sleep 0.2; done
    before=$(current)
    [ -f "$SOURCE/manage.py" ] || fail "$SOURCE holds no Hemi."
    trap 'clear_away "'"$name"'"' EXIT
    prepare "$name"
    migrate "$name"
    echo "$before" >"$OPT/releases/$name/.before"
    switch "$name" "$before"
    tidy
    remind "$name"
}

PAUSE=no STOPPED=no
mkdir -p "$OPT/releases"
exec 9>"$OPT/.lock"
flock -n 9 || fail "Another release is being made."
case "${1:-}" in
    --back) back ;;
    --list) for each in $(ls -1 "$OPT/releases"); do echo "$each$([ "$each" = "$(current)" ] && echo '  <- in service')"; done ;;
    --pause) PAUSE=yes; SOURCE=${2:-$SOURCE}; release ;;
    -*) fail "Say release.sh [--pause] [FOLDER], release.sh --back or release.sh --list." ;;
    *) SOURCE=${1:-$SOURCE}; release ;;
esac
