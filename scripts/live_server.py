"""The live tests' server by hand: `python -m scripts.live_server [LOG]` prints its address and model, and waits."""

import signal
import sys
import tempfile
from pathlib import Path

from scripts.demo_model import tiny_model
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import SuperAgentError
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    log = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "ollama.log"
    stop = {signal.SIGINT, signal.SIGTERM}
    try:
        with OwnOllama(find_program("--ours"), log, debug=True) as server:
            # Blocked only now: the server's processes would inherit it.
            signal.pthread_sigmask(signal.SIG_BLOCK, stop)
            with Ollama(load_settings({"base_url": server.base_url})) as management:
                model = tiny_model(management, lambda text: print(text, file=sys.stderr))
            print(f"OLLAMA_BASE_URL={server.base_url} DEFAULT_MODEL={model} # pid {server.pid}, log {log}", flush=True)
            signal.sigwait(stop)
    except SuperAgentError as error:
        sys.exit(f"super-agent: {error}")


if __name__ == "__main__":
    main()
