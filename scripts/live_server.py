"""A server as the live tests use it, by hand: prints its address and model, and waits."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import SuperAgentError
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from super_agent.provision.demo_model import CODER, SMALL_CODER, TINY, packaged_model


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    models = {model.alias: model for model in (TINY, SMALL_CODER, CODER)}
    parser = argparse.ArgumentParser(description="An Ollama with a small model, until SIGINT or SIGTERM.")
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--slots", type=int, default=1, help="requests that it works on at once")
    parser.add_argument("--model", choices=models, default=TINY.alias)
    options = parser.parse_args()
    log = options.log or Path(tempfile.mkdtemp()) / "ollama.log"
    stop = {signal.SIGINT, signal.SIGTERM}
    try:
        variables = {"OLLAMA_NUM_PARALLEL": str(options.slots)}
        with OwnOllama(find_program("--ours"), log, debug=True, variables=variables) as server:
            # Blocked only now: the server's processes would inherit it.
            signal.pthread_sigmask(signal.SIG_BLOCK, stop)
            with Ollama(load_settings({"base_url": server.base_url})) as management:
                model = packaged_model(management, models[options.model], lambda text: print(text, file=sys.stderr))
            print(f"OLLAMA_BASE_URL={server.base_url} DEFAULT_MODEL={model} # pid {server.pid}, log {log}", flush=True)
            signal.sigwait(stop)
    except SuperAgentError as error:
        sys.exit(f"super-agent: {error}")


if __name__ == "__main__":
    main()
