"""The setup command: what it installs is what check and executor use."""

from collections.abc import Callable
from dataclasses import replace

from interpreter.sandbox.command import Command
from interpreter.sandbox.container_image import ready_container, unused_environment
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.python_choice import choose_python
from super_agent.core.errors import UsageError
from super_agent.session.run_context import RunContext

# Where Debian's Python lacks ensurepip, an environment without pip is still one that a setup command can use.
MAKE_VENV = "python -m venv .venv 2>/dev/null || python -m venv --clear --without-pip .venv"


def run_setup(context: RunContext, command: str, confirm: Callable[[str], bool]) -> None:
    """Run the setup command once, with the network, in the workspace's `.venv`, which is made where there is none.

    What it installs is what check and executor use from then on. Raises `UsageError` where it is refused or fails.
    """
    question = f"Run `{command}` in the sandbox with the network (the internet, and servers on this machine)?"
    if not confirm(question):
        raise UsageError(
            f"the setup command `{command}` was not confirmed", fix="Say --yes to run it without a question"
        )
    own = context.workspace.root / ".venv" / "bin" / "python"
    if not own.exists() and context.policy.python != own:
        _set_up(context, context.policy, MAKE_VENV)
    # Chosen before model-written code runs, as it must be: so far only the user's own command did.
    if context.policy.engine is not None:
        context.policy = ready_container(context.policy)
        if unused := unused_environment(context.policy):
            raise UsageError(unused, fix="Move it away, so that --setup makes one from the image's Python")
    else:
        chosen = choose_python(context.workspace.root, lambda: own)
        context.policy = replace(context.policy, python=chosen, python_prefixes=())
    _set_up(context, replace(context.policy, network=True), command)


def _set_up(context: RunContext, policy: SandboxPolicy, text: str) -> None:
    command = Command(policy)
    timeout_s = context.settings.check_timeout_s
    try:
        outcome, output = context.recorder.run("setup", "shell", text, lambda out: command.run(text, out, timeout_s))
    finally:
        command.close()
    if outcome.kind != "finished":
        last = output.strip().splitlines()[-1:] or ["it printed nothing"]
        how = outcome.kind.replace("_", " ")
        raise UsageError(f"the setup command `{text}` {how}: {last[0]}", fix="Correct --setup")
