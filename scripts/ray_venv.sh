#!/bin/bash
# Makes .venv/ray, the tests' own packages with Ray's beside them, from both locks; prints its Python. `make clean`
# removes it with .venv. Quick when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=.venv/ray
stamp=$(cat requirements/dev.txt requirements/ray.txt | sha256sum | cut -c1-32)
if [ "$(cat "$folder/.done" 2>/dev/null || true)" != "$stamp" ]; then
    . scripts/certificates.sh
    uv=$(scripts/get_uv.sh)
    printf 'super-agent: installing the tests'\'' packages and Ray into %s\n' "$folder" >&2
    "$uv" venv --quiet --clear --no-project --python .venv/bin/python "$folder" >&2
    "$uv" pip sync --quiet --python "$folder/bin/python" --require-hashes requirements/dev.txt requirements/ray.txt >&2
    echo "$stamp" >"$folder/.done"
fi
echo "$folder/bin/python"
