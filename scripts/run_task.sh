#!/bin/bash
# `make run`: TASK, WORKSPACE and CHECK come from make's command line through the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${TASK:-}" ]; then
    echo 'super-agent: no task given. Say: make run TASK="Write …" [WORKSPACE=dir] [CHECK="pytest -q"]' >&2
    exit 2
fi
if [ -z "${WORKSPACE:-}" ]; then
    WORKSPACE=$(mktemp -d "${TMPDIR:-/tmp}/super-agent-XXXXXX")
    echo "super-agent: working in the fresh folder $WORKSPACE" >&2
fi
arguments=(run "$TASK" --workspace "$WORKSPACE")
[ -n "${CHECK:-}" ] && arguments+=(--check "$CHECK")
[ -f .env ] && arguments+=(--env-file .env)
exec .venv/bin/super-agent "${arguments[@]}"
