"""A server with two slots writes two attempts at once, and stays one instance."""

import re
from pathlib import Path

from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from super_agent.provision.demo_model import TINY, packaged_model
from tests.live.command_line import CommandLine


def most_at_once(log: str) -> int:
    """How many slots of the runner were at work at the same time."""
    busy: set[str] = set()
    most = 0
    for event, slot in re.findall(r"slot +(launch_slot_|release): id +(\d+) \| task \d+", log):
        busy = busy | {slot} if event == "launch_slot_" else busy - {slot}
        most = max(most, len(busy))
    return most


def test_two_slots_write_two_attempts_at_once(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with OwnOllama(find_program("--installed"), log, debug=True, variables={"OLLAMA_NUM_PARALLEL": "2"}) as own:
        with Ollama(load_settings({"base_url": own.base_url}, environ={})) as server:
            model = packaged_model(server, TINY, lambda _text: None)
        # Named, as nothing is sampled ahead without a GPU else.
        command = CommandLine(own.base_url, model, tmp_path, {"SUPER_AGENT_SLOTS": "2"})
        workspace = str(command.workspace())
        done = command("run", "Say hello.", "-w", workspace, "--check", "false", "--max-turns", "4", "--json")
        assert done.code == 1, done.err
        assert {kind: n for kind, n in done.events[-1]["instance"].items() if n} in ({}, {"load": 1})
        assert len(own.runners()) == 1
    assert most_at_once(log.read_text(errors="replace")) == 2
