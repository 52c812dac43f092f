"""Before a run: which Python is used, what is missing, what dead runs left behind."""

import os
import socket

import pytest

from interpreter.sandbox.command import run_command
from interpreter.sandbox.container.program import owner
from interpreter.sandbox.container_image import IMAGE_PYTHON, ready_container, unused_environment
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.errors import SandboxUnavailable
from tests.sandbox.container.conftest import IMAGE
from tests.sandbox.scripted_engine import ScriptedEngine


def test_it_says_which_python_is_used_and_what_of_the_workspace_cannot_be(policy: SandboxPolicy) -> None:
    assert ready_container(policy).python == IMAGE_PYTHON
    own = policy.workspace / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to("/nowhere/python3")
    ready = ready_container(policy)
    assert ready.python == IMAGE_PYTHON
    assert unused_environment(ready).endswith(f"a Python that the image {IMAGE} does not have, so it is not used")
    own.unlink()
    own.symlink_to("/usr/bin/python3")
    ready = ready_container(policy)
    assert (ready.python, unused_environment(ready)) == (own, "")
    outcome = run_command(ready, '[ "$(command -v python)" = "$VIRTUAL_ENV/bin/python" ]', lambda _: None, 20.0)
    assert outcome.exit_code == 1  # there is no pyvenv.cfg, so it is no environment


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({"image": "sys.exit(1)"}, f"podman has no image {IMAGE}. Fetch it: podman pull {IMAGE}"),
        (
            {"image": "sys.exit(1)", "info": "sys.exit('Error: is it running?')"},
            "podman does not work here: is it running. Install it, or choose another with --sandbox bubblewrap or "
            "--sandbox docker",
        ),
        (
            {"run": "frame(b'H'); frame(b'O', b'/bin/bash: none'); frame(b'X', b'127')"},
            f"{IMAGE}: /bin/bash: none. Name",
        ),
    ],
)
def test_what_is_missing_is_told_with_what_to_do(
    policy: SandboxPolicy, engine: ScriptedEngine, scripts: dict[str, str], words: str
) -> None:
    engine.write(**scripts)
    with pytest.raises(SandboxUnavailable) as caught:
        ready_container(policy)
    assert words in str(caught.value)


def test_an_engine_that_is_not_installed_is_told(policy: SandboxPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxUnavailable, match="podman is not installed"):
        ready_container(policy)


def test_only_what_runs_that_are_gone_left_behind_is_removed(policy: SandboxPolicy, engine: ScriptedEngine) -> None:
    host, gone = socket.gethostname(), 2**22 + 1
    listed = {
        "super-agent-own": owner(),
        "super-agent-gone": f"{host}/{gone}/1",
        "super-agent-renumbered": f"{host}/{os.getpid()}/1",
        "super-agent-elsewhere": f"other-{host}/{gone}/1",
        "super-agent-odd": "what",
        "somebody-else": f"{host}/{gone}/1",
    }
    names = "".join(f"{name}\n" for name in listed)
    engine.write(ps=f"sys.stdout.write({names!r})", container=f"print({listed}[arguments[-1]])")
    ready_container(policy)
    assert sorted(call[-1] for call in engine.calls("rm")) == ["super-agent-gone", "super-agent-renumbered"]
