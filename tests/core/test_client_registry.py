"""A client is listed for exactly as long as its process lives and holds it open."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from super_agent.core.instance.client_registry import ClientLock, live_clients
from super_agent.core.settings import load_settings

HOLDER = """
import sys
from pathlib import Path
from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.settings import load_settings
lock = ClientLock(load_settings({"state_dir": Path(sys.argv[1]), "model": "m"}, environ={}), "autogen")
print("held", flush=True)
sys.stdin.read()
"""


def test_two_clients_of_one_process_are_two(tmp_path: Path) -> None:
    settings = load_settings({"state_dir": tmp_path, "model": "m"}, environ={})
    one, two = ClientLock(settings, "autogen"), ClientLock(settings, "open-interpreter")
    assert sorted(c.kind for c in live_clients(tmp_path)) == ["autogen", "open-interpreter"]
    one.close()
    assert [c.kind for c in live_clients(tmp_path)] == ["open-interpreter"]
    two.close()
    two.close()
    assert live_clients(tmp_path) == ()
    assert list((tmp_path / "clients").iterdir()) == []


def test_a_client_killed_with_kill_9_disappears_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        [client] = live_clients(tmp_path)
        assert (client.pid, client.model, client.server) == (holder.pid, "m", "http://localhost:11434")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert live_clients(tmp_path) == ()


def test_an_entry_of_another_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    settings = load_settings({"state_dir": tmp_path, "model": "m"}, environ={})
    lock = ClientLock(settings, "autogen")
    [path] = (tmp_path / "clients").iterdir()
    path.write_text(json.dumps({"kind": "gateway", "pid": 7, "model": "n", "server": "s", "since": 1.5, "slot": 3}))
    [newer] = live_clients(tmp_path)
    assert (newer.kind, newer.pid, newer.model, newer.server, newer.since) == ("gateway", 7, "n", "s", 1.5)
    path.write_text("[]")
    [unknown] = live_clients(tmp_path)
    assert (unknown.kind, unknown.pid, unknown.model) == ("autogen", os.getpid(), "")
    lock.close()
