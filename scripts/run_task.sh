#!/bin/bash
# `make run`: TASK, WORKSPACE and CHECK come from make's command line through the environment.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${TASK:-}" ]; then
    echo 'super-agent: no task given. Say: make run TASK="Write …" [WORKSPACE=dir] [CHECK="pytest -q"]' >&2
    exit 2
fi
if [ -z "${WORKSPACE:-}" ]; then
    # In the home folder and not in /tmp: what the team makes should outlive a restart.
    WORKSPACE="$HOME/super-agent/$(date +%Y%m%d-%H%M%S)"
    mkdir -p "$WORKSPACE"
    echo "super-agent: working in the fresh folder $WORKSPACE" >&2
fi
# Not every shell expands the ~ of WORKSPACE=~/dir.
arguments=(run --workspace "${WORKSPACE/#\~\//$HOME/}")
[ -z "${CHECK:-}" ] || arguments+=(--check "$CHECK")
[ ! -f .env ] || arguments+=(--env-file .env)
exec .venv/bin/super-agent "${arguments[@]}" -- "$TASK"
