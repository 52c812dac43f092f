"""`python -m benchmarks.container ENGINE IMAGE`: Python, shell and a fresh command in containers."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.executor import FLOOD, interrupted, run_once
from benchmarks.measure import Figure, repeated, seconds
from interpreter.sandbox.command import run_command
from interpreter.sandbox.container_image import IMAGE_PYTHON, ready_container
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from super_agent.core.errors import SandboxUnavailable

HEAD = "| figure | median | range | goal | |\n|---|---|---|---|---|"
RESULTS = Path(__file__).parent / "results"


def figures(policy: SandboxPolicy) -> Iterator[Figure]:
    """The engine's own work is in all but the runs of a process that is ready."""

    def start() -> float:
        runner = PythonRunner(policy)
        try:
            return seconds(runner.start)
        finally:
            runner.close()

    yield Figure("a container looked for and tried", "s", repeated(lambda: seconds(lambda: ready_container(policy))), 2)
    yield Figure("Python in a container ready", "s", repeated(start), 1)
    yield Figure("a fresh command, to its end", "s", repeated(lambda: seconds(lambda: _command(policy))), 1)
    python, shell = PythonRunner(policy), ShellRunner(policy)
    try:
        yield Figure("one Python run", "ms", repeated(lambda: 1000 * seconds(lambda: run_once(python, "1 + 1")), 50), 5)
        rate = repeated(lambda: 100 / seconds(lambda: run_once(python, FLOOD)))
        yield Figure("100 MB of output drained", "MB/s", rate, 100, at_least=True)
        yield Figure("an interrupt answered", "s", repeated(lambda: interrupted(python)), 1)
        yield Figure(
            "one shell command", "ms", repeated(lambda: 1000 * seconds(lambda: run_once(shell, "true")), 50), 40
        )
    finally:
        python.close()
        shell.close()


def _command(policy: SandboxPolicy) -> None:
    run_command(policy, "true", lambda _data: None, 60)


def main() -> None:
    """Print each row as soon as it is measured, and keep them all."""
    kind, image = sys.argv[1:]
    if kind not in ("docker", "podman"):
        raise SandboxUnavailable(f"{kind} is no engine", fix="Name docker or podman")
    rows = []
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        engine = "docker" if kind == "docker" else "podman"
        policy = SandboxPolicy(Path(folder).resolve(), IMAGE_PYTHON, engine=engine, image=image)
        for figure in figures(ready_container(policy)):
            rows.append(figure.row())
            print(rows[-1], flush=True)
    text = "\n".join([f"# Containers of {kind}", "", HEAD, *rows])
    (RESULTS / f"{kind}.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
