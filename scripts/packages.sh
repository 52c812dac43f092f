# shellcheck shell=bash
# Sourced: what this machine lacks, as names of Debian's packages, and the one way to install them or to say so.
# The caller has `say`.

# What the sandbox needs.
lacking_sandbox() {
    command -v bwrap >/dev/null 2>&1 || echo bubblewrap
    local libraries # all of them first: `grep -q` in a pipe ends ldconfig in the middle, which counts as its failure
    libraries=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)
    [[ $libraries == *libseccomp.so.2* ]] || echo libseccomp2
}

# What fetching uv needs: Debian's python3 comes without the module venv.
lacking_uv() {
    command -v uv >/dev/null 2>&1 || [ -x "${XDG_CACHE_HOME:-$HOME/.cache}/super-agent/uv/bin/uv" ] ||
        python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

# Go fetches the very release that Ollama asks for by itself, from 1.21 on; an older one is as good as none.
oldest_go=21

# What building Ollama needs. A package golang-go that is known to be too old is not named: see old_go.
lacking_build() {
    command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 || echo g++
    go_serves || [ "$(packaged_go)" -lt $oldest_go ] || echo golang-go
}

go_serves() {
    local version
    version=$(go env GOVERSION 2>/dev/null) || return 1
    [[ ! $version =~ ^go1\.([0-9]+) ]] || [ "${BASH_REMATCH[1]}" -ge $oldest_go ]
}

# The minor version of apt's golang-go; where apt does not know it, one that serves.
packaged_go() {
    local minor
    minor=$(LC_ALL=C apt-cache policy golang-go 2>/dev/null | sed -n 's/^ *Candidate: [0-9]*:*1\.\([0-9]*\).*/\1/p')
    echo "${minor:-$oldest_go}"
}

# Says that no package helps, where neither the installed nor the packaged Go serves.
old_go() {
    ! go_serves && [ "$(packaged_go)" -lt $oldest_go ]
}

# provide PACKAGE…: installs them as root with apt, and says so; otherwise says the line that does, and fails.
provide() {
    local log
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        say "this machine lacks $*. Install with: sudo apt-get update && sudo apt-get install -y $*" \
            "(not on Debian: what corresponds to them)"
        return 1
    fi
    say "installing $* with apt"
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; } >"$log" 2>&1; then
        tail -n 3 "$log" >&2
        say "apt could not install $*"
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
