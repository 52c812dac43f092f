#!/bin/sh
# Prints the path of a working uv; fetches one into the user's cache folder when there is none.
# Everything but the path goes to stderr, so that callers can write UV="$(scripts/get_uv.sh)".
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/super-agent"
home="$cache/uv"

say() { printf 'super-agent: %s\n' "$*" >&2; }

if command -v uv >/dev/null 2>&1; then
    command -v uv
    exit 0
fi
if [ -x "$home/bin/uv" ] && "$home/bin/uv" --version >/dev/null 2>&1; then
    echo "$home/bin/uv"
    exit 0
fi

. "$here/certificates.sh"
mkdir -p "$cache"
stage=$(mktemp -d "$cache/uv.XXXXXX")
trap 'rm -rf "$stage"' EXIT

with_venv() {
    python3 -m venv "$stage/venv" >&2 &&
        "$stage/venv/bin/python" -m pip install --quiet --require-hashes -r "$here/uv.lock.txt" >&2 &&
        mkdir -p "$stage/bin" && cp "$stage/venv/bin/uv" "$stage/bin/uv"
}

with_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    say "python3 has no venv module; installing python3-venv with apt"
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >&2
}

with_installer() {
    say "trying uv's own installer"
    mkdir -p "$stage/bin" &&
        curl -LsSf https://astral.sh/uv/install.sh |
        UV_INSTALL_DIR="$stage/bin" UV_NO_MODIFY_PATH=1 sh >&2
}

say "uv is not installed; fetching it into $home"
if with_venv 2>"$stage/log" || { with_apt && with_venv 2>"$stage/log"; } || with_installer; then
    rm -rf "$stage/venv" "$home"
    mv "$stage" "$home"
    trap - EXIT
    echo "$home/bin/uv"
    exit 0
fi
[ -s "$stage/log" ] && tail -n 3 "$stage/log" >&2
say "uv could not be fetched. Install it (https://docs.astral.sh/uv/), or what fetches it (on Debian: sudo apt-get" \
    "install -y python3-venv), and run this again."
exit 4
