"""`super-agent acp`: from claiming standard output to the editor's going away."""

import asyncio
import logging
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from super_agent.core.errors import ExitCode, UsageError
from super_agent.core.settings import load_settings
from super_agent.core.standard_streams import claim
from super_agent.tools.listed import require_listed

if TYPE_CHECKING:
    from super_agent.acp.agent import Agent

END_TIMEOUT_S = 10.0
"""For runs to end when the editor goes; they end within 2 s unless something hangs."""
ANSWER_TIMEOUT_S = 2.0
"""For the answers to what was asked before, which an editor may still read."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(flags: dict[str, Any], **given: Any) -> int:
    """Serve one editor until it goes; raises `SuperAgentError` for settings that cannot be, or without the package."""
    require_listed(load_settings(flags, env_file=given.get("env_file")))
    load_protocol()
    descriptors = claim()
    _log_in_lines()
    from super_agent.acp.agent import Agent
    from super_agent.acp.editor_session import CommandLineOptions

    agent = Agent(CommandLineOptions(flags, **given))
    if not asyncio.run(_serve(agent, descriptors)):
        # A thread that does not end would keep the process, and the editor's user would not know why.
        sys.stderr.flush()
        os._exit(int(ExitCode.NOT_DONE))
    return int(ExitCode.OK)


def load_protocol() -> None:
    """Import `acp` with its 280 models left to be built when each is first used; raises `UsageError` without it.

    Building them all at once is half of its import (0.85 s against 0.45 s, measured on two cores), and a session uses
    some thirty. The option is pydantic's own (`defer_build`), given through its base class as the package has no way
    to pass it, and taken back at once.
    """
    from pydantic import BaseModel, ConfigDict

    usual = BaseModel.model_config
    BaseModel.model_config = ConfigDict(defer_build=True)
    try:
        import_module("acp")
    except ModuleNotFoundError as error:
        if error.name != "acp":
            raise
        raise UsageError(
            "super-agent acp needs the package agent-client-protocol, which is not installed here",
            fix="Install it: pip install 'super-agent[acp]', or make setup in a checkout",
        ) from None
    finally:
        BaseModel.model_config = usual


async def _serve(agent: "Agent", descriptors: tuple[int, int]) -> bool:
    """Whether all runs have ended with it."""
    from acp.agent.connection import AgentSideConnection

    from super_agent.acp.json_rpc_transport import LineTransport

    loop = asyncio.get_running_loop()
    transport = LineTransport(*descriptors)
    for number in SIGNALS:
        loop.add_signal_handler(number, transport.end)
    # session/resume and session/close are in the protocol, which this release of the package still calls unstable.
    # Its `Agent` has methods of protocols that we do not speak; it looks each up by name and answers for those missing.
    connection = AgentSideConnection(cast(Any, agent), transport, listening=False, use_unstable_protocol=True)
    transport.start()
    try:
        await connection.listen()
    finally:
        ended = await agent.end(END_TIMEOUT_S)
        await transport.answered(ANSWER_TIMEOUT_S)
        await connection.close()
    return ended


class _OneLine(logging.Formatter):
    """What the package logs is the editor's doing; whoever reads it needs no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        why = f": {type(error).__name__}: {error}" if error is not None else ""
        return " ".join(f"super-agent acp: {record.getMessage()}{why}".split())


def _log_in_lines() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.getLogger().addHandler(handler)
