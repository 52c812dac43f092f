"""The protocol's package, loaded in a time that an editor does not notice, and only where it is installed."""

from importlib import import_module

from super_agent.core.errors import UsageError


def load() -> None:
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
