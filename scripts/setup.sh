#!/bin/bash
# Makes the environments from their locks and installs the sandbox's programs. Quick when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'super-agent: %s\n' "$*" >&2; }

lock=requirements/dev.txt
stamp=$({ pwd; cat "$lock" interpreter/open_interpreter/requirements.txt interpreter/sandbox/requirements.txt \
    interpreter/engine/environment.py scripts/setup.sh; } | sha256sum | cut -c1-32)
done_file=.venv/.setup-done
supported='import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# Names the packages that the sandbox needs and this machine lacks.
lacking() {
    command -v bwrap >/dev/null 2>&1 || echo bubblewrap
    { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q 'libseccomp\.so\.2' || echo libseccomp2
}

install_sandbox() {
    local packages log
    mapfile -t packages < <(lacking)
    [ ${#packages[@]} -gt 0 ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing ${packages[*]} with apt"
        log=$(mktemp)
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}"; } >"$log" 2>&1 ||
            { tail -n 3 "$log" >&2; say "apt could not install ${packages[*]}; without them nothing runs in the sandbox"; }
        rm -f "$log"
    else
        say "the sandbox lacks ${packages[*]}. Install with: sudo apt-get install ${packages[*]}" \
            "(elsewhere: the packages bubblewrap and libseccomp)"
    fi
}

# The system's own Python from 3.11 to 3.13, else one that uv finds or fetches.
make_venv() {
    local uv=$1 name
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c "$supported" 2>/dev/null; then
            say "making .venv with $("$name" --version) ($(command -v "$name"))"
            "$uv" venv --quiet --clear --no-project --python "$(command -v "$name")" .venv
            return
        fi
    done
    say "python3 is $(python3 --version 2>/dev/null || echo missing); looking for one from 3.11 to 3.13"
    if ! "$uv" venv --quiet --clear --no-project --python '>=3.11,<3.14' .venv 2>/dev/null; then
        say "super-agent needs Python 3.11, 3.12 or 3.13. Install one and run this again"
        exit 4
    fi
}

# The project itself, editable, without a build back end to fetch: a path file and a start script.
# The script's second line is Python to Python and `exec` to sh, so that the path may hold spaces and be long.
install_project() {
    .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' | {
        read -r site
        pwd >"$site/super_agent_checkout.pth"
    }
    cat >.venv/bin/super-agent <<SCRIPT
#!/bin/sh
'''exec' "$PWD/.venv/bin/python" "\$0" "\$@"
' '''
from super_agent.cli.main import main

main()
SCRIPT
    chmod +x .venv/bin/super-agent
}

if [ "$(uname -s)" != Linux ]; then
    say "super-agent runs on Linux (WSL2 included), not yet on $(uname -s)"
    exit 4
fi
if [ "$(cat "$done_file" 2>/dev/null)" = "$stamp" ] && [ -x .venv/bin/python ] && [ -z "$(lacking)" ]; then
    exit 0
fi
install_sandbox
if [ "$(cat "$done_file" 2>/dev/null)" = "$stamp" ] && [ -x .venv/bin/python ]; then
    exit 0
fi
. scripts/certificates.sh
uv=$(scripts/get_uv.sh)
.venv/bin/python -c "$supported" 2>/dev/null || make_venv "$uv"
say "installing $(grep -c == "$lock") packages from $lock"
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes "$lock"
install_project
.venv/bin/python -m interpreter.engine.environment
echo "$stamp" >"$done_file"
say "ready: .venv/bin/super-agent --help"
