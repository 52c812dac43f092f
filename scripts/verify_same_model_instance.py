#!/usr/bin/env python3
"""Prove that AutoGen's half and the executor's half use the same model instance; the same as `super-agent verify`.

Works outside the environment too: it starts itself again with the checkout's own Python.
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PYTHON = PROJECT / ".venv" / "bin" / "python"


def main() -> None:
    """Hand over to the command, in the right environment."""
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        import os

        if not PYTHON.exists():
            sys.exit("super-agent: its environment is not made yet. Run `make setup` first")
        os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
    sys.path.insert(0, str(PROJECT))
    from super_agent.cli.main import run_command

    arguments = sys.argv[1:]
    env_file = PROJECT / ".env"
    if "--env-file" not in arguments and env_file.is_file():
        arguments = ["--env-file", str(env_file), *arguments]
    sys.exit(run_command(["verify", *arguments]))


if __name__ == "__main__":
    main()
