"""What a page does not need is not loaded: most of the server's memory is the code of what it imports."""

import subprocess
import sys

import pytest

from tests.cli.conftest import CHECKOUT

RUNS = (
    "super_agent.session.run_context",
    "super_agent.core.instance.instance_watch",
    "super_agent.core.queue",
    "interpreter.sandbox",
)
"""What runs need, and no page does."""
CLIENTS = ("psutil", "urllib3", "super_agent.core.ollama.api")
"""What only the page of the instance needs."""


@pytest.mark.parametrize(
    "module", ["http_server", "run_actions", "session_diff_page", "session_cost_page", "batch_pages"]
)
def test_a_page_loads_nothing_of_what_only_runs_and_the_instance_need(module: str) -> None:
    program = f"import sys, super_agent.web.{module}; print(*(n for n in sys.argv[1:] if n in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program, *RUNS, *CLIENTS], cwd=CHECKOUT, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stdout.split() == []
