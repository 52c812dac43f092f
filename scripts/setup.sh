#!/bin/bash
# Makes the environments from their locks and installs the sandbox's programs. Quick when nothing has changed.
#   --demo    also what an Ollama is built with, where one has to be built
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'super-agent: %s\n' "$*" >&2; }
. scripts/packages.sh

demo=false
[ "${1:-}" != --demo ] || demo=true
lock=requirements/dev.txt
stamp=$({ pwd; cat "$lock" interpreter/open_interpreter/requirements.txt interpreter/sandbox/requirements.txt \
    interpreter/engine/environment.py scripts/setup.sh scripts/packages.sh; } | sha256sum | cut -c1-32)
done_file=.venv/.setup-done
supported='import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# Where an Ollama has to be built: none answers, none is installed or built, and the address is this machine's.
builds_ollama() {
    local url=${OLLAMA_BASE_URL:-}
    [ -n "$url" ] || url=$(sed -n 's/^OLLAMA_BASE_URL=//p' .env 2>/dev/null | tail -n 1)
    [[ ${url:=localhost:11434} =~ ^(https?://)?(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?(/|$) ]] &&
        ! curl -sf -m 5 -o /dev/null "${BASH_REMATCH[1]}${BASH_REMATCH[2]}${BASH_REMATCH[3]:-:11434}/api/version" &&
        ! scripts/get_ollama.sh --installed >/dev/null 2>&1
}

# All that is missing at once, in one line, so that nobody comes back for the second half. `make demo` ends here, before
# it builds for minutes what then cannot run; `make setup` goes on without what only the sandbox needs.
install_packages() {
    local packages sandbox
    mapfile -t sandbox < <(lacking_sandbox)
    packages=("${sandbox[@]}")
    ! $demo || ! builds_ollama || mapfile -t -O ${#packages[@]} packages < <(lacking_build)
    [ ${#packages[@]} -gt 0 ] || return 0
    mapfile -t -O ${#packages[@]} packages < <(lacking_uv)
    if ! provide "${packages[@]}"; then
        [ ${#sandbox[@]} -eq 0 ] || $demo || say "without the sandbox's packages nothing runs in the sandbox"
        ! $demo || exit $((${#sandbox[@]} > 0 ? 4 : 3))
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
install_packages
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
