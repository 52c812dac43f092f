"""Two runs at once on one real server: four clients, and no text of the one in a prompt of the other."""

import json
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.live.command_line import CommandLine
from tests.live.conftest import LiveOllama
from tests.live.reverse_proxy import ReverseProxy

WORDS = ("marmalade-7301", "cinnamon-4482")
SEEN_TIMEOUT_S = 150.0


@pytest.mark.timeout(300)
def test_two_runs_at_once_are_four_clients_whose_contexts_never_meet(live_ollama: LiveOllama, tmp_path: Path) -> None:
    with ReverseProxy(live_ollama.base_url) as proxy:  # keeps every prompt
        # Two at once, as on a server with two slots: in the queue one of them would wait for a minute.
        command = CommandLine(proxy.base_url, live_ollama.model, tmp_path, {"SUPER_AGENT_SLOTS": "2"})
        assert command("up").code == 0
        proxy.bodies.clear()
        runs = [_start(command, word) for word in WORDS]
        readers = [threading.Thread(target=run.communicate) for run in runs]
        for reader in readers:
            reader.start()
        try:
            clients = _clients(command)
        finally:
            for run in runs:
                run.terminate()
            for reader in readers:
                reader.join()
    pids = sorted(run.pid for run in runs for _ in range(2))
    assert sorted(c["pid"] for c in clients) == pids
    assert sorted(c["kind"] for c in clients) == ["autogen"] * 2 + ["open-interpreter"] * 2
    told = [{word for word in WORDS if word.encode() in body} for body in proxy.bodies]
    assert {word for words in told for word in words} == set(WORDS)
    assert all(len(words) <= 1 for words in told)


def _start(command: CommandLine, word: str) -> subprocess.Popen[str]:
    workspace = str(command.workspace(word))
    return command.start("run", f"Write the word {word} into a file.", "-w", workspace, "--check", "false", "--json")


def _clients(command: CommandLine) -> list[dict[str, object]]:
    """Those of the model, as soon as there are four and each run has asked at least once."""
    deadline = time.monotonic() + SEEN_TIMEOUT_S
    while True:
        models = json.loads(command("ps", "--json").out)["models"]
        clients = [c for m in models if m["name"] == f"{command.model}:latest" for c in m["clients"]]
        asked = [c for c in clients if c["kind"] == "autogen" and c["requests"]]
        if (len(clients) == 4 and len(asked) == 2) or time.monotonic() > deadline:
            return clients
        time.sleep(1)  # the model's threads wait for each other: one core taken away makes it many times slower
