"""An Ollama server of this checkout's own, for the demo and the live tests: own port, own home, own models.

All of it lies in the user's cache folder, so the user's server, models and keys are never touched.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import platformdirs
import psutil

from super_agent.core.errors import OllamaUnreachable
from super_agent.core.settings import server_environment

SCRIPTS = Path(__file__).resolve().parent
START_TIMEOUT_S = 30.0
"""The server answers within 0.1 s on an idle machine."""
STOP_TIMEOUT_S = 10.0


def cache_folder() -> Path:
    """Where the fetching scripts and the demo keep what is big and can be made again."""
    return platformdirs.user_cache_path("super-agent")


def find_program(*options: str) -> Path:
    """The path of an `ollama`, see get_ollama.sh for the options; `OllamaUnreachable` where there is none to be had.

    Without `--installed` it may be built, which takes minutes and tells its progress on stderr.
    """
    done = subprocess.run([SCRIPTS / "get_ollama.sh", *options], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise OllamaUnreachable("there is no Ollama here", fix="Install it from https://ollama.com/download")
    return Path(done.stdout.strip())


class OwnOllama:
    """A running `ollama serve` on a free port of 127.0.0.1; ends with `stop`, or with this process.

    Raises `OllamaUnreachable` when it does not come up; `log` says why.
    """

    def __init__(
        self,
        program: Path,
        log: Path,
        *,
        debug: bool = False,
        address: str = "127.0.0.1:0",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables` are further settings of the server, such as OLLAMA_NUM_PARALLEL."""
        self.log = log
        folder = cache_folder() / "own-ollama"
        home = folder / "home"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        inherited = {k: v for k, v in server_environment().items() if not k.startswith("OLLAMA_")}
        environment = {
            **inherited,
            "HOME": str(home),
            "OLLAMA_HOST": address,
            "OLLAMA_MODELS": str(folder / "models"),
            "OLLAMA_NO_CLOUD": "1",
            # Two servers may share the models; pruning at start would take away what the other is just creating.
            "OLLAMA_NOPRUNE": "1",
            **({"OLLAMA_DEBUG": "1"} if debug else {}),
            **(variables or {}),
        }
        # Killed together with us even when we are killed without a chance to stop it.
        leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        log.write_bytes(b"")
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash, str(program), "serve"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        self.base_url = self._await_address()

    @property
    def pid(self) -> int:
        """Of `ollama serve`; its runners are children of it."""
        return self._process.pid

    def runners(self) -> tuple[tuple[int, float], ...]:
        """Pid and start time of each model process, oldest first: the same pair before and after means no reload."""
        children = psutil.Process(self.pid).children(recursive=True)
        found = ((child.pid, child.create_time()) for child in children if child.name() == "llama-server")
        return tuple(sorted(found, key=lambda runner: runner[1]))

    def stop(self) -> None:
        """End the server, which ends its runners; the second call does nothing."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _await_address(self) -> str:
        """The address with the port that the kernel chose, from the log: no race for a free port."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(r"Listening on ((?:127\.0\.0\.1|\[::1\]):\d+)", self.log.read_text(errors="replace")):
                return f"http://{found[1]}"
            time.sleep(0.05)
        self.stop()
        last = self.log.read_text(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
        raise OllamaUnreachable(f"Ollama did not start: {last[0]}", fix=f"See {self.log}")
