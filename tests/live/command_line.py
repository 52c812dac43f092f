"""The command line against a real server, in processes of its own, and what other programs do meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from scripts.demo import PROJECT
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from super_agent.provision.demo_model import weights_folder
from super_agent.provision.packaged_weights import SMOLLM2, fetch

OTHER = "watch-other"
"""Other weights than the tests' model has."""
GATED_CHECK = "until [ -e go ]; do sleep 0.05; done; false"
"""Waits for a file in the workspace, then fails: the moment in which a test does something to the server."""

Events = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> Events:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def noted(self) -> Events:
        """What the watch told."""
        return [e for e in self.events if e["type"] == "instance_noted"]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`super-agent` for one server and model, with a folder of the test's own for all that it keeps."""

    base_url: str
    model: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """A small one, so that nothing of the user's own counts."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "SUPER_AGENT_STATE_DIR": str(self.folder / "state"),
            "OLLAMA_BASE_URL": self.base_url,
            "DEFAULT_MODEL": self.model,
            # A tiny model that loses its way would write until its limit.
            "SUPER_AGENT_MAX_REPLY_TOKENS": "32",
            "SUPER_AGENT_MAX_ROUNDS": "1",
            **self.variables,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command under way, its output in pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "super_agent.cli.main", *arguments],
            env=self.environment(),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> Ended:
        """A command from its beginning to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate()
        return Ended(process.returncode, out, err)

    def workspace(self, name: str = "workspace") -> Path:
        """An empty folder to work in."""
        path = self.folder / name
        path.mkdir()
        return path

    def run_with(
        self,
        meanwhile: Callable[[], None],
        *arguments: str,
        team: bool = False,
        at: Mapping[str, Callable[[], None]] | None = None,
    ) -> Ended:
        """A run whose model is ready and which has not asked it yet when `meanwhile` is called.

        It is one agent's, which asks less than a `team`. `at` holds what else is called once, at the first event of a
        type.
        """
        # All three members, of whom a model of this size and a check would leave one by themselves.
        mode = ("--members", "planner,coder,reviewer", *arguments) if team else ("--solo", *arguments)
        then = dict(at or {})
        workspace = self.workspace()
        task = ("run", "Write a file hello.py that prints hello.", "-w", str(workspace), "--check", GATED_CHECK)
        with self.start(*task, "--max-turns", "1", "--json", *mode) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                kind = json.loads(line)["type"]
                if kind in then:
                    then.pop(kind)()
                if kind == "code_started" and not (workspace / "go").exists():
                    meanwhile()
                    (workspace / "go").touch()
            assert process.stderr is not None
            err = process.stderr.read()
        return Ended(process.returncode, "".join(lines), err)

    def preflight(self) -> Ended:
        """A run that is ended by SIGTERM as soon as its model is ready and its check begins."""
        task = ("run", "Say hello.", "-w", str(self.workspace()), "--check", GATED_CHECK, "--json")
        with self.start(*task) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if json.loads(line)["type"] == "code_started":
                    process.terminate()
            assert process.stderr is not None
            err = process.stderr.read()
        return Ended(process.returncode, "".join(lines), err)


def foreign(base_url: str, model: str, **fields: Any) -> None:
    """A program of somebody else's, with its own ideas about the runner."""
    body = {"model": model, "messages": [{"role": "user", "content": "x"}], "stream": False, **fields}
    body.setdefault("options", {})["num_predict"] = 1
    httpx.post(f"{base_url}/api/chat", json=body, timeout=120, trust_env=False).raise_for_status()


def make_other_model(base_url: str, folder: Path) -> None:
    """The same model under another name in its own metadata: another blob, and so another runner."""
    path = folder / "other.gguf"
    data = fetch(SMOLLM2, weights_folder(), lambda _text: None).read_bytes()
    assert b"smollm2" in data[:4096]
    path.write_bytes(data.replace(b"smollm2", b"smollm9", 1))
    with Ollama(load_settings({"base_url": base_url}, environ={})) as server:
        for _step in server.create_from_gguf(OTHER, path):
            continue
