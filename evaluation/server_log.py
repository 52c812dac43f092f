"""What a real server's debug log tells and its API does not: how many tokens were really evaluated."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

SETTLE_TIMEOUT_S = 5.0
"""The runner writes a request's figures when its slot is released, which can be after the client has its reply."""

_STARTED = re.compile(r"new prompt, n_ctx_slot = \d+.*?task\.n_tokens = (\d+)")
_CACHED = re.compile(r"\| cached n_tokens = (\d+)")
_EVALUATED = re.compile(r"\| prompt eval time =\s*([\d.]+) ms /\s*(\d+) tokens")
_RELEASED = re.compile(r"release: .*stop processing: n_tokens = \d+, truncated = (\d+)")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One prompt as the runner saw it, in tokens; `cached` ones stood in its slot or its host cache already."""

    prompt: int
    cached: int
    evaluated: int
    milliseconds: float


class ServerLog:
    """The log of a server that was started with OLLAMA_DEBUG=1."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mark(self) -> int:
        """The place up to which the log is written now, with no request under way."""
        return len(self._settled(0).encode("utf-8", "surrogateescape"))

    def evaluations_since(self, mark: int) -> tuple[Evaluation, ...]:
        """Each prompt since the mark, oldest first; the same ones that were replied to, cancelled ones left out."""
        found: list[Evaluation] = []
        prompt = cached = 0
        for line in self._settled(mark).splitlines():
            if started := _STARTED.search(line):
                prompt = int(started[1])
            elif reused := _CACHED.search(line):
                cached = int(reused[1])
            elif done := _EVALUATED.search(line):
                found.append(Evaluation(prompt, cached, int(done[2]), float(done[1])))
        return tuple(found)

    def loads_since(self, mark: int) -> int:
        """How many times a runner was started since the mark."""
        return len(re.findall(r'msg="starting llama-server"', self._text(mark)))

    def _settled(self, mark: int) -> str:
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while True:
            text = self._text(mark)
            if len(_STARTED.findall(text)) <= len(_RELEASED.findall(text)) or time.monotonic() > deadline:
                return text
            time.sleep(0.02)

    def _text(self, mark: int) -> str:
        with self.path.open("rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "surrogateescape")
